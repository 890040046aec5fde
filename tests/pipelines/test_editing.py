"""A fact changed where it is shown: one change with its why, guarded, taken back for a while."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from oegen.models import ChangeSet
from oegen.people import roles
from pipelines.models import Pipeline
from tests.support.builders import make_pipeline, make_user


@pytest.fixture
def as_portfolio_manager(client, portfolio_manager):
    client.force_login(portfolio_manager)
    return client


@pytest.fixture
def pipeline(db):
    pipeline = make_pipeline(
        "Kestrel Moor",
        rag_status="green",
        rag_comment="On track",
        rtb_date=date(2031, 5, 4),
        cod_date=date(2032, 1, 1),
    )
    return Pipeline.objects.get(pk=pipeline.pk)


def address_of(pipeline, what: str) -> str:
    return reverse("pipeline-edit", args=[pipeline.pk, what])


def edit(client, pipeline, what: str, **typed):
    return client.post(address_of(pipeline, what), {"version": pipeline.version, **typed})


def stored(pipeline) -> Pipeline:
    return Pipeline.objects.get(pk=pipeline.pk)


def test_form_has_the_values_and_the_version_of_this_moment(as_portfolio_manager, pipeline):
    pipeline.rag_comment = "Since the page was loaded"
    pipeline.save()

    form = as_portfolio_manager.get(address_of(pipeline, "rag")).context["form"]

    assert form["rag_status"].value() == "green"
    assert form["rag_comment"].value() == "Since the page was loaded"
    assert form["version"].value() == pipeline.version


def test_rating_is_one_change_whose_reason_is_the_comment(
    as_portfolio_manager, portfolio_manager, pipeline
):
    answer = edit(
        as_portfolio_manager, pipeline, "rag", rag_status="red", rag_comment="Grid offer withdrawn"
    )

    assert answer.status_code == 200
    assert answer.json()["message"] == "Kestrel Moor is red."
    found, change_set = stored(pipeline), ChangeSet.objects.latest("number")
    assert (found.rag_status, found.rag_comment) == ("red", "Grid offer withdrawn")
    assert found.rag_confirmed_at > pipeline.rag_confirmed_at
    assert (change_set.source, change_set.reason) == ("page", "Grid offer withdrawn")
    assert change_set.person == portfolio_manager

    undone = as_portfolio_manager.post(answer.json()["undo"])

    assert undone.json()["message"] == "Undone: Kestrel Moor is as it was before."
    found = stored(pipeline)
    assert (found.rag_status, found.rag_comment) == ("green", "On track")
    assert found.rag_confirmed_at == pipeline.rag_confirmed_at
    again = as_portfolio_manager.post(answer.json()["undo"])
    assert again.status_code == 409
    assert "has been changed since, so the change stays" in again.json()["message"]


def test_edit_is_undone_by_its_author_within_ten_minutes(
    as_portfolio_manager, portfolio_manager, client, pipeline, monkeypatch
):
    undo = edit(as_portfolio_manager, pipeline, "next-step", next_step="Sign").json()["undo"]
    client.force_login(make_user(roles.PORTFOLIO_MANAGERS, "other"))
    assert "made this change. Only they can undo it" in client.post(undo).json()["message"]
    later = timezone.now() + timedelta(minutes=11)
    client.force_login(portfolio_manager)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert "more than 10 minutes old" in client.post(undo).json()["message"]
    assert stored(pipeline).next_step == "Sign"


@pytest.mark.parametrize(
    ("what", "typed", "name", "sentence"),
    [
        ("rag", {"rag_status": "red", "rag_comment": ""}, "rag_comment", "Say why"),
        ("rag", {"rag_status": "blue", "rag_comment": "x"}, "rag_status", "blue"),
        ("rtb", {"rtb_date": "2031-06-01", "reason": ""}, "reason", "Say why it moves"),
        ("rtb", {"rtb_date": "2033-06-01", "reason": "x"}, "__all__", "Commercial operation"),
        ("rtb", {"rtb_date": "2031-05-04", "reason": "x"}, "__all__", "Nothing is different"),
        ("next-step", {"next_step_on": "2031-05-04"}, "next_step", "Say what the next step is"),
        ("responsible", {"responsible": "999999"}, "responsible", "Select a valid choice"),
        ("rag", {"version": "x", "rag_status": "red", "rag_comment": "x"}, "version", "whole"),
    ],
)
def test_what_the_rules_refuse_is_said_at_the_field(
    as_portfolio_manager, pipeline, what, typed, name, sentence
):
    answer = edit(as_portfolio_manager, pipeline, what, **typed)

    assert answer.status_code == 422
    assert sentence in str(answer.context["form"].errors[name])
    assert stored(pipeline).version == pipeline.version


def test_conflict_says_what_others_changed_and_keeps_what_was_typed(as_portfolio_manager, pipeline):
    typed = {"rtb_date": "2031-09-01", "reason": "Panels are late"}
    theirs = stored(pipeline)
    theirs.rag_comment = "Their view"
    theirs.save()

    answer = edit(as_portfolio_manager, pipeline, "rtb", **typed)

    assert answer.status_code == 409
    assert "Their view" in answer.text
    form = answer.context["form"]
    assert form["rtb_date"].value() == "2031-09-01"
    assert edit(as_portfolio_manager, theirs, "rtb", **typed).status_code == 200
    assert stored(pipeline).rtb_date == date(2031, 9, 1)


def test_responsible_is_somebody_who_may_sign_in_or_already_is(as_portfolio_manager, pipeline):
    gone = make_user(roles.MANAGERS, "gone", is_active=False)
    choices = as_portfolio_manager.get(address_of(pipeline, "responsible")).text
    assert str(gone) not in choices
    pipeline.responsible = gone
    pipeline.save()
    assert str(gone) in as_portfolio_manager.get(address_of(pipeline, "responsible")).text
    morgan = make_user(roles.MANAGERS, "morgan", first_name="Morgan", last_name="Reid")
    answer = edit(as_portfolio_manager, pipeline, "responsible", responsible=morgan.pk)
    assert answer.json()["message"] == "Morgan Reid is responsible for Kestrel Moor."
    mine = as_portfolio_manager.get(f"{reverse('pipelines')}?responsible=morgan")
    assert mine.context["total"] == 1


def test_only_those_who_may_change_pipelines_are_offered_it(client, manager, pipeline):
    client.force_login(manager)
    assert client.get(address_of(pipeline, "rag")).status_code == 403
    assert "data-edit-dialog" not in client.get(reverse("pipelines")).text
    assert "data-edit" not in client.get(pipeline.get_absolute_url()).text


def test_the_past_offers_nothing_to_change(as_portfolio_manager, pipeline):
    day = (timezone.localdate() - timedelta(days=1)).isoformat()
    assert "data-edit-dialog" in as_portfolio_manager.get(reverse("pipelines")).text
    assert (
        "data-edit-dialog"
        not in as_portfolio_manager.get(reverse("pipelines"), {"as_of": day}).text
    )


def test_form_that_there_is_not_is_not_found(as_portfolio_manager, pipeline):
    assert as_portfolio_manager.get(address_of(pipeline, "password")).status_code == 404


# Several at once


def together(client, what: str, *pipelines, **typed):
    chosen = ",".join(f"{one.pk}:{one.version}" for one in pipelines)
    return client.post(reverse("pipelines-together", args=[what]), {"chosen": chosen, **typed})


def test_ratings_are_confirmed_together_and_what_changed_meanwhile_is_left_out(
    as_portfolio_manager, portfolio_manager, pipeline
):
    other, unrated = make_pipeline("Other", rag_status="red"), make_pipeline("Unrated")
    changed = make_pipeline("Changed", rag_status="amber")
    keys = [str(one.pk) for one in (pipeline, other, unrated, changed)]
    address = reverse("pipelines-together", args=["confirm"])
    preview = as_portfolio_manager.get(address, {"key": keys})
    assert preview.context["number"] == 3
    assert preview.context["left_out"][0][0] == "Unrated"
    before = stored(other).rag_confirmed_at
    theirs = stored(changed)
    theirs.rag_comment = "Theirs"
    theirs.save()
    number = ChangeSet.objects.count()

    answer = together(
        as_portfolio_manager, "confirm", pipeline, other, unrated, changed, reason="Still right"
    )

    message = answer.json()["message"]
    assert message.startswith("2 pipelines confirmed. 2 left as they are. ")
    assert "Changed: Somebody changed it meanwhile." in message
    assert "Unrated: There is no rating to confirm" in message
    assert ChangeSet.objects.count() == number + 1
    change_set = ChangeSet.objects.latest("number")
    assert (change_set.person, change_set.reason) == (portfolio_manager, "Still right")
    assert Pipeline.history.filter(change_set=change_set).count() == 2
    assert stored(other).rag_confirmed_at > before
    assert as_portfolio_manager.get(answer.json()["details"]).status_code == 200


def test_stage_and_responsible_of_several_are_one_change_each(as_portfolio_manager, pipeline):
    other, ended = make_pipeline("Other"), make_pipeline("Ended", outcome="withdrawn")
    day = timezone.localdate()
    moved = together(
        as_portfolio_manager,
        "stage",
        *(stored(pipeline), other, ended),
        to="procurement",
        effective_on=day.isoformat(),
        reason="Tender is out",
    )
    assert moved.json()["message"].startswith(
        "2 pipelines moved. 1 left as they are. Ended: It was"
    )
    move = stored(other).transitions.latest("recorded_at")
    assert (move.stage.code, move.effective_on) == ("procurement", day)

    one = together(
        as_portfolio_manager,
        "stage",
        stored(other),
        to="construction",
        effective_on=day.isoformat(),
        reason="Notice given",
    ).json()
    as_portfolio_manager.post(one["undo"])
    assert stored(other).stage.code == "procurement"

    morgan = make_user(roles.MANAGERS, "morgan")
    given = together(
        as_portfolio_manager,
        "responsible",
        *(stored(pipeline), stored(other)),
        responsible=morgan.pk,
        reason="Handed over",
    )
    assert given.json()["message"] == "2 pipelines changed."
    assert Pipeline.objects.filter(responsible=morgan).count() == 2


def test_nothing_is_written_without_a_reason_or_with_an_unreadable_choice(
    as_portfolio_manager, pipeline
):
    number = ChangeSet.objects.count()
    assert together(as_portfolio_manager, "confirm", pipeline, reason="").status_code == 422
    address = reverse("pipelines-together", args=["confirm"])
    answer = as_portfolio_manager.post(address, {"chosen": "x:1", "reason": "Still right"})
    assert (answer.status_code, ChangeSet.objects.count()) == (422, number)
    assert as_portfolio_manager.get(address, {"key": "x"}).status_code == 404
