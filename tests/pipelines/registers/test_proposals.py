"""Proposals: found in what is stored, accepted alone or left to people, and never made again."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from oegen import audit
from oegen.audit.integrity import Check
from oegen.audit.revert.undoing import undo
from oegen.imports.tables.models import ExternalReference
from oegen.jobs.models import Job
from oegen.models import ChangeSet
from pipelines.models import Facility, Pipeline, PipelineFacility
from pipelines.registers.models import (
    Match,
    MatchState,
    Proposal,
    RegisterCompany,
    RegisterProject,
)
from pipelines.registers.proposing.asking import MATCH_REGISTERS, PAUSE
from pipelines.registers.proposing.ours import read_portfolio
from pipelines.registers.proposing.running import propose_all
from pipelines.registers.services import DecisionRefusedError, accept_together, decide_match
from tests.support.builders import make_counterparty, make_facility, make_pipeline
from tests.support.registers import ingest_repd

pytestmark = pytest.mark.django_db

EARLY, LATE = date(2024, 1, 31), date(2025, 1, 31)

#: Where the usual row of REPD is.
POINT = {"latitude": "53.900671", "longitude": "-1.697285", "country": "GB"}

#: Rows of other names all over the country: words are rare among many.
OTHERS = [
    {
        "Ref ID": f"{1000 + one}",
        "Site Name": f"{first}{second}ton Farm",
        "Operator (or Applicant)": f"{second.title()}{first.lower()} Power Ltd",
        "X-coordinate": str(300_000 + 3_000 * one),
        "Y-coordinate": str(200_000 + 7_000 * (one % 31)),
    }
    for one, (first, second) in enumerate(
        (first, second)
        for first in ("Ald", "Brack", "Cald", "Dun", "Eld", "Farn", "Gar", "Holl", "Ing", "Kel")
        for second in ("ber", "cas", "den", "fer", "ling", "mar", "wor")
    )
]


def project(key: str = "101") -> RegisterProject:
    return RegisterProject.objects.get(key=key)


def make_site(name: str = "Kestrel Moor", **values) -> Pipeline:
    """A pipeline of one facility at the place of the usual row."""
    pipeline = make_pipeline(name)
    facility = make_facility(name, **{"capacity_mw": 40, **POINT, **values})
    PipelineFacility.objects.create(pipeline=pipeline, facility=facility)
    return pipeline


def newest() -> ChangeSet:
    return ChangeSet.objects.latest("number")


def waiting_jobs() -> int:
    return Job.objects.waiting().filter(kind=MATCH_REGISTERS).count()


def test_sure_pairs_are_accepted_in_one_change_set_and_an_undo_is_final(administrator):
    ingest_repd(LATE, {}, *OTHERS)
    pipeline, other = make_site(), make_site("Aldberton", latitude=None, longitude=None)
    assert propose_all().accepted == 1
    match = Match.objects.get()
    assert (match.record, match.project, match.state) == (pipeline, project(), "accepted")
    assert match.score > 97 and match.reasons[0]["text"]
    assert list(newest().contents) == ["registers.historicalmatch"]
    assert not Proposal.objects.undecided().filter(object_id=pipeline.pk).exists()

    undo(change_set=newest(), reason="Another site", person=administrator)
    assert propose_all().accepted == 0
    assert Proposal.objects.undecided().filter(object_id=pipeline.pk).exists()
    assert not Match.objects.filter(object_id=other.pk).exists()
    assert list(Check().findings()) == []


def test_decided_pairs_are_not_proposed_again_and_come_back_with_an_undo(administrator):
    ingest_repd(LATE, {}, *OTHERS)
    pipeline = make_site(capacity_mw=90, latitude="53.95")
    assert propose_all().accepted == 0
    waiting = Proposal.objects.undecided()
    assert waiting.get(project=project()).record == pipeline
    decide_match(source=project(), record=pipeline, state=MatchState.REFUSED, person=administrator)
    assert not waiting.filter(project=project()).exists()
    propose_all()
    assert not Proposal.objects.filter(project=project()).exists()
    undo(change_set=newest(), reason="It is", person=administrator)
    propose_all()
    assert waiting.filter(project=project()).exists()


def test_accepted_record_needs_no_other_project_until_that_has_ended(administrator):
    status = "Development Status (short)"
    twin = {"Ref ID": "102", "Installed Capacity (MWelec)": "39"}
    ingest_repd(EARLY, {}, *OTHERS)
    pipeline = make_site(capacity_mw=90)
    decide_match(source=project(), record=pipeline, state=MatchState.ACCEPTED, person=administrator)
    ingest_repd(LATE, {}, twin, *OTHERS)
    propose_all()
    assert not Proposal.objects.undecided().filter(object_id=pipeline.pk).exists()
    ingest_repd(date(2025, 7, 31), {status: "Application Withdrawn"}, twin, *OTHERS)
    propose_all()
    assert Proposal.objects.undecided().get(object_id=pipeline.pk).project == project("102")


@pytest.mark.parametrize("is_ours", [True, False])
def test_runner_up_is_never_accepted_without_a_person(administrator, is_ours):
    """Neither where the better one was refused, nor where it is another record's."""
    ingest_repd(LATE, {}, {"Ref ID": "102"}, *OTHERS)
    pipeline = make_site()
    decide_match(
        source=project(),
        record=pipeline if is_ours else make_pipeline("Another"),
        state=MatchState.REFUSED if is_ours else MatchState.ACCEPTED,
        person=administrator,
    )
    assert propose_all().accepted == 0
    assert Proposal.objects.get(object_id=pipeline.pk).project == project("102")


