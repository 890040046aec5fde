import json
import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape

from django.urls import reverse
from django.utils import timezone

from dashboard import charts
from dashboard.charts.parts import size
from dashboard.metrics.movement import Walk, WalkStep
from infopoints.choices import Status
from oegen import audit
from oegen.models import ChangeSet
from pipelines.models import Stage
from pipelines.querysets import Megawatts
from tests.support.builders import make_counterparty, make_information_point, make_pipeline


def page_of(client, tab: str = "") -> str:
    page = client.get(reverse("dashboard"), {"tab": tab} if tab else {})
    return unescape(page.content.decode()).replace("\xa0", " ")


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
    news = html.split('class="news ')[1].split("</li>")[0]

    assert f'<a href="{pipeline.get_absolute_url()}"><bdi>Kestrel Moor</bdi></a>' in news
    assert "moved from Design to Procurement" in news
    assert "Tender is out" in news
    assert "Priya Shah · <time datetime=" in news


def test_large_change_set_is_shown_by_its_counts(as_manager):
    with audit.change_set(source=audit.Source.IMPORT):
        for number in range(13):
            make_counterparty(f"Company {number}")

    news = page_of(as_manager).split('class="news ')[1].split("</li>")[0]

    assert "Import: 13 counterparties" in news
    assert "Company 5" not in news


def test_small_change_set_shows_the_first_three_and_counts_the_rest(as_manager):
    with audit.change_set(source=audit.Source.FORM):
        for number in range(5):
            make_counterparty(f"Company {number}")
    assert ChangeSet.objects.filter(source=audit.Source.FORM).count() == 1

    news = page_of(as_manager).split('class="news ')[1].split("</li>")[0]

    assert news.count("added as a counterparty") == 3
    assert "and 2 more in the same go" in news


def test_top_information_points_leave_out_the_closed_and_tell_the_open_mw(as_manager):
    make_information_point("Small but live", 2, 2)
    great = make_information_point("Great and live", 90, 90)
    make_information_point("Great and closed", 100, 100, status=Status.CLOSED)
    great.pipelines.add(make_pipeline("Kestrel Moor", capacity_mw=40))

    html = page_of(as_manager, "risks")
    points = html.split('id="points-title"')[1]

    assert points.index("Great and live") < points.index("Small but live")
    assert "Great and closed" not in points
    assert f"infopoint={great.pk}&status=open" in points.split("Small but live")[0]
    assert "1 of 2 live information points has both impact and likelihood above 60." in html


def test_each_chart_has_its_finding_its_table_and_its_data(as_manager):
    lead = make_counterparty("Larch Power")
    make_pipeline(
        "Red sun",
        capacity_mw=40,
        rag_status="red",
        rtb_date=date(2041, 5, 1),
        lead_developer=lead,
        probability_pct=50,
        probability_reason="Talks",
    )
    make_pipeline("Green wind", technology="wind", capacity_mw=60, rag_status="green")

    html = "".join(page_of(as_manager, tab) for tab in ("dates", "capacity", "counterparties"))

    for finding in (
        "Wind leads with 60.0 MW.",
        "Most becomes ready to build in 2041: 40.0 MWp.",
        "0 MW became 100.0 MW, mixed: +100.0 MW.",
        "Larch Power holds most: 40.0 MW, 40 % of what is open.",
    ):
        assert f'role="img" aria-label="{finding}"' in html
    assert "Most is Wind in Design: 60.0 MW." in html
    assert "No trend: it takes 3 RTB dates reached in the last 5 years, and there are 0." in html
    assert "not enough history: 0 of 10 decided" in html
    assert html.count("data-chart-canvas") == 5

    technology = chart_data(html, "technology")
    assert technology["labels"] == ["Solar", "Wind"]
    assert technology["series"][0]["values"] == [40.0, 60.0]
    assert technology["series"][0]["light"] == ["#E69F00", "#0072B2"]
    assert technology["series"][0]["dark"] == ["#F2B530", "#4DA3DB"]
    years = chart_data(html, "rtb")
    assert years["labels"] == ["2041", "No date"]
    assert [one["name"] for one in years["series"]] == [
        "Solar",
        "Wind",
        "Gross weighted, all technologies",
    ]
    assert years["series"][1]["values"] == [0, 60.0]
    assert years["series"][2]["values"] == [20.0, 0]
    assert chart_data(html, "walk")["series"][0]["values"] == [[0, 0], [0, 100.0], [0, 100.0]]
    growth = chart_data(html, "growth")["choices"]
    assert [choice["name"] for choice in growth] == ["All together", "Solar"]
    assert growth[1]["scheduled"] == [["2041-05-01", 40.0]]
    assert growth[1]["trend"] == []


