"""What registers say otherwise than we do: the rules, and the findings that are kept of them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from oegen import audit
from oegen.alerts import outbox
from oegen.asof import as_of
from oegen.audit.revert.undoing import undo
from oegen.models import Alert, ChangeSet
from pipelines.choices import FindingKind, Reason
from pipelines.models import Pipeline, RegisterFinding
from pipelines.registers.choices import RegisterOutcome
from pipelines.registers.models import Match, MatchState, RegisterCompany, RegisterProject
from pipelines.registers.watch import Ours, Plant, Said, find_differences
from tests.support.builders import make_counterparty, make_pipeline
from tests.support.registers import ingest_repd

EDITION = date(2026, 6, 30)


def ours(**values) -> Ours:
    return Ours(**{"stage": "design", "stage_name": "Design", "rag": "green"} | values)


def said(**values) -> Said:
    usual = {"register": "REPD", "edition": EDITION, "outcome": RegisterOutcome.ACTIVE}
    return Said(**usual | {"stage": "design"} | values)


def texts(ours: Ours, said: Said) -> list[str]:
    return [finding.text for finding in find_differences(ours, said)]


GRID = (
    "REPD says that the grid connection is effective on 1 Jan 2028, 365 days after your RTB date "
    "of 1 Jan 2027 and after your COD of 1 Jun 2027."
)


@pytest.mark.parametrize(
    ("ours", "said", "text"),
    [
        (
            ours(),
            said(outcome="refused", stage="", days={"refused": date(2026, 5, 3)}),
            "REPD says refused on 3 May 2026, you say Green.",
        ),
        (
            ours(rag=""),
            said(outcome="gone", stage=""),
            "REPD says decommissioned, you have it in Design, not rated.",
        ),
        (
            ours(),
            said(is_vanished=True, seen_on=date(2026, 1, 31)),
            "REPD no longer lists it after the edition of 31 Jan 2026, you say Green.",
        ),
        (
            ours(),
            said(stage="procurement", days={"consented": date(2026, 5, 3)}),
            "REPD says consented on 3 May 2026, you say Design.",
        ),
        (
            ours(stage="construction", stage_name="Construction", moved_on=date(2025, 11, 1)),
            said(days={"submitted": date(2024, 5, 3)}),
            "REPD says applied for on 3 May 2024, you say Construction.",
        ),
        (
            ours(stage="procurement", stage_name="Procurement", rtb_date=date(2027, 2, 1)),
            said(stage="procurement", days={"consent_expires": date(2026, 12, 1)}),
            "REPD has the consent until 1 Dec 2026, you are ready to build on 1 Feb 2027.",
        ),
        (
            ours(rtb_date=date(2027, 1, 1), cod_date=date(2027, 6, 1)),
            said(days={"grid": date(2028, 1, 1)}),
            GRID,
        ),
        (
            ours(plants=(Plant(Decimal(60), "dc"),)),
            said(capacity_mw=Decimal(30)),
            "REPD says 30.0 MW, you say 60.0 MWp.",
        ),
        (
            ours(plants=(Plant(Decimal(60), "dc", Decimal(50)),)),
            said(capacity_mw=Decimal(40)),
            "REPD says 40.0 MW, you say 60.0 MWp, 50.0 MW export limit.",
        ),
        (
            ours(plants=(Plant(point=(52.0, -1.0)),)),
            said(point=(52.1, -1.0)),
            "REPD has it 11.1 km from where you have it.",
        ),
    ],
)
def test_rules_say_who_says_what(ours, said, text):
    assert texts(ours, said) == [text]


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        (ours(), said()),
        (ours(stage="procurement"), said(stage="design", outcome="on-hold")),
        (ours(stage="construction", moved_on=date(2026, 5, 1)), said()),
        (ours(), said(days={"grid": date(2028, 1, 1)})),
        (ours(plants=(Plant(Decimal(60), "dc"),)), said(capacity_mw=Decimal(42))),
        (ours(plants=(Plant(Decimal(50), "ac"),)), said(capacity_mw=Decimal("45.5"))),
        (
            ours(plants=(Plant(Decimal(50), "ac"), Plant(Decimal(20), "ac"))),
            said(capacity_mw=Decimal(50), sum_mw=Decimal(70)),
        ),
        (ours(plants=(Plant(None, "ac"),)), said(capacity_mw=Decimal(50))),
        (ours(plants=(Plant(point=(52.0, -1.0)),)), said(point=(52.04, -1.0))),
        (
            ours(plants=(Plant(point=(52.0, -1.0)),)),
            said(point=(52.3, -1.0), is_approximate=True),
        ),
        (ours(stage="another"), said(days={"consent_expires": EDITION})),
        (ours(stage="construction"), said(stage="procurement", days={"consent_expires": EDITION})),
    ],
)
def test_what_may_be_the_same_is_no_difference(ours, said):
    assert texts(ours, said) == []


# What is kept ------------------------------------------------------------------------------------

FIRST, SECOND = date(2026, 1, 31), date(2026, 6, 30)
REFUSED = {
    "Development Status (short)": "Application Refused",
    "Planning Permission Refused": "03/05/2026",
}
APPLIED = {"Development Status (short)": "Application Submitted"}


@pytest.fixture
def at(db, monkeypatch):
    def at(day: date):
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: moment)

    at(FIRST)
    return at


def match(record, key: str = "101", state: str = MatchState.ACCEPTED) -> Match:
    found = Match(project=RegisterProject.objects.get(key=key), record=record, state=state)
    found.save()
    return found


def standing() -> list[tuple[str, str]]:
    return list(RegisterFinding.objects.now().order_by("pk").values_list("kind", "text"))


REFUSAL = ("ended", "REPD says refused on 3 May 2026, you say Green.")


def test_findings_begin_with_an_edition_and_end_with_what_we_write(at, administrator):
    pipeline = make_pipeline("Larch", stage="design", rag_status="green")
    ingest_repd(FIRST, APPLIED)
    match(pipeline)
    assert standing() == []
    at(SECOND)
    ingest_repd(SECOND, REFUSED)
    edition = ChangeSet.objects.latest("number")
    assert standing() == [REFUSAL]
    assert list(Pipeline.objects.needing_attention(Reason.ENDED)) == [pipeline]
    [row] = Pipeline.objects.with_reasons()
    assert "register-ended" in row.reason_codes

    at(date(2026, 7, 2))
    undo(change_set=edition, reason="Wrong file", person=administrator)
    assert standing() == []
    newest = ChangeSet.objects.latest("number")
    undo(change_set=newest, reason="It was right", person=administrator)
    assert standing() == [REFUSAL]

    at(date(2026, 7, 3))
    pipeline = Pipeline.objects.get()
    pipeline.rag_status = "amber"
    pipeline.save()
    assert standing() == [("ended", "REPD says refused on 3 May 2026, you say Amber.")]
    pipeline.outcome = "refused"
    pipeline.save()
    assert standing() == []
    for day, found in ((date(2026, 7, 1), [REFUSAL]), (date(2026, 6, 29), [])):
        with as_of(day):
            assert standing() == found
            assert Pipeline.objects.needing_attention(Reason.ENDED).exists() is bool(found)


def test_finding_follows_the_decision_and_the_facility(at):
    pipeline = make_pipeline("Larch", stage="design", rag_status="green", capacity_mw=10)
    [facility] = pipeline.facilities.all()
    ingest_repd(FIRST, REFUSED | {"Ref ID": "100"}, REFUSED)
    match(pipeline, state=MatchState.REFUSED)
    assert standing() == []
    found = match(facility)
    assert [kind for kind, _ in standing()] == [FindingKind.ENDED]
    with audit.change_set():
        found.delete()
    assert standing() == []
    match(facility, "100")
    other = make_pipeline("Elm", stage="design", rag_status="green")
    with audit.change_set():
        other.facility_links.create(facility=facility)
    assert RegisterFinding.objects.now().filter(pipeline_id=other.pk).count() == 1
    with audit.change_set():
        other.facility_links.all().delete()
    assert not RegisterFinding.objects.now().filter(pipeline_id=other.pk).exists()


def test_application_that_was_refused_counts_only_until_another_goes_on(at):
    pipeline = make_pipeline("Larch", stage="design", rag_status="green")
    ingest_repd(FIRST, REFUSED, APPLIED | {"Ref ID": "102"})
    match(pipeline)
    assert standing() == [REFUSAL]
    match(pipeline, "102")
    assert standing() == []


def test_consent_that_expires_counts_from_half_a_year_before_on(at):
    pipeline = make_pipeline("Larch", stage="procurement", rag_status="green")
    consented = {
        "Development Status (short)": "Awaiting Construction",
        "Planning Permission Granted": "01/12/2023",
        "Planning Permission Expired": "01/12/2026",
    }
    ingest_repd(FIRST, consented)
    match(pipeline)
    assert standing() == []
    at(date(2026, 6, 4))
    assert standing() == [("expiry", "REPD has the consent until 1 Dec 2026.")]
    assert list(Pipeline.objects.needing_attention(Reason.DIFFERS)) == [pipeline]


def test_page_list_and_file_show_what_is_said_with_its_licence(at, as_manager):
    pipeline = make_pipeline("Larch", stage="design", rag_status="green")
    make_pipeline("Elm", stage="design")
    ingest_repd(FIRST, REFUSED)
    match(pipeline)
    page = as_manager.get(pipeline.get_absolute_url()).text
    assert REFUSAL[1] in page
    assert "Open Government Licence v3.0" in page
    listed = as_manager.get("/pipelines/?registers=ended&columns=registers").text
    assert ("Larch" in listed, "Elm" in listed) == (True, False)
    assert REFUSAL[1] in listed
    assert 'rel="license"' in listed
    assert 'rel="license"' not in as_manager.get("/pipelines/").text
    file = as_manager.get("/pipelines/?registers=any&columns=registers&download=csv")
    [heading, row] = b"".join(file.streaming_content).decode().splitlines()
    assert "Registers say otherwise" in heading
    assert REFUSAL[1] in row
    assert "Open Government Licence v3.0. https://" in row


def test_alert_tells_what_began_the_morning_after(at):
    at(date(2040, 1, 1))  # later than the rules
    pipeline = make_pipeline("Larch", stage="design", rag_status="green")
    ingest_repd(FIRST, APPLIED)
    match(pipeline)
    at(date(2040, 1, 2))
    outbox.write_timed_alerts(date(2040, 1, 2))
    ingest_repd(SECOND, REFUSED)
    assert not Alert.objects.filter(event="register-differs").exists()
    at(date(2040, 1, 3))
    outbox.write_timed_alerts(date(2040, 1, 3))
    [alert] = Alert.objects.filter(event="register-differs", channel="slack")
    assert alert.payload["new"] == "Refused, withdrawn or gone"
    assert ["Refused, withdrawn or gone", REFUSAL[1]] in alert.payload["facts"]


def test_counterparty_has_the_track_record_of_the_company_that_it_is(at, as_manager):
    birch, elm = make_counterparty("Birch Energy"), make_counterparty("Elm")
    ingest_repd(
        FIRST,
        REFUSED | {"Operator (or Applicant)": "Birch Ltd"},
        {"Ref ID": "102", "Operator (or Applicant)": "Birch Ltd"},
    )
    company = RegisterCompany.objects.get()
    Match(company=company, record=birch, state=MatchState.ACCEPTED).save()
    Match(company=company, record=elm, state=MatchState.REFUSED).save()
    page = as_manager.get(birch.get_absolute_url()).text
    assert "Track record" in page
    assert '<th scope="row">Applied for</th><td class="num"><b>2</b>' in page
    assert '<th scope="row">Refused</th><td class="num"><b>1</b>' in page
    assert company.get_absolute_url() in page
    assert "Open Government Licence v3.0" in page
    assert "Track record" not in as_manager.get(elm.get_absolute_url()).text
