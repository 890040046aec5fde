"""Four people write at the same moment what the same facts are derived from."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from oegen import audit
from pipelines.facts.models import Fact
from pipelines.facts.services import wrong_facts
from pipelines.models import Pipeline, PipelineFacility, Stage
from tests.support.builders import make_facility, make_pipeline

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time"),
    pytest.mark.usefixtures("transactional_db"),
]

WRITERS = 4


def write_together(*writes) -> None:
    """Run the writes in threads; each has written its rows before any transaction ends."""
    barrier = Barrier(len(writes))

    def run(write):
        try:
            with audit.change_set(reason="Race"):
                write()
                barrier.wait(timeout=60)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(writes)) as pool:
        list(pool.map(run, writes))


def test_pipelines_that_get_the_same_facility_at_once_all_share_it():
    facility = make_facility(capacity_mw=40)
    pipelines = [make_pipeline(f"Pipeline {number}") for number in range(WRITERS)]
    write_together(
        *(
            lambda one=one: PipelineFacility.objects.create(pipeline=one, facility=facility)
            for one in pipelines
        )
    )
    assert list(wrong_facts()) == []
    now = Fact.objects.at(None).values_list("facility_id", "is_shared")
    assert list(now) == [(facility.pk, True)] * WRITERS


def test_a_facility_a_link_and_a_stage_are_written_at_once():
    one, other = make_pipeline("One", capacity_mw=40), make_pipeline("Other")
    facility = one.facilities.get()
    stage = Stage.objects.get(code="procurement")

    def resize():
        facility.capacity_mw = 50
        facility.save()

    def move():
        pipeline = Pipeline.objects.get(pk=one.pk)
        pipeline.stage = stage
        pipeline.save()

    write_together(
        resize, move, lambda: PipelineFacility.objects.create(pipeline=other, facility=facility)
    )
    assert list(wrong_facts()) == []
    now = Fact.objects.at(None)
    assert set(now.values_list("kw", "is_shared")) == {(50_000, True)}
    assert now.get(pipeline_id=one.pk).stage == stage