def test_reference_to_the_register_is_enough():
    ingest_repd(LATE, {}, *OTHERS)
    pipeline = make_pipeline("Quite another name")
    ExternalReference.objects.create(source="REPD", key="101", record=pipeline)
    propose_all()
    assert Match.objects.get().record == pipeline


def test_name_alone_is_never_accepted_without_a_person():
    ingest_repd(LATE, {}, *OTHERS)
    make_pipeline("Kestrel Moor Solar Farm")
    propose_all()
    assert not Match.objects.exists()
    assert Proposal.objects.filter(project=project()).exists()


def test_facility_that_is_a_whole_pipeline_is_looked_for_once():
    alone = make_site("Alone")
    shared = make_facility("Shared", **POINT)
    two = make_pipeline("Two", capacity_mw=5)
    for pipeline in (two, make_pipeline("Other")):
        PipelineFacility.objects.create(pipeline=pipeline, facility=shared)
    sites = {(one.kind, one.name) for one in read_portfolio().sites()}
    own = Facility.objects.get(name="Two")
    assert sites == {
        ("pipeline", alone.project_name),
        ("facility", own.name),
        ("facility", "Shared"),
    }
    assert [one.name for one in read_portfolio().wholes()] == ["Two"]


def test_companies_are_found_by_name_former_name_and_group(administrator):
    rows = [
        {"Operator (or Applicant)": "Larchwood Renewables Ltd (formerly Elm Power Limited)"},
        {"Ref ID": "102", "Operator (or Applicant)": "Larchwood Renewables Ltd"},
        {"Ref ID": "103", "Operator (or Applicant)": "Larchwood SPV 12 Limited"},
        {"Ref ID": "104", "Operator (or Applicant)": "Alder Wind GmbH"},
        {"Ref ID": "105", "Operator (or Applicant)": "John Birch"},
    ]
    ingest_repd(LATE, *rows)
    elm, alder = make_counterparty("Elm Power"), make_counterparty("Alder Wind Ltd")
    assert propose_all().accepted == 0
    found = {(str(one.company), one.record): one for one in Proposal.objects.all()}
    larch = RegisterCompany.objects.get(name="Larchwood Renewables Ltd")
    assert found["Larchwood Renewables Ltd", elm].band == "likely"
    assert found["Alder Wind GmbH", alder].band == "likely"
    assert found["Larchwood SPV 12 Limited", larch].band == "likely"
    assert len(found) == 3

    spv = RegisterCompany.objects.get(name="Larchwood SPV 12 Limited")
    decide_match(source=spv, record=larch, state=MatchState.ACCEPTED, person=administrator)
    spv.refresh_from_db()
    assert spv.group == larch
    with pytest.raises(DecisionRefusedError, match="belongs to"):
        decide_match(source=larch, record=spv, state=MatchState.ACCEPTED, person=administrator)
    undo(change_set=newest(), reason="Sold", person=administrator)
    spv.refresh_from_db()
    assert spv.group is None


def test_only_sure_pairs_of_one_kind_are_accepted_together(administrator):
    rows = [{"Operator (or Applicant)": f"{name} Power Ltd", "Ref ID": name} for name in "ABCD"]
    ingest_repd(LATE, *rows)
    for name in "ABC":
        make_counterparty(f"{name} Power Ltd")
    make_counterparty("D Power GmbH")
    propose_all()
    sure = Proposal.objects.filter(band="sure")
    with pytest.raises(DecisionRefusedError, match="surest"):
        accept_together(proposals=Proposal.objects.all(), person=administrator)
    change_set = accept_together(proposals=sure, person=administrator)
    assert Match.objects.filter(state="accepted").count() == 3
    assert not Proposal.objects.undecided().filter(band="sure").exists()
    undo(change_set=change_set, reason="Too early", person=administrator)
    assert Proposal.objects.undecided().filter(band="sure").count() == 3


def test_edition_and_changes_of_what_is_compared_ask_for_one_run_each():
    pipeline = make_site()
    assert waiting_jobs() == 0
    ingest_repd(LATE, {})
    assert waiting_jobs() == 1
    Job.objects.all().delete()
    pipeline.rag_comment = "Nothing that is compared"
    pipeline.save()
    assert waiting_jobs() == 0
    with audit.change_set(reason="Two changes"):
        pipeline.project_name = "Kestrel Hill"
        pipeline.save()
        make_counterparty()
    make_facility()
    [job] = Job.objects.waiting().filter(kind=MATCH_REGISTERS)
    assert timedelta() < job.run_after - timezone.now() <= PAUSE


def test_edition_says_how_much_of_it_is_about_our_projects(administrator):
    ingest_repd(EARLY, {}, {"Ref ID": "102"}, {"Ref ID": "103"})
    for key in ("101", "102"):
        decide_match(
            source=project(key),
            record=make_pipeline(),
            state=MatchState.ACCEPTED,
            person=administrator,
        )
    status = {"Development Status (short)": "Application Refused"}
    found = ingest_repd(LATE, status, {"Ref ID": "103", **status})
    assert found.edition.summary == "2 refused, 1 vanished, 2 about our projects"
