"""The page of changes between two days, and its downloads."""

import re
from datetime import UTC, date, datetime
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from oegen import audit
from oegen.audit.revert import undoing
from oegen.models import ChangeSet
from pipelines.models import Pipeline, PipelineFacility, Stage, Technology
from tests.support.builders import make_facility, make_pipeline
from tests.support.downloads import csv_rows, xlsx_cells

URL = reverse("changes")
RANGE = {"from": "2026-11-10", "to": "2026-11-14"}


@pytest.fixture
def portfolio(monkeypatch, portfolio_manager):
    """Kestrel Moor slips, Rowan Hill is put on hold and Larch Park removed on 12 November 2026,
    with a reason that a spreadsheet could take for a formula; today is the 20th."""

    def on(day: int, reason: str):
        moment = datetime(2026, 11, day, 14, 3, tzinfo=UTC)
        return audit.change_set(person=portfolio_manager, reason=reason, recorded_at=moment)

    with on(10, "Start"):
        kestrel = make_pipeline("Kestrel Moor", capacity_mw=40, rtb_date=date(2027, 1, 14))
        rowan = make_pipeline("Rowan Hill", technology="wind", capacity_mw=25)
        larch = make_pipeline("Larch Park", capacity_mw=5)
    with on(12, "=Grid offer is late"):
        kestrel.rtb_date = date(2027, 3, 16)
        kestrel.save()
        rowan.on_hold = True
        rowan.save()
    with on(13, "Entered twice"):
        larch.delete()
    with on(16, "Later"):
        kestrel.stage = Stage.objects.get(code="procurement")
        kestrel.project_name = "Kestrel Fell"
        kestrel.save()
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    return {"kestrel": kestrel, "rowan": rowan, "larch": larch}


def read(client, **query) -> str:
    """The text of the page, with whitespace collapsed."""
    html = client.get(URL, query).text
    assert "</html>" in html
    content = html.split("<main")[1].split("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", "", content)).split())


def test_each_change_is_shown_with_its_size_who_when_and_why(as_manager, portfolio):
    text = read(as_manager, **RANGE)
    reported = (
        "Kestrel Moor slipped by 61 days, from 14 Jan 2027 to 16 Mar 2027 40.0 MWp Priya Shah, "
    )
    assert f"{reported}12 Nov 2026, 14:03: =Grid offer is late" in text
    assert "Rowan Hill put on hold in Design 25.0 MW Priya Shah" in text
    assert "Larch Park removed; it was in Design 5.0 MWp Priya Shah" in text
    assert "3 changes of 3 pipelines between the end of 10 Nov 2026 and the end of 14 Nov" in text
    assert "RTB date slipped 1 pipeline · 40.0 MWp" in text
    assert "Open on 10 Nov 2026 70.0 MW, mixed" in text
    assert "Put on hold −25.0" in text
    assert "Open on 14 Nov 2026 40.0 MWp" in text
    assert "procurement" not in text.lower().split("between the end of")[1]

    html = as_manager.get(URL, RANGE).text
    number = ChangeSet.objects.get(reason="=Grid offer is late").number
    assert f'href="{reverse("change-set", args=[number])}"' in html
    assert f'<a href="{portfolio["kestrel"].get_absolute_url()}"><bdi>Kestrel Moor</bdi>' in html
    gone = reverse("history", args=["pipeline", Pipeline.history.get(history_type="-").id])
    assert f'<a href="{gone}"><bdi>Larch Park</bdi>' in html
    assert as_manager.get(gone).status_code == 200


def test_storage_is_shown_separately_on_each_line_and_in_the_total_of_its_kind(
    as_manager, portfolio
):
    with audit.change_set(reason="Three more"):
        both = make_pipeline("Both", capacity_mw=20)
        battery = make_facility("Battery", "bess", capacity_mw=11, storage_mwh=22)
        PipelineFacility.objects.create(pipeline=both, facility=battery)
        make_pipeline("Stack", technology="bess", capacity_mw=9)
        make_pipeline("Windy", technology="wind", capacity_mw=7)
    days = {"from": "2026-11-19", "to": "2026-11-20"}
    text = read(as_manager, **days)
    assert "47.0 MW, mixed (20.0 MWp, 27.0 MW), of which storage 20.0 MW" in text
    assert "Both added in Design 31.0 MW, mixed of which storage 11.0 MW" in text
    assert "Stack added in Design 9.0 MW all of it storage" in text
    assert text.count("storage") == 3

    rows = csv_rows(as_manager, "changes", **days)
    places = [rows[0].index(f"Of which storage, MW {end}") for end in ("before", "after")]
    reported = {row[3]: [row[place] for place in places] for row in rows[1:]}
    assert reported == {"Both": ["", "11"], "Stack": ["", "9"], "Windy": ["", "0"]}


