"""Every way of writing in the admin leaves its history in one change set, or nothing.

What there is to try is read from the admin: its models, its forms' rows, its tables, its actions.
"""

import logging

import pytest
from django.contrib import admin
from django.db import models

from oegen import audit
from oegen.models import Acknowledgement, Comment, ExternalReference
from pipelines.models import Milestone, PipelineFacility, StageTransition
from pipelines.registers.models import Edition, Match
from tests.support.desk import Desk
from tests.support.tracked import (
    MODELS,
    a_new_one,
    a_record,
    a_removable_one,
    all_recorded,
    label,
    nothing_written,
    other_values,
    values_of,
)

# What the admin writes goes by the ways that test_paths tries of every model.
pytestmark = [
    pytest.mark.usefixtures("portfolio"),
    pytest.mark.django_db,
    pytest.mark.heavy,
]

#: An edition of a register and a decision about a match are undone, and made elsewhere.
READ_ONLY = {Edition, Match}

ADMINS = {model: kept for model, kept in admin.site._registry.items() if model in MODELS}


def admins(that=lambda kept: True):
    models_ = [model for model, kept in ADMINS.items() if that(kept)]
    return pytest.mark.parametrize("model", models_, ids=label)


@pytest.fixture
def desk(client, administrator):
    client.force_login(administrator)
    return Desk(client)


@pytest.fixture
def holds(part, sealing_fails, administrator, caplog):
    """Sending a form leaves nothing when it fails, and its history when it does not."""
    caplog.set_level(logging.CRITICAL, "django.request")

    def holds(name, send, source=audit.Source.FORM):
        with part(name):
            with nothing_written(), sealing_fails():
                send()
            with all_recorded(person=administrator, source=source, reason="Why"):
                assert send().status_code == 302

    return holds


@pytest.fixture(autouse=True)
def nothing_found_afterwards(findings):
    yield
    assert findings() == []


def typed(values: dict) -> dict:
    """Values as a browser sends them; what is empty is left out."""
    texts = {}
    for name, value in values.items():
        if isinstance(value, models.Model):
            value = value.pk
        if value not in (None, False, ""):
            texts[name] = "on" if value is True else str(value)
    return texts


def may_add(model, desk) -> bool:
    return desk.client.get(desk.url(model, "add")).status_code == 200


def may_change(model, desk) -> bool:
    page = desk.client.get(desk.url(a_record(model)))
    return page.context["has_change_permission"]


def may_remove(model, desk) -> bool:
    return desk.client.get(desk.url(a_record(model), "delete")).status_code == 200


def actions_of(model, desk) -> list[str]:
    form = desk.client.get(desk.url(model, "changelist")).context["action_form"]
    return [action for action, _ in form.fields["action"].choices[1:]] if form else []


@admins()
def test_a_record_added_changed_and_removed_by_its_form(model, desk, holds):
    reason = {"change_reason": "Why"}
    if may_add(model, desk):
        page = desk.client.get(desk.url(model, "add"))
        asked = page.context["adminform"].form.fields
        values = values_of(a_new_one(model))
        new = desk.fields_of(page) | reason
        new |= typed({name: value for name, value in values.items() if name in asked})
        holds("add", lambda: desk.send(model, new, "add"))
    removable = may_remove(model, desk)
    if not may_change(model, desk):
        assert model in READ_ONLY and not removable
        with nothing_written():
            changed = typed(other_values(model)) | reason
            assert desk.send(a_record(model), changed).status_code == 403
        return
    record = a_removable_one(model) if removable else a_record(model)
    changed = desk.open(record) | typed(other_values(model)) | reason
    holds("change", lambda: desk.send(record, changed))
    if not removable:
        with nothing_written():
            confirmed = {"post": "yes"} | reason
            assert desk.send(record, confirmed, "delete").status_code == 403
        return
    guard = desk.client.get(desk.url(record, "delete")).context["guard"]
    confirmed = {"post": "yes", "guard": guard} | reason
    holds("remove", lambda: desk.send(record, confirmed, "delete"))


