"""Milestones: who may change what, what they refuse, and which gates a project has."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from oegen.models import ChangeSet
from pipelines.gates import Gates
from pipelines.models import Gate, GateSet, Milestone, MilestoneKind, Pipeline, Technology
from tests.support.builders import make_milestone, make_pipeline
from tests.support.desk import Desk, errors_of

pytestmark = pytest.mark.django_db

DAY = date(2031, 5, 4)


@pytest.fixture
def pipeline():
    made = make_pipeline("Kestrel Moor", technology="wind", capacity_mw=40, rtb_date=DAY)
    return Pipeline.objects.get(pk=made.pk)


def edit(client, pipeline, kind: str, version: int, **typed):
    address = reverse("pipeline-milestone", args=[pipeline.pk, kind])
    return client.post(address, {"version": version, **typed})


def test_a_milestone_is_recorded_confirmed_and_guarded(as_editor, portfolio_manager, pipeline):
    answer = edit(as_editor, pipeline, "grid-offer", 0, forecast_on="2027-03-01")
    assert answer.json()["message"] == "Grid offer accepted of Kestrel Moor is saved."
    milestone = Milestone.objects.get()
    assert (milestone.forecast, milestone.actual, milestone.confirmed_by) == (
        date(2027, 3, 1),
        None,
        None,
    )
    stale = edit(as_editor, pipeline, "grid-offer", 0, forecast_on="2027-09-09")
    assert stale.status_code == 409
    assert "expected 1 Mar 2027" in stale.content.decode()
    assert "2027-09-09" in stale.content.decode()

    done = {"actual_on": "2026-11-02", "evidence_note": "Offer 12/3"}
    assert edit(as_editor, pipeline, "grid-offer", 1, **done).status_code == 200
    milestone = Milestone.objects.get()
    assert (milestone.is_proven, milestone.confirmed_by) == (True, portfolio_manager)
    page = as_editor.get(pipeline.get_absolute_url()).content.decode()
    assert "1 of 4 RTB gates proven" in page
    assert "Offer 12/3" in page
    same = edit(as_editor, pipeline, "grid-offer", 2, **done)
    assert "Nothing is different" in same.content.decode()


def test_a_milestone_removed_meanwhile_is_told_and_can_be_recorded_again(as_editor, pipeline):
    milestone = make_milestone("Offer 1", pipeline=pipeline)
    milestone.delete()
    answer = edit(as_editor, pipeline, "grid-offer", 1, evidence_note="Offer 2")
    assert answer.status_code == 409
    assert answer.context["form"]["version"].value() == "0"
    assert edit(as_editor, pipeline, "grid-offer", 0, evidence_note="Offer 2").status_code == 200
    found = as_editor.get(reverse("suggest")).content.decode()
    assert str(pipeline) in found


def test_who_may_change_no_milestones_is_refused(client, manager, pipeline):
    manager.user_permissions.add(Permission.objects.get(codename="change_pipeline"))
    client.force_login(manager)
    assert edit(client, pipeline, "grid-offer", 0, evidence_note="Offer").status_code == 403
    page = client.get(pipeline.get_absolute_url()).content.decode()
    assert "Change the RTB date" in page
    assert "Change the milestone" not in page


def test_a_baseline_needs_its_permission_and_a_reason(
    as_editor, as_administrator, administrator, pipeline
):
    typed = {"baseline_on": "2030-01-01"}
    assert "Nothing is different" in edit(as_editor, pipeline, "rtb", 0, **typed).content.decode()
    refused = edit(as_administrator, pipeline, "rtb", 0, **typed)
    assert "Say why the baseline changes" in refused.content.decode()
    assert not Milestone.objects.exists()
    edit(as_administrator, pipeline, "rtb", 0, **typed, reason="Committee of 3 May")
    change_set = ChangeSet.objects.latest("number")
    assert (change_set.reason, change_set.person) == ("Committee of 3 May", administrator)
    milestone = Milestone.objects.get()
    assert milestone.baseline_on == date(2030, 1, 1)
    page = as_editor.get(pipeline.get_absolute_url()).content.decode()
    assert "488 days later than baseline" in page

    undo = reverse("change-set-undo", args=[change_set.number])
    assert as_editor.get(undo).status_code == 403
    assert as_editor.post(undo, {"reason": "Back"}).status_code == 403
    assert as_administrator.get(undo).status_code == 200

    desk = Desk(as_editor)
    form = desk.open(pipeline)
    [row] = [name.rsplit("-", 1)[0] for name, value in form.items() if value == str(milestone.pk)]
    assert f"{row}-baseline_on" not in form
    answer = desk.send(pipeline, form | {f"{row}-DELETE": "on", "change_reason": "Not needed"})
    assert "only those who may change baselines can remove it" in errors_of(answer)
    desk = Desk(as_administrator)
    form = desk.open(pipeline) | {f"{row}-baseline_on": "2030-06-01"}
    assert "you changed a baseline" in errors_of(desk.send(pipeline, form))
    answer = desk.send(pipeline, form | {"change_reason": "Committee of 9 June"})
    assert answer.status_code == 302, errors_of(answer)
    assert Milestone.objects.get().baseline_on == date(2030, 6, 1)


def test_rtb_has_happened_on_the_day_of_the_project(as_editor, pipeline):
    answer = edit(as_editor, pipeline, "rtb", 0, is_actual="on", evidence_note="Signed off")
    assert answer.status_code == 422
    assert "4 May 2031, lies in the future" in answer.content.decode()
    pipeline.rtb_date = timezone.localdate() - timedelta(days=3)
    pipeline.save()
    edit(as_editor, pipeline, "rtb", 0, is_actual="on", evidence_note="Signed off")
    assert Milestone.objects.get().actual == pipeline.rtb_date
    pipeline = Pipeline.objects.get(pk=pipeline.pk)
    for day in (None, timezone.localdate() + timedelta(days=1)):
        pipeline.rtb_date = day
        with pytest.raises(ValidationError, match="RTB has happened: give a day up to"):
            pipeline.full_clean()
    wrong = Milestone(pipeline=pipeline, kind=MilestoneKind.objects.get(code="rtb"))
    wrong.forecast_on = DAY
    with pytest.raises(ValidationError, match="Give its day as the project's RTB date"):
        wrong.full_clean(validate_constraints=False)
    milestone = make_milestone(pipeline=pipeline)
    milestone.actual_on = timezone.localdate() + timedelta(days=1)
    with pytest.raises(ValidationError, match="can't lie in the future"):
        milestone.full_clean()


def test_a_milestone_is_found_and_shown_as_of_a_past_day(client, manager, pipeline, monkeypatch):
    milestone = make_milestone(
        "Decision 77/12", "planning-granted", pipeline, actual_on="2026-01-02"
    )
    client.force_login(manager)
    found = client.get(reverse("search"), {"q": "77/12"}).content.decode()
    assert "Kestrel Moor" in found
    assert "Planning granted" in found
    then = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: then + timedelta(days=2))
    milestone.evidence_note = "Quashed"
    milestone.save()
    client.force_login(manager)
    past = {"as_of": timezone.localdate(then).isoformat()}
    page = client.get(pipeline.get_absolute_url(), past).content.decode()
    assert "Decision 77/12" in page
    assert "Quashed" not in page


def test_gates_fall_back_to_the_parent_and_to_any_country():
    wind, onshore = (Technology.objects.get(code=code) for code in ("wind", "onshore-wind"))
    solar = Technology.objects.get(code="solar")
    codes = {kind.pk: kind.code for kind in MilestoneKind.objects.all()}

    def gates(technology, country) -> set[str]:
        return {codes[one] for one in Gates.load().of(technology and technology.pk, country)}

    usual = {"site-secured", "grid-offer", "planning-granted"}
    assert gates(None, "") == gates(solar, "ES") == usual
    assert gates(wind, "") == gates(onshore, "GB") == usual | {"environmental-survey"}
    for technology, country, code in ((wind, "GB", "fid"), (None, "ES", "grid-application")):
        own = GateSet.objects.create(
            name=f"{technology} {country}", code=f"s-{country}", technology=technology,
            country=country,
        )  # fmt: skip
        Gate.objects.create(gate_set=own, kind=MilestoneKind.objects.get(code=code))
    assert gates(onshore, "GB") == {"fid"}
    assert gates(onshore, "ES") == usual | {"environmental-survey"}
    assert gates(solar, "ES") == {"grid-application"}
    GateSet.objects.filter(code="wind").update(is_active=False)
    assert gates(onshore, "ES") == {"grid-application"}
    both = Gates.load().of_all([(onshore.pk, "GB"), (solar.pk, "DE")])
    assert {codes[one] for one in both} == usual | {"fid"}
