"""What passes every check of a form and is refused by the database after all."""

import pytest
from django.db import IntegrityError

from counterparties.models import Counterparty
from pipelines.models import Pipeline
from tests.support.builders import make_counterparty, make_pipeline, make_user
from tests.support.desk import errors_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def unchecked(monkeypatch):
    """Forms that check no rule of a record, as if each had been kept when they looked."""
    for model in (Counterparty, Pipeline):
        monkeypatch.setattr(model, "clean", lambda self: None)
        monkeypatch.setattr(model, "validate_constraints", lambda self, exclude=None: None)
        monkeypatch.setattr(model, "validate_unique", lambda self, exclude=None: None)


def test_new_record_comes_back_with_the_rule_and_all_that_was_typed(desk, unchecked):
    make_counterparty("Larch Power")
    data = desk.open(Counterparty, "add") | {"name": "larch POWER", "strategy": "Grow slowly"}

    response = desk.send(Counterparty, data, "add")

    assert response.status_code == 200
    assert "The database refused this: There is already" in errors_of(response)
    assert "Nothing was saved." in errors_of(response)
    assert response.context["adminform"].form["strategy"].value() == "Grow slowly"
    assert Counterparty.objects.count() == Counterparty.history.count() == 1


def test_changed_record_comes_back_too(desk, unchecked):
    make_counterparty("Larch Power")
    other = make_counterparty("Elm Energy")

    response = desk.send(other, desk.open(other) | {"name": "LARCH power"})

    assert "The database refused this" in errors_of(response)
    assert response.context["adminform"].form["name"].value() == "LARCH power"
    assert Counterparty.objects.get(pk=other.pk).name == "Elm Energy"


def test_table_comes_back_with_its_rows(desk, unchecked):
    pipeline = make_pipeline("Kestrel Moor", stage="completed")
    data = desk.open(Pipeline, "changelist") | {"form-0-on_hold": "on", "change_reason": "Grid"}

    response = desk.send(Pipeline, data, "changelist")

    assert "The database refused this" in errors_of(response)
    assert response.context["cl"].formset.forms[0]["on_hold"].value() is True
    pipeline.refresh_from_db()
    assert not pipeline.on_hold


def test_refused_removal_leads_back_with_a_sentence(desk, monkeypatch):
    record = make_counterparty()

    def refuse(self, *args, **kwargs):
        raise IntegrityError("FOREIGN KEY constraint failed")

    address = desk.url(record, "delete")
    guard = desk.client.get(address).context["guard"]
    monkeypatch.setattr(Counterparty, "delete", refuse)
    response = desk.client.post(address, {"post": "yes", "guard": guard}, follow=True)

    assert response.status_code == 200
    messages = " ".join(str(message) for message in response.context["messages"])
    assert messages.startswith("It breaks a rule of the database. Nothing was saved.")
    assert "was removed" not in messages
    assert Counterparty.objects.filter(pk=record.pk).exists()


def test_what_fails_at_the_end_of_the_transaction_is_not_said_to_be_saved(desk, monkeypatch):
    record = make_counterparty("Larch Power")
    response_change = type(desk_admin()).response_change

    def respond_and_fail(self, request, obj):
        response_change(self, request, obj)
        raise IntegrityError("FOREIGN KEY constraint failed")

    monkeypatch.setattr(type(desk_admin()), "response_change", respond_and_fail)
    make_user(username="kit")
    typed = {"strategy": "Grow", "new_comment": "For @kit to see"}
    response = desk.send(record, desk.open(record) | typed)

    assert "It breaks a rule of the database." in errors_of(response)
    assert not list(response.context["messages"])
    assert record.history.count() == 1
    assert not record.comments.exists()


def desk_admin():
    from django.contrib import admin

    return admin.site.get_model_admin(Counterparty)