def test_walk_of_large_ends_begins_above_zero_and_says_so(as_manager):
    opening, step = Megawatts(mw_ac=Decimal(1000)), Megawatts(mw_ac=Decimal(40))
    walk = Walk(opening, (WalkStep("new", "New", 1, step),), opening + step)

    chart = charts.walk_chart(walk, date(2026, 1, 1), charts.Lists({}))

    assert chart.data["series"][0]["values"] == [[920, 1000], [1000, 1040], [920, 1040]]
    assert chart.note == "The bars begin at 920.0 MW, not at zero."


def test_technology_named_like_markup_stays_data(as_manager):
    pipeline = make_pipeline("Odd", technology="hydro", capacity_mw=1)
    technology = pipeline.facilities.get().technology
    technology.name = "</script><script>alert(1)</script>"
    technology.save()

    html = as_manager.get(reverse("dashboard"), {"tab": "capacity"}).content.decode()

    assert "&lt;script&gt;" in html
    assert "<script>alert(1)" not in html


def test_what_has_nothing_to_show_says_so_in_words(as_manager):
    make_pipeline("Built", stage="completed", capacity_mw=5)

    words = {
        "health": ("No open pipeline needs attention", "No pipeline was open on both days"),
        "dates": ("No pipeline is open.", "open on both days with an RTB date on both"),
        "capacity": (
            "and nothing is now.",
            "No capacity has an RTB date that was reached or is scheduled.",
        ),
        "risks": ("No information point is open.",),
        "counterparties": ("No open pipeline has capacity or a counterparty that holds it yet.",),
    }
    for tab, sentences in words.items():
        html = page_of(as_manager, tab)
        assert "0 open, 0 MW" in html
        assert "none red" in html
        assert "data-chart-canvas" not in html
        for sentence in sentences:
            assert sentence in html, tab


def test_the_answer_says_how_large_how_healthy_and_what_changed(as_manager, monkeypatch):
    then = timezone.now() - timedelta(days=60)
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: then)
        worse = make_pipeline("Worse", capacity_mw=300, rag_status="green")
        slipped = make_pipeline("Slipped", capacity_mw=100, rtb_date=date(2041, 1, 1))
        make_pipeline("Late", capacity_mw=20, rtb_date=date(2020, 1, 1), rag_status="amber")
    worse.rag_status, worse.rtb_date = "red", date(2020, 1, 2)
    worse.save()
    slipped.rtb_date = date(2041, 2, 10)
    slipped.save()
    make_pipeline("Wind", technology="wind", stage="completed", capacity_mw=70)

    page = as_manager.get(reverse("dashboard"))
    answer = page.context["answer"]()

    now, moves = answer["sentence"].now, answer["sentence"].moves
    assert [part.text for part in now] == [
        "3 open, 420 MWp",
        "1 red (300 MWp)",
        "2 overdue (320 MWp)",
    ]
    assert [part.text for part in moves] == [
        "1 worse",
        "1 more overdue",
        "dates 33 days later on average",
    ]
    assert [(one.label, one.size, one.share) for one in answer["rag_bar"]] == [
        ("Red", "300 MWp", "71 %"),
        ("Amber", "20.0 MWp", "5 %"),
        ("Not rated", "100 MWp", "24 %"),
    ]
    rows = {row.label: (row.pipelines, row.size, len(row.segments)) for row in answer["funnel"]}
    assert rows["Design"] == ("3", "420 MWp", 3)
    assert rows["Completed"] == ("1", "70.0 MW", 0)
    needing = answer["attention"]
    assert [row.needing.name for row in needing.rows] == ["Worse", "Slipped", "Late"]
    assert [reason.chip for reason in needing.rows[0].needing.reasons] == [
        "Red",
        "Worse",
        "Overdue",
    ]
    html = unescape(page.text)
    assert "Set stage probabilities" in html
    assert html.index("1 red (300 MWp)") < html.index("attention-title") < html.index('id="tabs"')
    judged = {tile.key: tile.judgement for tile in answer["tiles"] if tile.change}
    assert judged == {"completed": "good", "overdue": "bad"}