def test_lines_are_kept_until_something_is_written_that_they_tell(
    as_manager, portfolio, portfolio_manager, django_assert_max_num_queries
):
    text = read(as_manager, **RANGE)
    kestrel = Pipeline.objects.get(pk=portfolio["kestrel"].pk)
    kestrel.rag_comment = "Waits for the grid"
    kestrel.save()
    with django_assert_max_num_queries(25):
        assert read(as_manager, **RANGE) == text
    with audit.change_set(recorded_at=datetime(2026, 11, 13, 9, tzinfo=UTC)):
        kestrel.rag_status = "red"
        kestrel.save()
    assert "Re-rated" in read(as_manager, **RANGE)
    portfolio_manager.last_name = "Married"
    portfolio_manager.save()
    assert "Married" in read(as_manager, **RANGE)


def test_filters_kinds_and_steps_narrow(as_manager, portfolio):
    assert "Rowan Hill" not in read(as_manager, technology="solar", **RANGE)
    only = read(as_manager, kind="on-hold", **RANGE)
    assert "Rowan Hill put on hold" in only
    assert "Kestrel Moor" not in only
    step = read(as_manager, step="removed", **RANGE)
    assert "Removed 1 facility of 1 pipeline · −5.0 MWp" in step
    assert "Larch Park −5.0 MWp Removed; it was in Design".lower() in step.lower()
    assert "Kestrel Moor" not in step
    left = read(as_manager, step="out of filter", status="open", **RANGE)
    assert "Rowan Hill −25.0 MW put on hold in Design" in left
    unknown = read(as_manager, kind="<b>", step="nowhere", **RANGE)
    assert "There is nothing here called “<b>”" in unknown
    assert "3 changes of 3 pipelines" in unknown
    assert "no change of this kind" in read(as_manager, kind="renamed", **RANGE)


def test_clearing_the_filters_keeps_the_days(as_manager, portfolio):
    query = {**RANGE, "kind": "slipped", "page": "1", "q": "kestrel", "status": "nowhere"}
    kept = "/changes/?from=2026-11-10&to=2026-11-14&kind=slipped"
    for wrong in ("clear all filters", "Clear all"):
        html = unescape(as_manager.get(URL, query).text)
        assert re.search(rf'<a [^>]*href="{re.escape(kept)}">{wrong}</a>', html), wrong
        query["status"] = "design"
    assert "slipped by 61 days" in read(as_manager, **RANGE, kind="slipped")


def test_spans_of_days_are_offered(as_manager, portfolio):
    html = unescape(as_manager.get(URL, {"compare": "2026-11-13", "kind": "slipped"}).text)
    spans = html.split('aria-label="Days"')[1].split("</ul>")[0]
    days = re.findall(r'href="[?]kind=slipped&from=([0-9-]+)&to=2026-11-20"', spans)
    assert days == ["2026-11-13", "2026-10-20", "2026-08-20", "2025-12-31"]
    assert spans.count("aria-current") == 1


def test_a_change_of_a_technology_s_basis_says_who_and_why(as_manager, portfolio):
    wind = Technology.objects.get(code="wind")
    wind.capacity_basis = "dc"
    with audit.change_set(reason="Counted at the panels") as current:
        wind.save()
    text = read(as_manager, **{"from": "2026-11-19", "to": "2026-11-20"})
    assert "Capacity basis changed 1 pipeline" in text
    assert "Rowan Hill basis of Wind changed: 25.0 MW became 25.0 MWp" in text
    assert "The system, 20 Nov 2026, 12:00: Counted at the panels" in text
    assert f"/audit/{current.number}/" in as_manager.get(URL, {"from": "2026-11-19"}).text
    assert "Resized" not in text


def test_what_was_brought_back_is_restored(as_manager, portfolio_manager, portfolio):
    removal = ChangeSet.objects.get(reason="Entered twice")
    undoing.undo(change_set=removal, reason="Not twice after all", person=portfolio_manager)
    text = read(as_manager, **{"from": "2026-11-19", "to": "2026-11-20"})
    assert "Larch Park brought back in Design" in text
    assert "Restored 1 pipeline" in text
    assert "New 1" not in text


def test_without_any_figure_there_are_no_mw_yet(as_manager, portfolio):
    with audit.change_set(reason="Two more"):
        make_pipeline("Bare")
        make_pipeline("Measured", capacity_mw=0)
    past = {"from": "2026-11-19", "to": "2026-11-20"}
    assert "New 2 pipelines · 0 MW" in read(as_manager, **past)
    bare = read(as_manager, q="bare", **past)
    assert "New 1 pipeline · no MW yet Bare added in Design no MW yet" in bare


