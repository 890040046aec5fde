"""The day a move took effect: after the move before it, shown where the move is, correctable."""

import csv
from datetime import date, timedelta
from io import StringIO

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from oegen import audit
from pipelines.models import Pipeline, Stage, StageTransition
from tests.support.builders import make_pipeline
from tests.support.desk import errors_of

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()
BEGAN, MOVED = TODAY - timedelta(days=200), TODAY - timedelta(days=100)
TOO_EARLY = MOVED - timedelta(days=1)
IN_TIME = MOVED + timedelta(days=40)


@pytest.fixture
def pipeline():
    """In Construction since MOVED."""
    design = Stage.objects.get(code="design")
    pipeline = Pipeline(project_name="Kestrel", stage=design)
    pipeline.status_effective_on = BEGAN
    pipeline.save()
    pipeline.stage = Stage.objects.get(code="construction")
    pipeline.status_effective_on = MOVED
    pipeline.save()
    return Pipeline.objects.get(pk=pipeline.pk)


def move_on_the_board(client, pipeline, day):
    data = {"version": pipeline.version, "to": "commissioning", "reason": "x", "effective_on": day}
    return client.post(reverse("pipeline-move", args=[pipeline.pk]), data)


def move_in_the_form(desk, pipeline, day, code="commissioning"):
    stage = str(Stage.objects.get(code=code).pk)
    data = {"stage": stage, "status_effective_on": day, "change_reason": "Grid is live"}
    return desk.send(pipeline, desk.open(pipeline) | data)


def test_a_move_before_the_one_before_is_refused_by_name(desk, pipeline):
    sentence = (
        f"It moved into Construction on {date_format(MOVED)}; the move into Commissioning can't "
        "be before that."
    )
    answer = move_on_the_board(desk.client, pipeline, TOO_EARLY)
    assert answer.context["move_form"].errors["effective_on"] == [sentence]
    assert sentence in errors_of(move_in_the_form(desk, pipeline, TOO_EARLY))
    assert move_in_the_form(desk, pipeline, MOVED).status_code == 302


def test_a_day_without_a_change_of_status_is_not_dropped_silently(desk, pipeline):
    answer = move_in_the_form(desk, pipeline, IN_TIME, code="construction")
    assert "The status stays as it is, so there is no change to date" in errors_of(answer)


def test_the_effective_day_is_shown_wherever_the_move_is(desk, pipeline):
    move_in_the_form(desk, pipeline, IN_TIME)
    words = f"moved from Construction to Commissioning, effective {date_format(IN_TIME)}"
    for address in (
        pipeline.get_absolute_url(),
        reverse("history", args=["pipeline", pipeline.pk]),
        reverse("latest-changes"),
    ):
        assert words in desk.client.get(address).content.decode(), address


def test_changes_and_their_file_tell_the_effective_day(desk):
    with audit.change_set(recorded_at=timezone.now() - timedelta(days=60)):
        pipeline = make_pipeline()
    day = TODAY - timedelta(days=20)
    move_on_the_board(desk.client, pipeline, day)
    address = reverse("changes")
    text = desk.client.get(address).content.decode()
    assert f"moved from Design to Commissioning, effective {date_format(day)}" in text
    file = b"".join(desk.client.get(f"{address}?download=csv").streaming_content).decode(
        "utf-8-sig"
    )
    [row] = csv.DictReader(StringIO(file))
    assert row["Effective on"] == day.isoformat()


def test_a_move_of_today_says_no_day(desk, pipeline):
    move_in_the_form(desk, pipeline, "")
    assert (
        "Commissioning, effective"
        not in desk.client.get(pipeline.get_absolute_url()).content.decode()
    )


class TestCorrection:
    def correct(self, desk, move, day, reason="The letter says so"):
        data = desk.open(move) | {"effective_on": day, "change_reason": reason}
        return desk.send(move, data)

    @pytest.fixture
    def move(self, pipeline) -> StageTransition:
        return pipeline.transitions.get(stage__code="construction")

    def test_the_day_is_corrected_with_a_reason_and_kept_in_the_history(self, desk, pipeline, move):
        page = desk.client.get(pipeline.get_absolute_url()).content.decode()
        assert reverse("admin:pipelines_stagetransition_change", args=[move.pk]) in page
        assert "Say why" in errors_of(self.correct(desk, move, IN_TIME, reason=""))
        assert self.correct(desk, move, IN_TIME).status_code == 302
        move.refresh_from_db()
        assert move.effective_on == IN_TIME
        newest = move.history.first()
        assert newest.history_change_reason == "The letter says so"
        text = desk.client.get(pipeline.get_absolute_url()).content.decode()
        assert f"from {date_format(MOVED)} to {date_format(IN_TIME)}" in text

    def test_it_stays_between_the_moves_around_it(self, desk, pipeline, move):
        first = pipeline.transitions.get(stage__code="design")
        assert "can't be before that" in errors_of(
            self.correct(desk, move, BEGAN - timedelta(days=1))
        )
        answer = errors_of(self.correct(desk, first, IN_TIME))
        assert f"It moved into Construction on {date_format(MOVED)}" in answer
        assert "the move into Design can't be after that" in answer

    def test_managers_may_not(self, client, manager, move):
        client.force_login(manager)
        address = reverse("admin:pipelines_stagetransition_change", args=[move.pk])
        assert client.post(address, {"effective_on": date(2020, 1, 1)}).status_code == 403
        assert address not in client.get(move.pipeline.get_absolute_url()).content.decode()
