"""Who may read and write which records through the API, and that no address forgets to ask."""

import pytest

from oegen.api.rest.registry import VIEWSETS
from oegen.models import User
from oegen.people import roles
from tests.support.builders import make_portfolio, make_user

pytestmark = pytest.mark.django_db

BUSINESS = {
    *("comments", "contacts", "counterparties", "counterparty-contacts", "facilities"),
    *("information-point-counterparties", "information-point-pipelines", "information-points"),
    *("information-point-technologies", "milestones", "pipeline-counterparties", "pipelines"),
    "pipeline-facilities",
}
REFERENCE = {
    *("contact-roles", "counterparty-roles", "gate-sets", "gates", "milestone-kinds", "stages"),
    "technologies",
}
#: Not on any page of a manager.
SET_UP = {"alert-rules", "schedules"}
MOVES = {"stage-transitions"}

#: Add, change, remove: an empty body is refused with 400 once the person may.
YES, NO, NEVER = (400, 428, 428), (403, 403, 403), (405, 428, 405)


def expected(route: str, role: str) -> tuple[int, tuple[int, int, int]]:
    """The statuses of reading the list, and of writing."""
    editor, administrator = roles.PORTFOLIO_MANAGERS, roles.ADMINISTRATORS
    if route in SET_UP:
        read = {roles.MANAGERS: 403, editor: 200, administrator: 200}[role]
        writes = YES if role == administrator else NO
        return read, writes if read == 200 else NO
    if route in REFERENCE:
        return 200, YES if role == administrator else NO
    if route in MOVES:
        return 200, NEVER if role != roles.MANAGERS else (405, 403, 405)
    return 200, YES if role != roles.MANAGERS else NO


def test_every_route_is_known():
    assert set(VIEWSETS) == BUSINESS | REFERENCE | SET_UP | MOVES


@pytest.mark.parametrize("role", roles.ROLES)
def test_each_role_gets_its_answer(role, api_of):
    records = make_portfolio(make_user(roles.PORTFOLIO_MANAGERS))
    api = api_of(make_user(role))
    for route, viewset in VIEWSETS.items():
        read, (add, change, remove) = expected(route, role)
        address = f"/api/v1/{route}/"
        assert api.get(address).status_code == read, route
        record = records.get(viewset.queryset.model) or viewset.queryset.first()
        one = f"{address}{record.pk}/"
        assert api.get(one).status_code == read, route
        assert api.post(address, {}, format="json").status_code == add, route
        assert api.patch(one, {}, format="json").status_code == change, route
        assert api.delete(one).status_code == remove, route


def test_nobody_without_a_token(client):
    for route in VIEWSETS:
        for address in (f"/api/v1/{route}/", f"/api/v1/{route}/{User(pk=1).pk}/"):
            assert client.get(address).status_code in (401, 403, 404)
