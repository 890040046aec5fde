"""The tables of the past hold, row for row, the last history rows up to the day: looked up here
over the whole history, where the program starts from the live rows."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from oegen import audit, search
from oegen.asof import as_of, table, whole_history
from oegen.audit.narrative import news
from oegen.core import clock
from oegen.models import SearchDocument
from pipelines.models import Pipeline, PipelineCounterparty, Stage
from tests.support.builders import make_counterparty, make_pipeline
from tests.support.past_guard import UnquotedTableError
from tests.support.player import FIRST_DAY, Clock, Player

pytestmark = pytest.mark.django_db

DAYS = 24


def import_past_of(moment: datetime, live: Pipeline) -> None:
    """The past of a live pipeline, and of one that was gone when the import came."""
    gone = Pipeline(project_name="Gone before", stage=live.stage, version=0)
    with audit.change_set(source=audit.Source.IMPORT) as current:
        live.version = 0
        reported = [
            audit.history_row(live, audit.CREATED, change_set=current, when=moment),
            audit.history_row(gone, audit.CREATED, change_set=current, when=moment),
            audit.history_row(gone, audit.REMOVED, change_set=current),
        ]
        current.note_written(type(reported[0]), [gone.pk])
        type(reported[0]).objects.bulk_create(reported)


@pytest.fixture
def days(monkeypatch, portfolio_manager):
    """Some days of a played history, the first before all of it and the last after it."""
    clock, player = Clock(monkeypatch), Player(3, portfolio_manager)
    for number in range(DAYS):
        clock.begin(FIRST_DAY + timedelta(days=number))
        for _ in range(4):
            player.write()
            clock.tick()
        if number == DAYS // 2:
            import_past_of(datetime(2026, 2, 22, tzinfo=UTC), make_pipeline("Told of"))
    clock.begin(FIRST_DAY + timedelta(days=DAYS + 10))
    return [FIRST_DAY + timedelta(days=number) for number in (-1, 1, 3, 9, 15, DAYS - 2, DAYS)]


def last_rows(model, day) -> str:
    """Selects the last history row of every record up to the end of the day."""
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    history = audit.history_model(model)._meta.db_table
    until = connection.ops.adapt_datetimefield_value(clock.end_of(day))
    known, newest = f"history_date < '{until}'", "history_date"
    if model.is_vocabulary():
        set_up = "SELECT id FROM oegen_changeset WHERE source = 'migration'"
        known, newest = f"{known} OR change_set_id IN ({set_up})", "version"
    return f"""
        SELECT {columns} FROM (
            SELECT *, ROW_NUMBER() OVER (
                PARTITION BY id ORDER BY {newest} DESC, history_id DESC
            ) AS place
            FROM {history} WHERE {known}
        ) AS newest WHERE place = 1 AND history_type <> '-'
    """  # noqa: S608


def values(records) -> list[tuple]:
    """Of all columns, whatever the order of the rows."""
    names = [field.attname for field in records.model._meta.concrete_fields]
    return sorted((tuple(getattr(one, name) for name in names) for one in records), key=repr)


def test_each_table_holds_the_last_rows_up_to_the_day(days):
    kept = set()
    for day in days:
        for model in audit.tracked_models():
            expected = values(models.QuerySet(model).raw(last_rows(model, day)))
            with as_of(day):
                assert values(models.QuerySet(model).order_by()) == expected, (model, day)
            kept.add((model, repr(expected)))
    assert len(kept) > 4 * len(days)


def test_search_knows_what_the_records_of_the_day_say(days):
    for day in days:
        with as_of(day):
            rows = SearchDocument.objects.values_list(
                "content_type", "object_id", "title", "body", "sort_key", "pk"
            )
            found = {row[:5] for row in rows}
            assert len({row[5] for row in rows}) == len(found)
            assert found == {
                (ContentType.objects.get_for_model(model).pk, one.pk, *search.texts_of(one))
                for model in search.kinds()
                for one in models.QuerySet(model)
            }, day


def test_news_of_the_day_is_the_same_from_the_whole_history(days):
    known = []
    for day in days:
        with as_of(day):
            expected = news.latest(limit=20)
        with as_of(day), CaptureQueriesContext(connection) as captured:
            with whole_history():
                assert news.latest(limit=20) == expected, day
            view = f"CREATE TEMPORARY VIEW {table(Pipeline.history.model)}"
            assert not any(query["sql"].startswith(view) for query in captured), day
            assert len(Pipeline.history.all()) == len(last_known(Pipeline, day))
        known.append(expected)
    assert len({repr(one) for one in known}) >= len(days) - 1


def last_known(model, day) -> list:
    return list(model.history.filter(history_date__lt=clock.end_of(day)))


def test_a_table_without_quotes_fails_in_tests():
    """It would be the present's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pipelines_pipeline")
        with as_of(FIRST_DAY), pytest.raises(UnquotedTableError, match="pipelines_pipeline"):
            cursor.execute("SELECT COUNT(*) FROM pipelines_pipeline")
        with as_of(FIRST_DAY):
            cursor.execute(f"SELECT COUNT(*) FROM {table(Pipeline)}")  # noqa: S608


def test_no_table_is_made_where_nothing_was_written_since(monkeypatch):
    clock = Clock(monkeypatch)
    pipeline = make_pipeline("Kestrel", lead_developer=make_counterparty("Acme"))
    clock.begin(FIRST_DAY + timedelta(days=2))
    Pipeline.objects.filter(pk=pipeline.pk).update(project_name="Rowan")

    with CaptureQueriesContext(connection) as captured, as_of(FIRST_DAY):
        assert PipelineCounterparty.objects.get().pipeline.project_name == "Kestrel"
        assert Stage.objects.count() > 5

    made = [query["sql"].split('"')[1] for query in captured if "CREATE TEMP" in query["sql"]]
    # PostgreSQL makes the view of it and two tables.
    assert {name.split()[0] for name in made} == {"pipelines_pipeline"}
