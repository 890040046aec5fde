"""Texts are cleaned and limited by whatever path they come in; old ones stay as they are."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.urls import reverse

from counterparties.models import Counterparty
from oegen import audit
from oegen.audit.revert import restoring
from oegen.core.fields import PROSE_LIMIT, REASON_LIMIT, LineField, ProseField, is_free_text
from oegen.core.text import clean_line, clean_prose, is_blank
from oegen.models import ChangeSet, Comment
from pipelines.models import Pipeline
from tests.support.builders import make_counterparty, make_facility, make_pipeline
from tests.support.desk import errors_of

MESSY = "Cafe\u0301\u00a0 Wind\u200b\r\nLtd\u202e\x07 "
CLEAN = "Café Wind Ltd"
#: With a joiner, with tags, and with a variation selector.
EMOJI = "👩🏽\u200d🚀 🏴\U000e0067\U000e0062\U000e007f ❤\ufe0f"
LONG = "x" * (PROSE_LIMIT + 1)
SHORTEN = "Shorten this to at most 10,000 characters: it has 10,001."


@pytest.mark.parametrize(
    ("text", "line"),
    {
        MESSY: CLEAN,
        "می\u200cخواهم": "می\u200cخواهم",
        EMOJI: EMOJI,
        "\u200dlone\u200d \u200c": "lone",
        "soft\u00adhyphen\ufeff": "softhyphen",
        "\u200b\u2060": "",
        "Cafe\u200b\u0301": "Café",
        "a\u2028b\u2029c\td": "a b c d",
    }.items(),
)
def test_a_line_is_cleaned(text, line):
    assert clean_line(text) == line
    assert clean_line(line) == line


def test_prose_keeps_its_lines_and_loses_controls():
    assert clean_prose("one\r\n\r\n  two\rcafe\x07\u0301\x1b three\t4 \r\n") == (
        "one\n\n  two\ncafé three\t4"
    )


@pytest.mark.parametrize("text", ["\u3164", "\u200b", "\ufe0f", "\u0301", " "])
def test_what_is_drawn_as_nothing_is_blank(text):
    assert is_blank(text)


@pytest.mark.parametrize("model", audit.tracked_models(), ids=lambda model: model.__name__)
def test_every_free_text_of_a_record_is_of_a_field_that_cleans_it(model):
    plain = [
        field.name
        for field in model._meta.concrete_fields
        if not model.IS_COPY
        and is_free_text(field)
        and type(field) in (models.CharField, models.TextField)
    ]
    assert plain == []


def by_saving(name):
    return make_counterparty(name)


def by_saving_a_field(name):
    made = make_counterparty()
    made.name = name
    made.save(update_fields=["name"])
    return made


def by_update(name):
    made = make_counterparty()
    Counterparty.objects.filter(pk=made.pk).update(name=name)
    return made


def by_bulk_create(name):
    return Counterparty.objects.bulk_create([Counterparty(name=name)])[0]


def by_bulk_update(name):
    made = make_counterparty()
    made.name = name
    Counterparty.objects.bulk_update([made], ["name"])
    return made


@pytest.mark.django_db
@pytest.mark.parametrize(
    "write", [by_saving, by_saving_a_field, by_update, by_bulk_create, by_bulk_update]
)
def test_every_way_of_writing_cleans_a_name_and_refuses_what_is_none(write):
    made = write(MESSY)
    assert Counterparty.objects.get(pk=made.pk).name == CLEAN
    assert made.history.latest().name == CLEAN
    for blank in ("\u200b", "\u3164"):
        with pytest.raises(IntegrityError, match="Name: Give it a name"), transaction.atomic():
            write(blank)


@pytest.mark.django_db
def test_a_name_that_the_database_puts_together_is_checked_too():
    made = make_counterparty("Larch")
    Counterparty.objects.update(name=Concat(F("name"), Value(" Power")))
    with pytest.raises(IntegrityError, match="Name: "), transaction.atomic():
        Counterparty.objects.update(name=Concat(F("name"), Value("\u200b")))
    assert Counterparty.objects.get(pk=made.pk).name == "Larch Power"


@pytest.fixture
def old(db):
    """A pipeline as an older version let it in, with its history."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pipeline, "clean_text_fields", lambda self, names=None: None)
        return make_pipeline("Larch\u00a0 Solar", rag_comment=LONG)


