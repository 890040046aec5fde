"""What is cached of a past day stays until something is written that may change it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from oegen import asof, audit
from oegen.audit.choices import Source
from oegen.core import clock
from pipelines.models import Pipeline
from tests.support.builders import make_pipeline

pytestmark = pytest.mark.django_db

DAY = timezone.localdate() - timedelta(days=40)


def _version() -> str:
    with asof.as_of(DAY):
        return asof.data_version()


def _write(source: Source, days_ago: float | None = None) -> None:
    moment = clock.end_of(DAY) - timedelta(days=days_ago) if days_ago else None
    with audit.change_set(source=source, recorded_at=moment):
        make_pipeline(f"{source} {days_ago}")


@pytest.mark.parametrize("source", [Source.FORM, Source.TABLE, Source.PAGE, Source.API])
def test_what_people_write_today_changes_no_version_of_a_past_day(source):
    make_pipeline("Known")
    before = _version()
    _write(source)
    assert _version() == before


@pytest.mark.parametrize("days_ago", [0.001, 0.5, 2, 300])
@pytest.mark.parametrize("source", [Source.FORM, Source.SAMPLE])
def test_what_is_dated_back_changes_it(source, days_ago):
    before = _version()
    _write(source, days_ago)
    assert _version() != before


@pytest.mark.parametrize("source", [Source.CODE, Source.COMMAND, Source.IMPORT, Source.MIGRATION])
def test_what_program_code_writes_changes_it(source):
    """It may date single rows back."""
    before = _version()
    _write(source)
    assert _version() != before


def test_whatever_is_written_today_changes_the_version_of_today():
    def version() -> str:
        with asof.as_of(timezone.localdate()):
            return asof.data_version()

    before = version()
    _write(Source.FORM)
    assert version() != before


def test_list_of_a_past_day_shows_at_once_what_is_entered_for_it(client, portfolio_manager):
    client.force_login(portfolio_manager)

    def names() -> list[str]:
        page = client.get(reverse("pipelines"), {"as_of": DAY, "status": "all"})
        return [row.record.project_name for row in page.context["table"].paginated_rows]

    with audit.change_set(recorded_at=clock.end_of(DAY) - timedelta(days=3)):
        known = make_pipeline("Known")
    assert names() == names() == ["Known"]
    with audit.change_set(recorded_at=clock.end_of(DAY) - timedelta(days=2)):
        known.project_name = "Renamed"
        known.save()
    assert names() == ["Renamed"]
    with audit.change_set(source=Source.FORM):
        Pipeline.objects.get().delete()
    assert names() == ["Renamed"]