@admins(lambda kept: kept.inlines)
def test_a_link_added_changed_and_removed_in_a_row_of_its_owners_form(model, desk, holds):
    for inline in ADMINS[model].inlines:
        link, name = inline.model, inline.model.__name__

        def opened(link=link, inline=inline):
            """The form of an owner with one such link, and the prefix of the link's rows."""
            owner = getattr(a_record(link), inline.fk_name)
            page = desk.client.get(desk.url(owner))
            formsets = [one.formset for one in page.context["inline_admin_formsets"]]
            prefix = next(one.prefix for one in formsets if one.model is link)
            return owner, desk.fields_of(page) | {"change_reason": "Why"}, prefix

        def row(prefix, number, values):
            return {f"{prefix}-{number}-{key}": text for key, text in typed(values).items()}

        owner, form, prefix = opened()
        number = int(form[f"{prefix}-INITIAL_FORMS"])
        new = values_of(a_new_one(link))
        new = {key: new[key] for key in new.keys() - {inline.fk_name, *link.BOOKKEEPING}}
        added = form | row(prefix, number, new) | {f"{prefix}-TOTAL_FORMS": str(number + 1)}
        holds(f"add {name}", lambda owner=owner, data=added: desk.send(owner, data))

        owner, form, prefix = opened()
        # The row of a facility corrects the facility: another one would be another row. So would be
        # a milestone of another kind.
        of_rows = {PipelineFacility: {"capacity_mw": 77}, Milestone: {"evidence_note": "Permit"}}
        other = of_rows.get(link) or other_values(link)
        changed = form | row(prefix, 0, other)
        holds(f"change {name}", lambda owner=owner, data=changed: desk.send(owner, data))

        owner, form, prefix = opened()
        removed = form | {f"{prefix}-0-DELETE": "on"}
        holds(f"remove {name}", lambda owner=owner, data=removed: desk.send(owner, data))


def another(field, value):
    """A value that a field of an editable table does not have."""
    if field.is_relation:
        return field.related_model.objects.exclude(pk=value).first()
    if field.flatchoices:
        return next(one for one, _ in field.flatchoices if one and one != value)
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.DateField):
        return "2031-05-04"
    if isinstance(field, models.IntegerField):
        return value - 1
    return "FR" if field.name == "country" else f"{value} and more"


@admins(lambda kept: kept.list_editable)
def test_every_column_of_an_editable_table(model, desk, holds):
    record = a_record(model)
    url = desk.url(model, "changelist")
    for name in ADMINS[model].list_editable:
        data = desk.fields_of(desk.client.get(url))
        row = next(key for key, value in data.items() if str(value) == str(record.pk))
        field = model._meta.get_field(name)
        value = another(field, getattr(a_record(model), field.attname))
        data[row.replace("-id", f"-{name}")] = typed({name: value}).get(name, "")
        data |= {"_save": "Save", "change_reason": "Why"}
        holds(name, lambda data=data: desk.client.post(url, data), audit.Source.TABLE)


@admins()
def test_every_bulk_action(model, desk, holds):
    url = desk.url(model, "changelist")
    for action in set(actions_of(model, desk)) - {"run_now"}:  # Asks for a job, and no more.
        chosen = a_removable_one(model) if action == "delete_selected" else a_record(model)
        data = {"action": action, "_selected_action": [str(chosen.pk)], "change_reason": "Why"}
        if action == "delete_selected":
            confirmation = desk.client.post(url, data)
            data |= {"post": "yes", "guard": confirmation.context.get("guard", "")}
        holds(action, lambda data=data: desk.client.post(url, data), audit.Source.TABLE)


def test_what_the_admin_leaves_out_is_left_out_on_purpose(desk):
    links = {model for model in MODELS if model.PARENT_FIELD}
    in_rows = {inline.model for kept in ADMINS.values() for inline in kept.inlines}
    # A move is written with the status of its pipeline. Its day alone is corrected by a form.
    moves = {StageTransition}
    assert links - in_rows == moves
    assert set(MODELS) - links | moves == set(ADMINS)
    # The command that finds something acknowledges it; imports add the references of sources.
    cannot_add = {Comment, Acknowledgement, ExternalReference, *moves, *READ_ONLY}
    assert {model for model in ADMINS if not may_add(model, desk)} == cannot_add
    assert {model for model in ADMINS if not may_remove(model, desk)} == moves | READ_ONLY
    assert {model for model in ADMINS if not actions_of(model, desk)} == moves | READ_ONLY
