import pytest

from oegen import audit, timeline
from oegen.exceptions import StaleRecordError
from pipelines.models import Pipeline, Stage
from tests.builders import make_pipeline

pytestmark = pytest.mark.django_db


def test_a_save_by_a_person_leaves_who_and_why(portfolio_manager):
    pipeline = make_pipeline(stage="design")
    with audit.change_set(person=portfolio_manager, reason="Planning consent granted"):
        pipeline.stage = Stage.objects.get(code="procurement")
        pipeline.save()
    entry = timeline.entries_since(pipeline, version=1)[0]
    assert entry.phrase == "moved from Design to Procurement"
    assert entry.person == "Priya Shah"
    assert entry.reason == "Planning consent granted"


def test_a_bulk_update_leaves_history_and_raises_the_version():
    pipelines = [make_pipeline(rag_status="green") for _ in range(3)]
    assert Pipeline.objects.filter(rag_status="green").update(rag_status="red") == 3
    for pipeline in pipelines:
        pipeline.refresh_from_db()
        assert pipeline.version == 2
        newest = pipeline.history.first()
        assert (newest.history_type, newest.rag_status, newest.version) == ("~", "red", 2)


def test_a_stale_save_is_refused_and_writes_nothing():
    mine = make_pipeline()
    theirs = Pipeline.objects.get(pk=mine.pk)
    theirs.rag_comment = "theirs"
    theirs.save()
    mine.rag_comment = "mine"
    with pytest.raises(StaleRecordError):
        mine.save()
    mine.refresh_from_db()
    assert mine.rag_comment == "theirs"
    assert mine.history.count() == 2
