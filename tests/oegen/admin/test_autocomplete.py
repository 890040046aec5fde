"""Every foreign key of every form is picked from an autocomplete that answers."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db import models
from django.urls import reverse

from oegen.models import AuditedModel
from tests.support.builders import make_counterparty, make_user

pytestmark = pytest.mark.django_db


def foreign_keys():
    """(admin or inline, field) for each foreign key that a form lets people choose."""
    for model, model_admin in admin.site._registry.items():
        if not issubclass(model, AuditedModel):
            continue
        for options in [model_admin, *(i(model, admin.site) for i in model_admin.inlines)]:
            fields = [one for one in options.model._meta.concrete_fields if one.editable]
            names = {one.name for one in fields}
            if options.fieldsets:
                names &= set(flatten_fieldsets(options.fieldsets))
            names -= {getattr(options, "fk_name", None), *options.readonly_fields}
            for field in fields:
                if isinstance(field, models.ForeignKey) and field.name in names:
                    yield pytest.param(options, field, id=f"{type(options).__name__}-{field.name}")


@pytest.mark.parametrize(("options", "field"), list(foreign_keys()))
def test_a_foreign_key_is_an_autocomplete_that_a_portfolio_manager_may_use(
    desk, administrator, options, field
):
    assert field.name in options.autocomplete_fields
    opts = field.model._meta
    response = desk.client.get(
        reverse("admin:autocomplete"),
        {
            "app_label": opts.app_label,
            "model_name": opts.model_name,
            "field_name": field.name,
            "term": "",
        },
    )
    assert response.status_code == 200
    assert "results" in response.json()


def test_people_are_found_by_name_though_their_accounts_are_closed_to_portfolio_managers(desk):
    make_user(first_name="Wilhelmina", last_name="Quist")
    response = desk.client.get(
        reverse("admin:autocomplete"),
        {
            "app_label": "infopoints",
            "model_name": "informationpoint",
            "field_name": "owner",
            "term": "wilhel",
        },
    )
    assert [entry["text"] for entry in response.json()["results"]] == ["Wilhelmina Quist"]
    assert desk.client.get(reverse("admin:oegen_user_changelist")).status_code == 403


def test_counterparties_are_found_by_their_other_names(desk):
    make_counterparty("Acme Renewables", aliases="Formerly Bluefield")
    response = desk.client.get(
        reverse("admin:autocomplete"),
        {
            "app_label": "pipelines",
            "model_name": "pipelinecounterparty",
            "field_name": "counterparty",
            "term": "bluefield",
        },
    )
    assert [entry["text"] for entry in response.json()["results"]] == ["Acme Renewables"]