def test_an_old_text_stays_as_it_is_when_other_fields_are_saved(old, desk):
    sent = desk.open(old) | {"rtb_date": "2031-05-01", "change_reason": "Grid"}
    assert desk.send(old, sent).status_code == 302
    Pipeline.objects.filter(pk=old.pk).update(ownership_pct=50)
    now = Pipeline.objects.get()
    now.cod_date = "2032-01-01"
    now.full_clean()
    now.save()
    Pipeline.objects.bulk_update([now], ["project_name", "rag_comment"])
    now.refresh_from_db()
    assert (now.project_name, now.rag_comment) == ("Larch\u00a0 Solar", LONG)
    now.rag_comment = LONG + "y"
    with pytest.raises(ValidationError, match="it has 10,002"):
        now.full_clean()


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor == "postgresql", reason="It stores no null character.")
def test_a_null_character_stands_in_the_way_of_its_own_field_alone(desk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pipeline, "clean_text_fields", lambda self, names=None: None)
        old = make_pipeline("La\x00rch")
    old.rag_comment = "First"
    old.full_clean()
    old.save()
    url = desk.url(Pipeline, "changelist")
    sent = desk.fields_of(desk.client.get(url))
    sent |= {"form-0-rag_comment": "Second", "_save": "Save"}
    assert desk.client.post(url, sent).status_code == 302
    old = Pipeline.objects.get()
    assert (old.project_name, old.rag_comment) == ("La\x00rch", "Second")
    old.project_name = "La\x00rch Power"
    with pytest.raises(ValidationError, match="A null character can't be kept"):
        old.full_clean()
    old.project_name = "Larch"
    old.save()
    old.project_name = "La\x00rch"
    with pytest.raises(IntegrityError, match="A null character can't be kept"):
        old.save()


def test_an_old_text_comes_back_as_it_was(old):
    entry = old.history.latest()
    old.project_name, old.rag_comment = "Rowan", "short"
    old.save()
    with audit.change_set() as current:
        Pipeline.objects.get().delete()
    assert current.has_rows
    plan = restoring.plan_restore(model=Pipeline, key=old.pk, history_id=entry.history_id)
    assert plan.refusals == ()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("make", "field"),
    [
        (make_counterparty, "strategy"),
        (make_pipeline, "rag_comment"),
        (make_pipeline, "new_comment"),
    ],
)
def test_a_text_that_is_too_long_is_refused_at_its_field(make, field, desk):
    record = make()
    sent = desk.open(record) | {field: LONG, "change_reason": "x"}
    response = desk.send(record, sent)
    assert errors_of(response) == f"{field}: {SHORTEN}"
    # As a browser sends line breaks.
    sent |= {field: "\r\n".join("x" for _ in range(PROSE_LIMIT // 2))}
    assert desk.send(record, sent).status_code == 302


@pytest.mark.django_db
def test_below_the_forms_a_text_that_is_too_long_is_refused():
    pipeline = make_pipeline()
    for write in (
        lambda: Comment.objects.create(subject=pipeline, text=LONG),
        lambda: Pipeline.objects.update(rag_comment=LONG),
        lambda: make_facility("y" * 201),
    ):
        with pytest.raises(IntegrityError, match="Shorten this to"), transaction.atomic():
            write()
    with (
        pytest.raises(IntegrityError, match="Reason: Shorten this"),
        audit.change_set(reason="x" * (REASON_LIMIT + 1)),
    ):
        pass


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["change", "changelist", "delete"])
def test_a_reason_that_is_too_long_is_refused_wherever_it_is_asked_for(action, desk):
    counterparty = make_counterparty("Larch", strategy="Buy")
    reason = {"change_reason": "x" * (REASON_LIMIT + 1)}
    if action == "delete":
        url = reverse("admin:counterparties_counterparty_delete", args=[counterparty.pk])
        guard = desk.client.get(url).context["guard"]
        response = desk.client.post(url, {"post": "yes", "guard": guard, **reason}, follow=True)
        html = response.content.decode()
        assert "because the reason is too long" in html
    elif action == "change":
        sent = desk.open(counterparty) | {"strategy": "Sell", **reason}
        errors = errors_of(desk.send(counterparty, sent))
        assert errors == "change_reason: Shorten this to at most 2,000 characters: it has 2,001."
    else:
        sent = desk.open(Counterparty, "changelist") | {"form-0-strategy": "Sell", **reason}
        assert "because the reason is too long" in errors_of(
            desk.send(Counterparty, sent, "changelist")
        )
    assert Counterparty.objects.get().strategy == "Buy"


@pytest.mark.django_db
def test_lines_that_a_browser_sends_in_its_own_form_are_no_change(desk):
    record = make_counterparty("Larch", strategy="One\nTwo")
    count = ChangeSet.objects.count()
    sent = desk.open(record) | {"strategy": "One\r\nTwo"}
    assert desk.send(record, sent).status_code == 302
    assert ChangeSet.objects.count() == count


@pytest.mark.django_db
def test_every_text_of_several_lines_says_its_limit_at_its_field():
    for model in audit.tracked_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, ProseField):
                shown = field.formfield()
                assert f"At most {field.limit:,} characters." in shown.help_text
                assert shown.widget.attrs["data-limit"] == field.limit


def test_the_fields_migrate_as_django_s_own():
    for field in (LineField(max_length=5), ProseField(limit=7)):
        assert field.deconstruct()[1].startswith("django.db.models.")
        assert "limit" not in field.deconstruct()[3]
