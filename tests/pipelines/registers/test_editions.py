"""Editions: written whole or not at all, in any order, undone and restored."""

from datetime import date

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oegen import audit
from oegen.asof import as_of
from oegen.audit.integrity import Check
from oegen.audit.revert.undoing import undo
from oegen.models import Alert, ChangeSet
from pipelines.models import Pipeline
from pipelines.registers.benchmarks import benchmarks_of
from pipelines.registers.editions.ingesting import Origin, ingest_file
from pipelines.registers.models import (
    Edition,
    Match,
    MatchState,
    Register,
    RegisterCompany,
    RegisterProject,
    RegisterState,
    Sighting,
)
from tests.support.builders import make_pipeline
from tests.support.registers import REPD_HEADINGS, ingest_repd, repd_rows, write_table

pytestmark = pytest.mark.django_db

EARLY, MIDDLE, LATE = date(2024, 1, 31), date(2024, 7, 31), date(2025, 1, 31)
STATUS = "Development Status (short)"
BUILT, CONSENTED = {STATUS: "Operational"}, {STATUS: "Awaiting Construction"}
OTHER = {"Ref ID": "102", "Site Name": "Elm Hill", "Operator (or Applicant)": "Elm (formerly Ash)"}


def project(key: str = "101") -> RegisterProject:
    return RegisterProject.objects.get(key=key)


def newest() -> ChangeSet:
    return ChangeSet.objects.latest("number")


def counts() -> list[int]:
    models = (Edition, RegisterProject, RegisterState, Sighting, RegisterCompany, ChangeSet)
    return [model.objects.count() for model in models]


def test_editions_give_each_project_its_history_in_one_change_set_each():
    ingest_repd(EARLY, BUILT, OTHER)
    second = ingest_repd(MIDDLE, CONSENTED, {"Ref ID": "103"})
    assert second.edition.summary == "1 new, 1 moved otherwise, 1 vanished"
    assert [row.history_type for row in Edition.history.filter(change_set=newest().pk)] == ["+"]
    third = ingest_repd(LATE, BUILT, OTHER, {"Ref ID": ""})
    assert third.edition.summary == "1 new, 1 built, 1 vanished"
    assert (third.edition.rows, third.edition.rejected) == (2, 1)

    assert (project().first_seen_on, project().last_seen_on) == (EARLY, LATE)
    assert (project().outcome, project().went_back_on) == ("built", MIDDLE)
    assert project("102").came_back_on == LATE
    assert (project("103").is_vanished, project("103").last_seen_on) == (True, MIDDLE)
    assert RegisterState.objects.filter(project=project()).count() == 2


def test_older_edition_that_comes_later_leaves_the_present_alone():
    ingest_repd(LATE, BUILT)
    before = project()
    ingest_repd(EARLY, CONSENTED, OTHER)
    now = project()
    assert (now.state_id, now.raw_status) == (before.state_id, "Operational")
    assert now.first_seen_on == EARLY
    assert project("102").is_vanished


def test_file_saved_again_otherwise_writes_nothing(tmp_path):
    ingest_repd(LATE, BUILT, {**OTHER, "Site Name": "Muir Mhòr"}, {"Ref ID": ""})
    before = counts()
    rows = repd_rows(BUILT, {**OTHER, "Site Name": "Muir Mhòr"}, {"Ref ID": ""})
    for row in rows:
        row["Installed Capacity (MWelec)"] = "40"
    path = write_table(
        tmp_path / "again.csv",
        rows,
        [*reversed(REPD_HEADINGS), "", ""],
        encoding="cp1252",
        end="\r\n",
    )
    for _ in range(2):
        repd = Register.objects.get(code="repd")
        again = ingest_file(
            repd, path, on=LATE, origin=Origin("again.csv"), source=audit.Source.COMMAND
        )
        assert not again.is_new
    assert counts() == before


def test_corrected_file_takes_the_place_of_the_edition_and_can_be_undone(administrator):
    first = ingest_repd(LATE, CONSENTED).edition
    second = ingest_repd(LATE, BUILT, {"Ref ID": ""}).edition
    assert list(Edition.objects.all()) == [first] == [second]
    assert (project().outcome, second.rejected_rows.count()) == ("built", 1)
    undo(change_set=newest(), reason="Wrong file", person=administrator)
    [edition] = Edition.objects.all()
    assert (edition.contents, edition.rejected_rows.count()) == (first.contents, 0)
    assert project().outcome == "active"


