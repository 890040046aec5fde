"""Frozen reports: what they keep, that they stay as they are, and how they compare with today."""

import io
import json
import zipfile
from datetime import date
from decimal import Decimal
from html import unescape
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from dashboard.models import FrozenReport
from dashboard.services import proof_of
from oegen.audit.integrity import Check
from oegen.audit.revert.undoing import CannotUndoError, undo
from oegen.audit.triggers import history_tables
from oegen.core import clock
from oegen.models import ChangeSet
from pipelines.models import Pipeline, Stage
from tests.dashboard.metrics.reference import Reference
from tests.support.builders import make_frozen_report, make_pipeline, make_user
from tests.support.downloads import body, cells_of
from tests.support.triggers import lifted_triggers

pytestmark = pytest.mark.django_db


@pytest.fixture
def late(manager):
    late = make_pipeline(
        "Late", capacity_mw=40, rag_status="red", rag_comment="No grid", rtb_date=date(2020, 1, 1)
    )
    make_pipeline("Wind", technology="wind", capacity_mw=60, responsible=manager, next_step="Sign")
    make_pipeline("=1+1", stage="procurement", capacity_mw=5, next_step="@SUM(A1)")
    return late


def freeze(client, query="", **typed) -> FrozenReport:
    typed = {"key": uuid4(), "name": "Committee", "note": "", **typed}
    response = client.post(f"{reverse('report')}{query}", typed)
    assert response.status_code == 302, response.text
    return FrozenReport.objects.get(pk=typed["key"])


def shown(client, frozen) -> str:
    return client.get(frozen.get_absolute_url()).text.split("<header", 2)[2].split("</main>")[0]


def test_a_frozen_report_stays_as_it_is(as_manager, late):
    frozen = freeze(as_manager, "?technology=solar", note="For <b>November</b>")
    before = shown(as_manager, frozen)
    live = as_manager.get(reverse("report"), {"technology": "solar"}).context["pack"]

    late.project_name, late.rag_status = "Renamed", "green"
    late.save()
    Stage.objects.filter(code="design").update(name="Planning")
    make_pipeline("New", capacity_mw=70)

    assert shown(as_manager, frozen) == before
    html = unescape(before)
    assert "2 open, 45.0 MWp" in html
    assert "only Technology: <bdi>Solar" in html
    assert "Renamed" not in html
    assert "Planning" not in html
    page = as_manager.get(frozen.get_absolute_url())
    assert "<b>November" not in page.text
    assert page.context["pack"]["figures"] == live["figures"]
    assert (frozen.open_mw, frozen.red_mw, frozen.query) == (45, 40, "technology=solar")
    listed = as_manager.get(reverse("frozen-reports")).text
    assert "Committee" in listed
    assert "filtered" in listed
    history = reverse("change-set", args=[page.context["proof"].change_set.number])
    assert "frozen" in as_manager.get(history).text


def test_a_form_that_is_sent_twice_freezes_once(as_manager, late):
    key = uuid4()
    assert freeze(as_manager, key=key) == freeze(as_manager, key=key, name="Again")
    assert FrozenReport.objects.get().name == "Committee"


def test_what_cannot_be_frozen_is_refused(client, as_manager, late):
    untitled = as_manager.post(reverse("report"), {"key": uuid4(), "name": " "})
    assert untitled.status_code == 422
    assert "Give the report a title." in untitled.text
    empty = as_manager.post(f"{reverse('report')}?q=nothing", {"key": uuid4(), "name": "Empty"})
    assert empty.status_code == 422
    past = as_manager.post(f"{reverse('report')}?as_of=2026-01-01", {"name": "Past"})
    assert past.status_code == 400
    assert "data-menu open" not in as_manager.get(reverse("report"), {"as_of": "2026-01-01"}).text
    client.force_login(make_user())
    assert "Freeze the report" not in client.get(reverse("report")).text
    assert client.post(reverse("report"), {"name": "Mine"}).status_code == 403
    assert not FrozenReport.objects.exists()


def test_nothing_of_the_product_changes_or_removes_it(as_manager, late, administrator):
    frozen = freeze(as_manager)
    frozen.name = "Other"
    for write in (frozen.save, frozen.delete, lambda: FrozenReport.objects.all().delete()):
        with pytest.raises((DatabaseError, ValidationError)), transaction.atomic():
            write()
    with pytest.raises(CannotUndoError, match="nobody can change or remove it"):
        undo(change_set=proof_of(frozen).change_set, reason="Oops", person=administrator)
    assert FrozenReport.objects.get().name == "Committee"


