import json
from datetime import date
from html import unescape

from django.urls import reverse

from infopoints.choices import Status
from oegen import audit
from oegen.models import ChangeSet
from pipelines.models import Stage
from tests.builders import make_counterparty, make_information_point, make_pipeline


def page_of(client) -> str:
    return unescape(client.get(reverse("dashboard")).content.decode()).replace("\xa0", " ")


def chart_data(html: str, key: str) -> dict:
    block = html.split(f'id="{key}-data" type="application/json">')[1].split("</script>")[0]
    return json.loads(block)


def test_latest_change_says_who_moved_which_pipeline_from_where_to_where(
    as_manager, portfolio_manager
):
    pipeline = make_pipeline("Kestrel Moor", stage="design")
    with audit.change_set(person=portfolio_manager, reason="Tender is out"):
        pipeline.stage = Stage.objects.get(code="procurement")
        pipeline.save()

    html = page_of(as_manager)
    news = html.split('class="news"')[1].split("</li>")[0]

    assert f'<a href="{pipeline.get_absolute_url()}"><bdi>Kestrel Moor</bdi></a>' in news
    assert "moved from Design to Procurement" in news
    assert "Tender is out" in news
    assert "Priya Shah · <time datetime=" in news


def test_large_change_set_is_told_by_its_numbers(as_manager):
    with audit.change_set(source=audit.Source.IMPORT):
        for number in range(13):
            make_counterparty(f"Company {number}")

    news = page_of(as_manager).split('class="news"')[1].split("</li>")[0]

    assert "Import: 13 counterparties" in news
    assert "Company 5" not in news


def test_small_change_set_shows_the_first_three_and_counts_the_rest(as_manager):
    with audit.change_set(source=audit.Source.FORM):
        for number in range(5):
            make_counterparty(f"Company {number}")
    assert ChangeSet.objects.filter(source=audit.Source.FORM).count() == 1

    news = page_of(as_manager).split('class="news"')[1].split("</li>")[0]

    assert news.count("added as a counterparty") == 3
    assert "and 2 more in the same go" in news


def test_top_information_points_leave_out_the_closed(as_manager):
    make_information_point("Small but live", 2, 2)
    make_information_point("Great and live", 90, 90)
    make_information_point("Great and closed", 100, 100, status=Status.CLOSED)

    points = page_of(as_manager).split('id="points-title"')[1]

    assert points.index("Great and live") < points.index("Small but live")
    assert "Great and closed" not in points


def test_each_chart_has_its_finding_its_table_and_its_data(as_manager):
    make_pipeline("Red sun", capacity_mw=40, rag_status="red", rtb_date=date(2031, 5, 1))
    make_pipeline("Green wind", technology="wind", capacity_mw=60, rag_status="green")

    html = page_of(as_manager)

    assert 'role="img" aria-label="1 of 2 pipelines is red: 40.0 MWp."' in html
    assert 'aria-label="Wind leads with 60.0 MW."' in html
    assert 'aria-label="Most are in Design: 2 pipelines, 100.0 MW, mixed."' in html
    assert 'aria-label="Most becomes ready to build in 2031: 40.0 MWp."' in html
    assert html.count('<caption class="visually-hidden"') == html.count("data-chart-canvas") == 4

    technology = chart_data(html, "technology")
    assert technology["labels"] == ["Solar", "Wind"]
    assert technology["series"][0]["values"] == [40.0, 60.0]
    assert technology["series"][0]["light"] == ["#E69F00", "#0072B2"]
    assert technology["series"][0]["dark"] == ["#F2B530", "#4DA3DB"]
    years = chart_data(html, "rtb")
    assert years["labels"] == ["2031", "No date"]
    assert [series["name"] for series in years["series"]] == ["Solar", "Wind"]
    assert years["series"][1]["values"] == [0, 60.0]


def test_technology_named_like_markup_stays_data(as_manager):
    pipeline = make_pipeline("Odd", technology="hydro", capacity_mw=1)
    technology = pipeline.facilities.get().technology
    technology.name = "</script><script>alert(1)</script>"
    technology.save()

    html = as_manager.get(reverse("dashboard")).content.decode()

    assert "<script>alert(1)" not in html


def test_charts_without_an_open_pipeline_say_so_in_words(as_manager):
    make_pipeline("Built", stage="completed", capacity_mw=5)

    html = page_of(as_manager)

    assert html.count("No pipeline is open.") == 3
    assert html.count("data-chart-canvas") == 1, "only the statuses have something to draw"


def test_overdue_tile_warns_only_when_something_is_overdue(as_manager):
    make_pipeline("Fine")
    assert "tile-warns" not in page_of(as_manager)

    make_pipeline("Late", rtb_date=date(2020, 1, 1))
    assert "tile-warns" in page_of(as_manager)


def test_bars_that_share_a_facility_say_why_they_add_up_to_more(as_manager):
    first = make_pipeline(capacity_mw=40, rag_status="red")
    assert "once in the total" not in as_manager.get("/").content.decode()
    make_pipeline(rag_status="green").facilities.add(first.facilities.get())
    page = as_manager.get("/")
    assert page.context["charts"][1].note.endswith("once in the total.")
