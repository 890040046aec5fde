"""The description promises what the API does: requests made from it, and their answers."""

import json
from datetime import timedelta

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from oegen.api.rest.pages import description
from oegen.api.rest.registry import ADDRESSES, VIEWSETS
from oegen.api.scopes import Scope
from oegen.people import roles
from oegen.wsgi import application
from tests.support.builders import make_portfolio, make_token, make_user

pytestmark = pytest.mark.django_db

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


@pytest.fixture(scope="module")
def described():
    return json.loads(description())


@pytest.fixture
def in_process(settings):
    """Let requests be answered in this process and its transaction, and as many as one wants."""
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_it_is_described_without_warnings_and_once_for_each_method(described, capsys):
    description()
    assert capsys.readouterr().err == "", "drf-spectacular guesses where it warns"
    operations = [
        operation["operationId"]
        for path in described["paths"].values()
        for operation in path.values()
    ]
    assert len(operations) == len(set(operations))
    assert len([one for one in operations if one.startswith("list_")]) == len(VIEWSETS) + len(
        ADDRESSES
    )


def try_operations(described, role: str, examples: int) -> int:
    """Requests made from the description, half of them about records that exist; returns their
    number."""
    records = make_portfolio(make_user(roles.PORTFOLIO_MANAGERS))
    _, secret = make_token(make_user(role), scopes=tuple(Scope), days=30)
    by_route = {
        route: records.get(view.queryset.model) or view.queryset.first()
        for route, view in VIEWSETS.items()
    }
    schema = schemathesis.openapi.from_dict(described)
    schema.app = application
    headers = {"Authorization": f"Bearer {secret}", "Accept-Encoding": "identity"}
    return sum(
        try_operation(found.ok(), by_route.get(found.ok().path.split("/")[3]), headers, examples)
        for found in schema.get_all_operations()
    )


def try_operation(operation, record, headers: dict[str, str], examples: int) -> int:
    tried = 0

    @settings(
        max_examples=examples,
        deadline=timedelta(seconds=20),
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def try_it(case):
        nonlocal tried
        tried += 1
        if record is not None and "id" in case.path_parameters and tried % 2:
            case.path_parameters["id"] = str(record.pk)
        with transaction.atomic():
            response = case.call(headers=headers)
            case.validate_response(response, checks=CHECKS)
            transaction.set_rollback(True)

    try_it()
    return tried


def test_requests_made_from_it_are_answered_as_it_says(described, in_process):
    assert try_operations(described, roles.PORTFOLIO_MANAGERS, examples=2) > 100


@pytest.mark.heavy
@pytest.mark.parametrize("role", roles.ROLES)
def test_each_role_is_answered_as_it_says(described, in_process, role):
    assert try_operations(described, role, examples=25) > 1000
