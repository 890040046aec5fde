"""Search's table is kept up by every way of writing, for every kind of record."""

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from oegen import audit, search
from oegen.core.folding import fold
from oegen.models import Comment, SearchDocument
from oegen.search import documents as search_documents
from pipelines.models import Pipeline
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_facility,
    make_information_point,
    make_milestone,
    make_pipeline,
)

pytestmark = pytest.mark.django_db


def make_comment(text: str) -> Comment:
    return Comment.objects.create(subject=make_pipeline(), text=text)


MAKERS = {
    "pipeline": make_pipeline,
    "facility": make_facility,
    "counterparty": make_counterparty,
    "contact": make_contact,
    "informationpoint": make_information_point,
    "milestone": make_milestone,
    "comment": make_comment,
}
every_kind = pytest.mark.parametrize("kind", MAKERS)


def title_field(record) -> str:
    return record.SEARCH_FIELDS[0]


def documents(record):
    content_type = ContentType.objects.get_for_model(type(record))
    return SearchDocument.objects.filter(content_type=content_type, object_id=record.pk)


def title_of(record) -> str:
    return documents(record).get().title


def test_every_kind_that_search_knows_is_tested_here():
    assert {model._meta.model_name for model in search.kinds()} == set(MAKERS)


@every_kind
def test_a_new_record_is_known(kind):
    assert title_of(MAKERS[kind]("Ærø Strøm")) == "aero strom"


@every_kind
def test_a_save_is_known(kind):
    record = MAKERS[kind]("Old")
    setattr(record, title_field(record), "New")
    record.save()
    assert title_of(record) == "new"


@every_kind
def test_a_bulk_update_is_known(kind):
    record = MAKERS[kind]("Old")
    type(record).objects.filter(pk=record.pk).update(**{title_field(record): "New"})
    assert title_of(record) == "new"


@every_kind
def test_a_bulk_update_of_objects_is_known(kind):
    record = MAKERS[kind]("Old")
    setattr(record, title_field(record), "New")
    type(record).objects.bulk_update([record], [title_field(record)])
    assert title_of(record) == "new"


@every_kind
def test_a_bulk_create_is_known(kind):
    made = MAKERS[kind]("Model of it")
    values = {
        field.attname: getattr(made, field.attname)
        for field in made._meta.concrete_fields
        if not field.generated and field.name not in made.BOOKKEEPING
    }
    if kind == "milestone":
        values["pipeline_id"] = make_pipeline().pk
    copy = type(made)(**values | {title_field(made): "Copy"})
    type(made).objects.bulk_create([copy])
    assert title_of(copy) == "copy"


@every_kind
def test_a_removed_record_is_forgotten(kind):
    record = MAKERS[kind]("Gone")
    left = documents(record)
    record.delete()
    assert not left.exists()


@every_kind
def test_a_bulk_removal_is_forgotten(kind):
    record = MAKERS[kind]("Gone")
    left = documents(record)
    type(record).objects.filter(pk=record.pk).delete()
    assert not left.exists()


@every_kind
def test_every_field_that_search_reads_is_in_the_document(kind):
    record = MAKERS[kind]("Name")
    texts = {
        field.name: f"Word{number}"
        for number, field in enumerate(record._meta.concrete_fields)
        if field.name in record.SEARCH_FIELDS
    }
    if "lei" in texts:
        texts["lei"] = "213800WSGIIZCXF1P572"
    if "region" in texts or "strategy" in texts:
        record.country = "ES"
    for name, text in texts.items():
        setattr(record, name, text)
    if kind == "pipeline":
        record.on_hold = True
    record.save()
    body = documents(record).get().body
    for name in record.SEARCH_FIELDS:
        assert fold(getattr(record, name)) in body
    if kind in ("facility", "counterparty"):
        assert "spain" in body


def test_a_comment_goes_with_its_record():
    comment = make_comment("Gone")
    left = documents(comment)
    comment.subject.delete()
    assert not left.exists()


def test_what_was_not_saved_is_not_known():
    pipeline = make_pipeline("Saved")
    pipeline.project_name = "Only in memory"
    pipeline.rag_comment = "Saved too"
    pipeline.save(update_fields=["rag_comment"])
    assert documents(pipeline).get().body == "saved\nsaved too"


def test_a_write_that_is_taken_back_is_not_known():
    pipeline = make_pipeline("Kept")
    with pytest.raises(IntegrityError), audit.change_set():
        pipeline.project_name = "Taken back"
        pipeline.save()
        make_counterparty("Twice")
        with transaction.atomic():
            make_counterparty("twice")
    assert title_of(pipeline) == "kept"
    assert not SearchDocument.objects.filter(title="twice").exists()


def searching(queries) -> list[str]:
    return [query["sql"] for query in queries if "searchdocument" in query["sql"].lower()]


@pytest.mark.heavy
def test_a_batch_of_writes_costs_search_two_queries_at_most():
    pipelines = [make_pipeline() for _ in range(100)]
    with CaptureQueriesContext(connection) as created:
        Pipeline.objects.bulk_create(
            Pipeline(project_name="New", stage=pipelines[0].stage) for _ in range(100)
        )
    with CaptureQueriesContext(connection) as updated:
        Pipeline.objects.filter(pk__in=[one.pk for one in pipelines]).update(rag_comment="Late")
    with CaptureQueriesContext(connection) as saved:
        pipelines[0].refresh_from_db()
        pipelines[0].save()
    # Whether any are left, then the new ones; PostgreSQL gets these by COPY, which is no query.
    assert len(searching(created)) <= 2
    assert len(searching(updated)) == 1
    assert len(searching(saved)) == 1


def test_rebuilding_gives_what_the_writes_gave(capsys):
    for make in MAKERS.values():
        make("Ærø Strøm")
    columns = ("content_type", "object_id", "title", "body", "sort_key")
    kept = set(SearchDocument.objects.values_list(*columns))
    SearchDocument.objects.filter(title="aero strom").update(title="wrong", body="wrong")
    call_command("rebuild_search", verbosity=0)
    assert set(SearchDocument.objects.values_list(*columns)) == kept
    assert "Search knows 9 records." in capsys.readouterr().out


def test_migrating_takes_in_a_database_that_search_has_not_seen():
    record = make_counterparty("Larch Power")
    SearchDocument.objects.all().delete()
    search_documents.rebuild_if_new(sender=apps.get_app_config("oegen"), using="default")
    assert title_of(record) == "larch power"
