"""Moving a card is one change, guarded, explained, and can be taken back for a while."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from oegen import audit
from oegen.audit.questions import Question
from oegen.models import ChangeSet
from oegen.people import roles
from pipelines import services
from pipelines.models import Pipeline
from tests.support.builders import make_pipeline, make_user

TODAY = timezone.localdate().isoformat()
YESTERDAY = timezone.localdate() - timedelta(days=1)


@pytest.fixture
def as_portfolio_manager(client, portfolio_manager):
    client.force_login(portfolio_manager)
    return client


@pytest.fixture
def pipeline(db):
    with audit.change_set(recorded_at=timezone.now() - timedelta(days=90)):
        pipeline = make_pipeline("Kestrel Moor", stage="design", rtb_date=date(2020, 5, 4))
    return Pipeline.objects.get(pk=pipeline.pk)


def move(client, pipeline, to="procurement", **typed):
    typed = {
        "version": pipeline.version,
        "to": to,
        "effective_on": YESTERDAY.isoformat(),
        "reason": "Tender is out",
        **typed,
    }
    return client.post(reverse("pipeline-move", args=[pipeline.pk]), typed)


def status_of(pipeline) -> str:
    return Pipeline.objects.select_related("stage").get(pk=pipeline.pk).status_label


def test_move_is_one_change_set_and_one_transition(
    as_portfolio_manager, portfolio_manager, pipeline
):
    sets, transitions = ChangeSet.objects.count(), pipeline.transitions.count()

    answer = move(as_portfolio_manager, pipeline)

    assert answer.status_code == 201
    assert answer.json()["message"] == "Kestrel Moor moved from Design to Procurement."
    assert ChangeSet.objects.count() == sets + 1
    assert pipeline.transitions.count() == transitions + 1
    change_set = ChangeSet.objects.latest("recorded_at")
    assert (change_set.source, change_set.reason) == ("board", "Tender is out")
    assert change_set.person == portfolio_manager
    transition = pipeline.transitions.latest("recorded_at")
    assert (transition.stage.code, transition.effective_on) == ("procurement", YESTERDAY)
    assert transition.recorded_by == portfolio_manager


@pytest.mark.parametrize("name", ["reason", "effective_on", "to"])
def test_move_without_what_it_asks_for_is_refused_at_the_field(
    as_portfolio_manager, pipeline, name
):
    answer = move(as_portfolio_manager, pipeline, **{name: ""})

    assert answer.status_code == 422
    assert list(answer.context["move_form"].errors) == [name]
    assert f'id="move_{name}_error"' in answer.content.decode()
    assert status_of(pipeline) == "Design"


def test_what_was_typed_stays_in_a_refused_form(as_portfolio_manager, pipeline):
    answer = move(as_portfolio_manager, pipeline, to="", reason="<script>alert(1)</script>")

    text = answer.content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>" not in text


def test_move_does_not_take_effect_in_the_future(as_portfolio_manager, pipeline):
    tomorrow = timezone.localdate() + timedelta(days=1)

    answer = move(as_portfolio_manager, pipeline, effective_on=tomorrow.isoformat())

    assert answer.status_code == 422
    assert list(answer.context["move_form"].errors) == ["effective_on"]
    assert status_of(pipeline) == "Design"


def test_hold_keeps_the_stage_and_asks_what_it_waits_for(as_portfolio_manager, pipeline):
    refused = move(as_portfolio_manager, pipeline, to="on-hold", on_hold_reason=" ")
    assert list(refused.context["move_form"].errors) == ["on_hold_reason"]

    answer = move(as_portfolio_manager, pipeline, to="on-hold", on_hold_reason="Grid offer")

    assert answer.status_code == 201
    pipeline.refresh_from_db()
    assert (pipeline.on_hold, pipeline.on_hold_reason) == (True, "Grid offer")
    assert pipeline.stage.code == "design"


def test_moving_a_held_card_into_a_stage_ends_the_hold(as_portfolio_manager, db):
    held = make_pipeline("Held", on_hold=True, on_hold_reason="Grid offer")

    answer = move(as_portfolio_manager, held, to="construction", effective_on=TODAY)
    assert answer.status_code == 201

    held.refresh_from_db()
    assert (held.stage.code, held.on_hold, held.on_hold_reason) == ("construction", False, "")


def test_completed_project_was_ready_to_build_in_the_past(as_portfolio_manager, pipeline):
    ahead = (timezone.localdate() + timedelta(days=30)).isoformat()

    refused = move(as_portfolio_manager, pipeline, to="completed", rtb_date=ahead)
    assert list(refused.context["move_form"].errors) == ["rtb_date"]
    assert status_of(pipeline) == "Design"

    answer = move(as_portfolio_manager, pipeline, to="completed", rtb_date="2021-02-03")
    assert answer.status_code == 201
    pipeline.refresh_from_db()
    assert (pipeline.stage.code, pipeline.rtb_date) == ("completed", date(2021, 2, 3))


def test_rtb_date_is_left_alone_by_a_move_that_does_not_ask_for_it(as_portfolio_manager, pipeline):
    move(as_portfolio_manager, pipeline, rtb_date="2031-01-01")

    pipeline.refresh_from_db()
    assert pipeline.rtb_date == date(2020, 5, 4)


def test_rule_about_a_field_that_is_not_asked_for_is_reported_as_well(as_portfolio_manager, db):
    pipeline = make_pipeline(rtb_date=date(2020, 1, 1), cod_date=date(2021, 1, 1))

    answer = move(
        as_portfolio_manager, pipeline, to="completed", rtb_date="2022-01-01", effective_on=TODAY
    )

    assert answer.status_code == 422
    assert "Commercial operation can&#x27;t come before ready to build" in answer.content.decode()


def test_move_to_where_it_is_says_so(as_portfolio_manager, pipeline):
    answer = move(as_portfolio_manager, pipeline, to="design")

    assert answer.status_code == 422
    assert "It is at Design already" in answer.content.decode()


def test_pipeline_that_has_ended_is_not_moved(as_portfolio_manager, db):
    ended = make_pipeline(outcome="withdrawn")

    answer = move(as_portfolio_manager, ended)

    assert answer.status_code == 422
    assert "It was withdrawn" in answer.content.decode()


def test_stale_card_shows_who_changed_what_and_saves_nothing(
    as_portfolio_manager, manager, pipeline
):
    seen = Pipeline.objects.get(pk=pipeline.pk)
    with audit.change_set(person=manager, reason="New grid date"):
        pipeline.rtb_date = date(2020, 6, 4)
        pipeline.save()
    sets = ChangeSet.objects.count()

    answer = move(as_portfolio_manager, seen)

    assert answer.status_code == 409
    text = answer.content.decode()
    assert "RTB date from 4 May 2020 to 4 Jun 2020, 31 days later" in text
    assert "Morgan Reid" in text
    assert "New grid date" in text
    assert "Tender is out" in text, "what was typed stays"
    assert (ChangeSet.objects.count(), status_of(pipeline)) == (sets, "Design")


def test_form_of_a_conflict_moves_the_pipeline_as_it_is_now(as_portfolio_manager, pipeline):
    seen = Pipeline.objects.get(pk=pipeline.pk)
    pipeline.rag_comment = "Changed meanwhile"
    pipeline.save()

    conflict = move(as_portfolio_manager, seen)
    version = conflict.context["move_form"]["version"].value()
    again = move(as_portfolio_manager, seen, version=version)

    assert again.status_code == 201
    pipeline.refresh_from_db()
    assert pipeline.rag_comment == "Changed meanwhile"


def test_unknown_pipeline_is_a_404(as_portfolio_manager, pipeline):
    address = reverse("pipeline-move", args=["00000000-0000-4000-8000-000000000000"])
    assert as_portfolio_manager.post(address, {}).status_code == 404


def test_manager_can_neither_move_nor_undo(client, manager, portfolio_manager, pipeline):
    client.force_login(portfolio_manager)
    undo = move(client, pipeline).json()["undo"]
    client.force_login(manager)

    assert move(client, pipeline).status_code == 403
    assert client.post(undo).status_code == 403
    assert status_of(pipeline) == "Procurement"


def test_undo_is_a_new_change_that_restores_the_status(as_portfolio_manager, pipeline):
    began = pipeline.transitions.get().effective_on
    undo = move(as_portfolio_manager, pipeline, to="completed", rtb_date="2021-02-03").json()[
        "undo"
    ]
    sets = ChangeSet.objects.count()

    answer = as_portfolio_manager.post(undo)

    assert answer.json()["message"] == "Undone: Kestrel Moor is at Design again."
    pipeline.refresh_from_db()
    assert (pipeline.stage.code, pipeline.rtb_date) == ("design", date(2020, 5, 4))
    assert ChangeSet.objects.count() == sets + 1
    change_set = ChangeSet.objects.latest("recorded_at")
    assert (change_set.reason, change_set.source) == ("Undo: Tender is out", "board")
    assert pipeline.transitions.count() == 3
    assert pipeline.transitions.latest("recorded_at").effective_on == began


def test_undo_of_a_hold_restores_its_absence(as_portfolio_manager, pipeline):
    undo = move(as_portfolio_manager, pipeline, to="on-hold", on_hold_reason="Grid").json()["undo"]

    as_portfolio_manager.post(undo)

    pipeline.refresh_from_db()
    assert (pipeline.on_hold, pipeline.on_hold_reason) == (False, "")


def refused(answer) -> str:
    assert answer.status_code == 409
    return answer.json()["message"]


def test_undo_twice_is_refused(as_portfolio_manager, pipeline):
    undo = move(as_portfolio_manager, pipeline).json()["undo"]
    as_portfolio_manager.post(undo)

    assert "has been changed since" in refused(as_portfolio_manager.post(undo))
    assert status_of(pipeline) == "Design"


def test_undo_is_refused_after_another_change(as_portfolio_manager, pipeline):
    undo = move(as_portfolio_manager, pipeline).json()["undo"]
    Pipeline.objects.filter(pk=pipeline.pk).update(rag_comment="Looked at")

    assert "has been changed since" in refused(as_portfolio_manager.post(undo))
    assert status_of(pipeline) == "Procurement"


def test_undo_is_for_the_person_who_moved(as_portfolio_manager, client, pipeline):
    undo = move(as_portfolio_manager, pipeline).json()["undo"]
    client.force_login(make_user(roles.PORTFOLIO_MANAGERS, "other"))

    assert "Priya Shah made this move" in refused(client.post(undo))
    assert status_of(pipeline) == "Procurement"


def test_undo_is_refused_after_ten_minutes(as_portfolio_manager, pipeline, monkeypatch):
    undo = move(as_portfolio_manager, pipeline).json()["undo"]
    monkeypatch.setattr(services.undoing, "UNDO_WITHIN", timedelta(0))

    assert "minutes old" in refused(as_portfolio_manager.post(undo))
    assert status_of(pipeline) == "Procurement"


def test_change_that_was_no_move_is_not_undone(as_portfolio_manager, portfolio_manager, pipeline):
    with audit.change_set(person=portfolio_manager, source=audit.Source.FORM) as change_set:
        pipeline.rag_comment = "Typed in the form"
        pipeline.save()

    address = reverse("pipeline-undo", args=[pipeline.pk, change_set.pk])
    assert "no such change" in refused(as_portfolio_manager.post(address))


def offered(client) -> str:
    """What the board says on top, with the address of the undo, when it is loaded again."""
    text = client.get(reverse("board")).content.decode()
    return text.split("data-board-notice>")[1].split("</div>")[0]


def test_undo_is_still_offered_when_the_board_is_loaded_again(as_portfolio_manager, pipeline):
    undo = move(as_portfolio_manager, pipeline, to="on-hold", on_hold_reason="Grid").json()["undo"]

    notice = offered(as_portfolio_manager)

    assert "Kestrel Moor moved from Design to On hold." in notice
    assert f'data-undo="{undo}"' in notice
    assert as_portfolio_manager.post(undo).status_code == 200
    assert offered(as_portfolio_manager) == "", "what is undone is not offered again"


def test_newest_move_is_the_one_offered(as_portfolio_manager, pipeline):
    move(as_portfolio_manager, pipeline)
    move(as_portfolio_manager, make_pipeline("Rowan Down"), to="construction", effective_on=TODAY)

    assert "Rowan Down moved from Design to Construction." in offered(as_portfolio_manager)


def test_move_is_not_offered_to_others_nor_when_it_can_not_be_undone(
    as_portfolio_manager, pipeline, monkeypatch
):
    move(as_portfolio_manager, pipeline)
    colleague = make_user(roles.PORTFOLIO_MANAGERS)
    monkeypatch.setattr(services.undoing, "UNDO_WITHIN", timedelta(0))
    assert offered(as_portfolio_manager) == ""
    monkeypatch.undo()
    assert "data-undo" in offered(as_portfolio_manager)

    Pipeline.objects.filter(pk=pipeline.pk).update(rag_comment="Looked at")
    assert offered(as_portfolio_manager) == ""

    as_portfolio_manager.force_login(colleague)
    assert offered(as_portfolio_manager) == ""


def test_move_says_for_how_long_it_can_be_undone(as_portfolio_manager, pipeline):
    assert 590 <= move(as_portfolio_manager, pipeline).json()["seconds"] <= 600


def test_a_question_is_asked_at_its_field_and_answered_with_a_tick(
    as_portfolio_manager, pipeline, monkeypatch
):
    question = Question("test", ("on_hold_reason",), "Is “the bank” all it waits for?")
    monkeypatch.setattr(Pipeline, "questions", lambda self: [question])
    answer = move(as_portfolio_manager, pipeline, "on-hold", on_hold_reason="the bank")
    assert answer.status_code == 422
    html = answer.content.decode()
    assert question.text in html
    assert f'type="checkbox" name="save_anyway" value="{question.key}"' in html
    assert status_of(pipeline) == "Design"
    typed = {"on_hold_reason": "the bank", "save_anyway": question.key}
    assert move(as_portfolio_manager, pipeline, "on-hold", **typed).status_code == 201
    assert ChangeSet.objects.latest("number").answers[0]["text"] == question.text