def test_report_has_the_answer_the_comments_and_the_projects(as_manager, manager):
    late = make_pipeline(
        "Late", capacity_mw=40, rag_status="red", rag_comment="No grid", rtb_date=date(2020, 1, 1)
    )
    facility = late.facilities.get()
    facility.country = "ES"
    facility.save()
    make_pipeline("Wind", technology="wind", capacity_mw=60, responsible=manager, next_step="Sign")
    make_pipeline("Built", stage="completed", capacity_mw=5)

    page = as_manager.get(reverse("report"))
    html = unescape(page.text)

    assert "2 open, 100 MW" in html
    pack = page.context["pack"]
    assert [(one["name"], one["mw"]) for one in pack["projects"]] == [("Late", 40), ("Wind", 60)]
    countries = [(one["label"], one["mw"]) for one in pack["figures"]["countries"]]
    assert countries == [("No country", 60), ("Spain", 40)]
    assert [one["comment"] for one in pack["attention"]["rows"]] == ["No grid", ""]
    assert "Built" not in html.split('id="projects-title"')[1]
    other = unescape(as_manager.get(reverse("report"), {"tab": "dates"}).text)
    assert "0 MW became 100.0 MW" in html
    assert "0 MW became 100.0 MW" in other
    wind = unescape(as_manager.get(reverse("report"), {"technology": "wind"}).text)
    assert "only Technology: <bdi>Wind" in wind
    assert "Late" not in wind.split('id="projects-title"')[1]
    empty = as_manager.get(reverse("report"), {"q": "nothing of that name"})
    assert "There is no pipeline that matches these filters." in empty.text


def test_dates_that_moved_are_told_where_no_capacity_weighs_them(as_manager, monkeypatch):
    then = timezone.now() - timedelta(days=60)
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: then)
        pipeline = make_pipeline("Slipped", rtb_date=date(2041, 1, 1))
    assert "no RTB date has moved" in page_of(as_manager)
    pipeline.rtb_date = date(2041, 2, 1)
    pipeline.save()
    html = page_of(as_manager)
    assert ">1 RTB date changed</a>" in html
    assert "no RTB date has moved" not in html


def test_sizes_are_as_precise_as_they_are_large():
    sizes = {"4": "4.0 MW", "99.96": "100.0 MW", "123.4": "123 MW", "12345": "12.3 GW"}
    for mw, text in sizes.items():
        assert size(Megawatts(mw_ac=Decimal(mw))) == text
    assert size(Megawatts(Decimal(9000), Decimal(9000))) == "18.0 GW, mixed"


def test_ratings_that_share_a_facility_say_why_they_add_up_to_more(as_manager):
    first = make_pipeline(capacity_mw=40, rag_status="red")
    assert "once in the total" not in as_manager.get("/").content.decode()
    make_pipeline(rag_status="green").facilities.add(first.facilities.get())
    assert as_manager.get("/").context["answer"]()["rag_note"].endswith("once in the total.")