def test_it_proves_itself_and_tampering_is_found(as_manager, late):
    frozen = freeze(as_manager)
    table, history = "dashboard_frozenreport", "dashboard_historicalfrozenreport"
    newest = ChangeSet.objects.order_by("-number")[1]
    assert (frozen.data_number, frozen.data_seal) == (newest.number, newest.seal)
    assert proof_of(frozen).problems == ()
    assert list(Check().findings()) == []

    content = json.dumps(frozen.content).replace("Late", "Fine")

    def tamper(table: str, column: str, value) -> tuple[str, ...]:
        rules = [rule for rule in history_tables() if rule.table == table]
        with lifted_triggers(rules), connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {column} = %s", [value])  # noqa: S608
        return proof_of(FrozenReport.objects.get()).problems

    with transaction.atomic():
        assert tamper(table, "content", content) == ("Its content is not what was frozen.",)
        assert any("content" in str(finding) for finding in Check().findings())
        assert "not as it was frozen" in as_manager.get(frozen.get_absolute_url()).text
        altered = tamper(history, "content", content)
        assert altered == ("Its entry in the history was altered.",)
        transaction.set_rollback(True)
    with transaction.atomic():
        tamper(table, "data_seal", "0" * 64)
        problems = tamper(history, "data_seal", "0" * 64)
        assert "The history that its figures were taken from was altered." in problems
        assert any("another seal" in str(finding) for finding in Check().findings())
        transaction.set_rollback(True)


def test_compared_with_today_each_figure_is_that_of_its_day(as_manager, late):
    frozen = freeze(as_manager)
    then = Reference(clock.today())
    Pipeline.objects.get(project_name="Wind").delete()
    Stage.objects.filter(code="design").update(name="Planning")
    late.rag_status, late.rtb_date = "amber", date(2041, 1, 1)
    late.save()
    held = Pipeline.objects.get(project_name="=1+1")
    held.on_hold, held.on_hold_reason = True, "Grid"
    held.save()
    make_pipeline("New", capacity_mw=70, stage="design")
    now = Reference(clock.today())

    page = as_manager.get(reverse("frozen-report-today", args=[frozen.pk]))

    groups = {group.title: group.rows for group in page.context["groups"]}
    for title, key in (("Open, by RAG", "rag"), ("By status", "stage")):
        for row in groups[title]:
            for figure, reference in ((row.then, then), (row.now, now)):
                total = figure_of(reference, key, figure["key"])
                assert (figure["pipelines"], figure["mw"]) == total, (title, row.label)
    [opened] = [row for row in groups["Key figures"] if row.label == "Open"]
    assert (opened.pipelines, opened.mw) == (-1, Decimal(5))
    projects = {one.name: (one.kind, one.what) for one in page.context["projects"]}
    assert projects == {
        "Late": ("changed", ""),
        "New": ("new", "Planning"),
        "Wind": ("gone", "removed"),
        "=1+1": ("gone", "On hold"),
    }
    [changed] = [one for one in page.context["projects"] if one.name == "Late"]
    assert [(one.label, one.then, one.now) for one in changed.changes] == [
        ("RAG", "Red", "Amber"),
        ("RTB date", "1 Jan 2020", "1 Jan 2041"),
    ]


def figure_of(reference: Reference, kind: str, key: str) -> tuple[int, Decimal]:
    """The number and the MW of the pipelines of a rating or a status."""
    chosen = [
        one
        for one in reference.pipelines
        if (
            reference.state(one) == "open" and (one.rag_status or "none") == key
            if kind == "rag"
            else reference.status(one) == key
        )
    ]
    total = reference.total(chosen)
    return total.pipelines, total.capacity.mw


def test_the_file_has_the_figures_and_the_projects(as_manager, late):
    frozen = freeze(as_manager)
    for address in (reverse("report"), frozen.get_absolute_url()):
        file = zipfile.ZipFile(io.BytesIO(body(as_manager.get(address, {"download": "xlsx"}))))
        figures = [text for _, text in cells_of(file, "sheet1").values()]
        projects = cells_of(file, "sheet2")
        assert {"Key figures", "MWp DC", "No grid", "3 open, 105 MW, mixed"} & set(figures) >= {
            "Key figures",
            "MWp DC",
            "No grid",
        }
        assert [projects[f"A{row}"][1] for row in (1, 2, 3, 4)] == [
            "Pipeline",
            "Late",
            "Wind",
            "=1+1",
        ]
        assert (projects["D1"][1], projects["D2"]) == ("Capacity, MW/MWp", ("n", "40"))
        assert projects["G4"][1] == "@SUM(A1)"


def test_a_report_of_the_first_format_can_still_be_opened(as_manager, manager):
    """What was frozen by an earlier release is drawn by this one."""
    frozen = make_frozen_report(manager)
    html = shown(as_manager, frozen)
    words = {*texts_of(frozen.content)}
    assert [word for word in words if word not in unescape(html)] == []
    assert as_manager.get(reverse("frozen-report-today", args=[frozen.pk])).status_code == 200
    assert as_manager.get(frozen.get_absolute_url(), {"download": "xlsx"}).status_code == 200


def texts_of(content, name: str = ""):
    """The texts of the content that the page shows as they are."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key not in ("key", "rag", "stages", "filters"):
                yield from texts_of(value, key)
    elif isinstance(content, list):
        for value in content:
            yield from texts_of(value, name)
    elif name in ("text", "label", "size", "change", "title", "finding", "name", "comment", "chip"):
        yield content