def test_days_are_the_dashboard_s_unless_the_address_names_others(as_manager, portfolio):
    text = read(as_manager)
    assert "between the end of 20 Oct 2026 and the end of 20 Nov 2026" in text
    text = read(as_manager, compare="2026-11-13")
    assert "between the end of 13 Nov 2026 and the end of 20 Nov 2026" in text
    text = read(as_manager, compare="2026-11-13", as_of="2026-11-18")
    assert "between the end of 13 Nov 2026 and the end of 18 Nov 2026" in text
    text = read(as_manager, compare="2026-11-13")
    assert "Kestrel Fell moved from Design to Procurement" in text
    assert "Kestrel Fell renamed; it was “Kestrel Moor”" in text
    past = read(as_manager, as_of="2026-11-13")
    assert "between the end of 13 Oct 2026 and the end of 13 Nov 2026" in past
    assert "Kestrel Moor added in Design" in past
    later = read(as_manager, as_of="2026-11-13", to="2026-11-14")
    assert "Choose a day up to 13 Nov 2026." in later


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ({"from": "rubbish"}, "“rubbish” is not a date. Write it as 2026-10-20."),
        ({"to": "2031-01-01"}, "Choose a day up to 20 Nov 2026."),
        ({"from": "2026-11-14", "to": "2026-11-14"}, "Choose a day up to 13 Nov 2026."),
        ({"from": "1999-12-31"}, "Nothing is known from before 1 Jan 2000."),
    ],
)
def test_a_wrong_day_is_reported_beside_its_field_and_the_rest_stays(
    as_manager, portfolio, days, sentence
):
    answer = as_manager.get(URL, {**days, "q": "kestrel", "download": "csv"})
    assert answer["Content-Type"].startswith("text/html")
    html = unescape(answer.text)
    name = "to" if days.keys() == {"to"} else "from"
    assert f'id="id_{name}_error" role="status">{sentence}<' in html
    assert html.count('aria-invalid="true"') == 1
    assert 'value="kestrel"' in html
    part = as_manager.get(URL, days, headers={"HX-Request": "true"}).text
    assert f'hx-swap-oob="true">{sentence}<' in unescape(part)


def test_a_file_has_every_change_and_no_formula(as_manager, portfolio):
    rows = csv_rows(as_manager, "changes", **RANGE)
    number = str(ChangeSet.objects.get(reason="=Grid offer is late").number)
    who = ["Priya Shah", "2026-11-12 14:03:00", "'=Grid offer is late", number]
    slipped = next(row for row in rows if row[2] == "RTB date slipped")
    assert slipped == [
        "2026-11-10",
        "2026-11-14",
        "RTB date slipped",
        "Kestrel Moor",
        "slipped by 61 days, from 14 Jan 2027 to 16 Mar 2027",
        "2027-01-14",
        "2027-03-16",
        "40",
        "40",
        *who,
        "",
        *("40", "40", "0", "0", "0", "0", "0", "0"),
        str(Pipeline.history.filter(project_name="Kestrel Moor").first().id),
    ]
    assert [row[3] for row in rows[1:]] == ["Rowan Hill", "Kestrel Moor", "Larch Park"]
    assert rows[3][5:9] == ["Design", "", "5", ""]

    past = {"as_of": "2026-11-14", "from": "2026-11-10"}
    assert csv_rows(as_manager, "changes", **past) == rows

    cells = xlsx_cells(as_manager, "changes", kind="slipped", **RANGE)
    days = str((date(2027, 3, 16) - date(1899, 12, 30)).days)
    assert [cells[place] for place in ("G2", "H2")] == [("n", days), ("n", "40")]
    assert cells["L2"][1] == "=Grid offer is late"
    assert "A3" not in cells
    assert len(csv_rows(as_manager, "changes", step="removed", **RANGE)) == 2


def test_a_kind_of_many_shows_the_first_and_leads_to_all_in_pages(as_manager, portfolio):
    with audit.change_set(reason="Many"):
        Pipeline.objects.bulk_create(
            Pipeline(project_name=f"Row {number:02}", stage=Stage.objects.get(code="design"))
            for number in range(61)
        )
    html = as_manager.get(URL, {"from": "2026-11-19"}).text
    assert html.count("Row ") == 10
    assert "51 more" in html
    names, query = [], {"from": "2026-11-19", "kind": "new"}
    for page in (1, 2):
        names += re.findall(r"Row \d+", as_manager.get(URL, {**query, "page": page}).text)
    assert names == [f"Row {number:02}" for number in range(61)]


def test_an_empty_portfolio_says_that_nothing_changed(as_manager):
    assert "No pipeline changed between these days." in read(as_manager)
    filtered = read(as_manager, q="kestrel")
    assert "Nothing changed between these days for the pipelines that these filters" in filtered
    assert "Nothing is listed" in read(as_manager, status="nowhere")