def test_edition_is_undone_and_brought_back(administrator):
    ingest_repd(EARLY, CONSENTED)
    ingest_repd(LATE, BUILT, OTHER)
    undo(change_set=newest(), reason="Wrong file", person=administrator)
    assert (project().raw_status, project().last_seen_on) == ("Awaiting Construction", EARLY)
    assert list(RegisterProject.objects.present()) == [project()]
    undo(change_set=newest(), reason="It was right", person=administrator)
    assert (project().raw_status, project("102").last_seen_on) == ("Operational", LATE)
    assert list(Check().findings()) == []


def test_failed_write_leaves_nothing_half(tmp_path):
    ingest_repd(EARLY, CONSENTED)
    before = counts()
    path = write_table(tmp_path / "repd.csv", repd_rows(BUILT, OTHER))

    def die(message: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest_file(
            Register.objects.get(code="repd"),
            path,
            on=LATE,
            origin=Origin("repd.csv"),
            source=audit.Source.COMMAND,
            finish=die,
        )
    assert counts() == before
    assert project().raw_status == "Awaiting Construction"


def test_past_day_reads_the_edition_of_that_day_though_it_was_fetched_later():
    ingest_repd(EARLY, CONSENTED)
    ingest_repd(LATE, BUILT)
    repd = Register.objects.get(code="repd")
    states = RegisterState.objects
    assert [one.raw_status for one in states.on(repd, MIDDLE)] == ["Awaiting Construction"]
    with as_of(date(2025, 2, 1)):
        assert [one.raw_status for one in states.on(repd, date(2025, 2, 1))] == ["Operational"]
    assert not states.on(repd, date(2023, 1, 1)).exists()


def test_companies_follow_the_operators_and_are_never_people():
    ingest_repd(EARLY, {}, {**OTHER, "Operator (or Applicant)": "John Birch"})
    assert [str(one) for one in RegisterCompany.objects.all()] == ["Larch Energy Ltd"]
    ingest_repd(LATE, {"Operator (or Applicant)": "Larch Energy Limited / Elm"}, OTHER)
    links = project().company_links.order_by("position")
    assert [str(link.company) for link in links] == ["Larch Energy Ltd", "Elm"]
    assert links[0].company.aliases == ["Larch Energy Limited"]
    assert links[1].company.aliases == ["Ash"]


def test_technology_is_also_found_by_a_name_that_somebody_added():
    ingest_repd(EARLY, {"Technology Type": "Hydropower"})
    assert project().technology.code == "hydro"


def test_our_own_figures_never_read_registers():
    make_pipeline(capacity_mw=40)
    shown = Pipeline.objects.with_capacity().values_list("project_name", "capacity_mw")
    before = list(shown)
    ingest_repd(EARLY, {}, OTHER)
    assert list(shown.all()) == before


def test_match_goes_with_the_record_and_comes_back_with_it(administrator):
    ingest_repd(EARLY, {})
    pipeline = make_pipeline()
    key = pipeline.pk
    Match.objects.create(project=project(), record=pipeline, state=MatchState.REFUSED)
    with audit.change_set(person=administrator, reason="Sold"):
        pipeline.delete()
    assert not Match.objects.exists()
    undo(change_set=newest(), reason="Not sold", person=administrator)
    assert Match.objects.get().record == Pipeline.objects.get(pk=key)


def test_newest_edition_is_told_in_one_alert_and_an_older_one_is_not():
    ingest_repd(LATE, {}, OTHER)
    [payload] = Alert.objects.filter(channel="slack").values_list("payload", flat=True)
    assert "Renewable Energy Planning Database, 31 Jan 2025" in str(payload)
    assert "2 projects" in str(payload)
    ingest_repd(EARLY, {})
    assert Alert.objects.filter(channel="slack").count() == 1


def test_pages_are_prepared_when_an_edition_is_committed(
    as_manager, django_capture_on_commit_callbacks
):
    cache.clear()
    with django_capture_on_commit_callbacks(execute=True):
        ingest_repd(LATE, BUILT)
    with CaptureQueriesContext(connection) as captured:
        assert as_manager.get(reverse("competitors")).context["total"] == 0
        assert as_manager.get(reverse("competitors"), {"of": "built"}).context["total"] == 1
        benchmarks_of(Register.objects.get(code="repd"))
    assert not [one for one in captured if "registers_registerproject" in one["sql"]]