def test_filters_are_of_the_whole_page_and_stay_in_its_links(as_manager):
    make_pipeline("Kestrel Moor", capacity_mw=40, rag_status="red")
    make_pipeline("Rowan Down", technology="wind", capacity_mw=60, stage="completed")
    query = {"technology": "solar", "compare": "2026-01-01", "tab": "capacity"}

    page = as_manager.get(reverse("dashboard"), query)
    html = unescape(page.text)

    open_tile, *_ = page.context["answer"]()["tiles"]
    assert (open_tile.total.pipelines, open_tile.total.capacity.mw) == (1, 40)
    assert open_tile.change == "+40.0 MW, +1 pipeline"
    assert open_tile.link.url == "/pipelines/?status=open&technology=solar"
    [red] = page.context["answer"]()["rag_bar"]
    assert red.link.url.endswith("?rag=red&status=open&technology=solar")
    assert 'data-map-source="/pipelines/map/data/?technology=solar"' in html
    assert 'href="/?compare=2026-01-01&tab=capacity">Clear all</a>' in html
    assert html.count('name="compare" value="2026-01-01"') == 2, "filters and day in the top bar"
    assert '<input type="hidden" name="technology" value="solar">' in html, "beside the day"
    assert "Rowan Down" not in html.split("Latest changes")[0]

    part = as_manager.get(reverse("dashboard"), query, headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<div id="results"')
    assert "1 open, 40.0 MW" in part.text


def test_wrong_filter_is_reported_and_nothing_is_added_up(as_manager):
    make_pipeline("Kestrel Moor", capacity_mw=40)

    html = unescape(as_manager.get(reverse("dashboard"), {"status": "frozen"}).text)

    assert "There is no “frozen” here: choose one from the list." in html
    assert "Nothing is added up" in html
    assert "tile" not in html.split('id="results"')[1].split("</main>")[0]


def test_filters_that_nothing_matches_offer_a_way_back(as_manager):
    make_pipeline("Kestrel Moor", capacity_mw=40)

    html = as_manager.get(reverse("dashboard"), {"q": "nothing of that name"}).text

    assert "No pipeline matches these filters." in html
    assert 'href="/">Clear all filters</a>' in html


def test_record_that_was_not_there_yet_picks_nothing_then(as_manager):
    """The page compares with a day on which the counterparty did not exist."""
    lead = make_counterparty("Larch Power")
    make_pipeline("Kestrel Moor", capacity_mw=40, lead_developer=lead)

    page = as_manager.get(reverse("dashboard"), {"held_by": lead.pk})

    open_tile, *_ = page.context["answer"]()["tiles"]
    assert open_tile.change == "+40.0 MW, +1 pipeline"


def test_an_empty_site_leads_whoever_may_take_them_through_the_first_steps(
    client, administrator, portfolio_manager, manager
):
    def steps_for(person) -> list[str]:
        client.force_login(person)
        html = page_of(client)
        assert "There is no pipeline yet" in html
        steps = html.partition('<ol class="first-steps ')[2].partition("</ol>")[0]
        links = re.findall(r'href="([^"]+)"', steps)
        assert all(client.get(link).status_code == 200 for link in links)
        return links

    stages, entry = (
        reverse(f"admin:pipelines_{name}") for name in ("stage_changelist", "pipeline_add")
    )
    alerts_url = reverse("my-alerts")
    accounts = reverse("admin:oegen_user_changelist")
    assert [link.partition("?")[0] for link in steps_for(administrator)] == [
        accounts,
        stages,
        entry,
        alerts_url,
    ]
    assert [link.partition("?")[0] for link in steps_for(portfolio_manager)] == [entry, alerts_url]
    assert "Ask an administrator to give each stage its probability" in page_of(client)
    assert steps_for(manager) == []
    assert "As soon as a portfolio manager has entered one" in page_of(client)

    make_pipeline("First")
    assert "first-steps" not in page_of(client)
