"""Statements that are built once give what their querysets give, whatever the values."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Value
from django.test.utils import CaptureQueriesContext

from oegen import audit
from oegen.asof import as_of
from oegen.core import clock
from oegen.core.compiled import compiled, one_of
from pipelines.models import Facility, Pipeline, PipelineFacility
from tests.support.builders import make_facility, make_pipeline

pytestmark = pytest.mark.django_db


@compiled
def _links(*, key):
    links = PipelineFacility.objects.filter(pipeline=key).select_related("facility__technology")
    return links.annotate(text=Value("100 %s, %%")).order_by("facility__name")


@compiled
def _named(text, *, keys, since, day):
    found = Pipeline.objects.filter(pk__in=one_of(keys, Pipeline), project_name__contains=text)
    found = found.filter(created_at__gte=since, rtb_date__gte=day).order_by("project_name")
    return found.values_list("pk", "project_name", "rtb_date", "created_at", "on_hold")


@compiled
def _stored(*, key):
    return Pipeline.objects.filter(pk=key).annotate(day=Value(clock.today())).order_by()


def test_records_come_with_related_ones_and_annotations():
    pipelines = [make_pipeline(), make_pipeline()]
    for number, pipeline in enumerate(pipelines):
        for name in ("A", "B")[: 2 - number]:
            PipelineFacility.objects.create(
                pipeline=pipeline, facility=make_facility(f"{name} {number}", "bess")
            )
    for pipeline in (*pipelines, *pipelines):
        found = _links(key=pipeline.pk)
        expected = PipelineFacility.objects.filter(pipeline=pipeline).order_by("facility__name")
        assert found == list(expected)
        with CaptureQueriesContext(connection) as queries:
            names = [(link.facility.name, str(link.facility.technology)) for link in found]
        assert not queries.captured_queries
        assert names == [(one.facility.name, str(one.facility.technology)) for one in expected]
        assert {link.text for link in found} == {"100 %s, %%"}


def test_values_are_those_of_the_queryset():
    day = clock.today()
    for name in ("50 % Solar", "Wind", "Solar %s"):
        make_pipeline(name, rtb_date=day)
    late = make_pipeline("Solar, late", rtb_date=day - timedelta(days=9))
    all_keys = set(Pipeline.objects.values_list("pk", flat=True))
    for text in ("Solar", "%", "Solar %s", "'"):
        for keys in (all_keys, all_keys - {late.pk}, set()):
            for since in (datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)):
                for first in (day, day - timedelta(days=10)):
                    expected = Pipeline.objects.filter(
                        pk__in=keys,
                        project_name__contains=text,
                        created_at__gte=since,
                        rtb_date__gte=first,
                    )
                    columns = ("pk", "project_name", "rtb_date", "created_at", "on_hold")
                    expected = list(expected.order_by("project_name").values_list(*columns))
                    assert _named(text, keys=keys, since=since, day=first) == expected


def test_a_past_day_is_read_between_two_readings_of_the_present():
    """On PostgreSQL, plans of the present are kept, and temporary views stand for the tables."""
    pipeline = make_pipeline("As it was")
    yesterday = clock.today() - timedelta(days=1)
    with audit.change_set(reason="Told", source=audit.Source.IMPORT) as current:
        when = clock.end_of(yesterday) - timedelta(hours=1)
        row = audit.history_row(pipeline, audit.CREATED, change_set=current, when=when)
        row.version = 0
        row.save()
        current.note_written(type(row), [row.id])
    Pipeline.objects.filter(pk=pipeline.pk).update(project_name="As it is now")
    for _ in range(3):
        [now] = _stored(key=pipeline.pk)
        assert (now.project_name, now.day) == ("As it is now", clock.today())
        with as_of(yesterday):
            [then] = _stored(key=pipeline.pk)
            assert (then.project_name, then.day) == ("As it was", yesterday)


@compiled
def _named_as_a_facility():
    names = list(Facility.objects.order_by().values_list("name", flat=True))
    return Pipeline.objects.filter(project_name__in=names).order_by()


def test_what_is_read_to_build_a_statement_is_read_each_time():
    pipelines = [make_pipeline("North"), make_pipeline("South")]
    make_facility("North")
    assert _named_as_a_facility() == pipelines[:1]
    make_facility("South")
    assert set(_named_as_a_facility()) == set(pipelines)


def test_related_records_are_prefetched():
    pipeline = make_pipeline()
    PipelineFacility.objects.create(pipeline=pipeline, facility=make_facility("North"))
    for _ in range(2):
        [found] = _with_facilities(key=pipeline.pk)
        with CaptureQueriesContext(connection) as queries:
            assert [facility.name for facility in found.facilities.all()] == ["North"]
        assert not queries.captured_queries


@compiled
def _with_facilities(*, key):
    return Pipeline.objects.filter(pk=key).prefetch_related("facilities").order_by()
