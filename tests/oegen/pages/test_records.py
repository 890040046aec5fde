"""What each record's page tells, beside its timeline."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.utils import timezone

from infopoints.choices import Status
from infopoints.models import InformationPointPipeline
from oegen.models import Comment
from pipelines.models import Pipeline, PipelineFacility
from tests.oegen.pages.conftest import give_role
from tests.oegen.pages.test_timeline import words
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)
from tests.support.readers import HOSTILE, parsed


def page_of(client, record):
    return client.get(record.get_absolute_url())


# Contacts ----------------------------------------------------------------------------------------


def test_contact_page_shows_present_roles_before_past_ones(as_manager, records):
    contact = records["contact"]
    yesterday = timezone.localdate() - timedelta(days=1)
    give_role(contact, make_counterparty("Alder Grid"), "ceo", valid_until=yesterday)
    give_role(contact, records["counterparty"], "deal-lead", valid_from=date(2024, 3, 14))

    text = words(page_of(as_manager, contact))

    assert "ann@larch.example" in text
    assert "Larch Power Deal lead 14 Mar 2024 – Alder Grid CEO not now" in text
    assert "Larch Power: Ann Birch as Deal lead added" in text


def test_role_that_ends_today_is_still_held(as_manager, records):
    give_role(records["contact"], records["counterparty"], valid_until=timezone.localdate())

    assert "not now" not in words(page_of(as_manager, records["contact"]))


def test_role_that_begins_tomorrow_is_not_yet_held(as_manager, records):
    tomorrow = timezone.localdate() + timedelta(days=1)
    give_role(records["contact"], records["counterparty"], valid_from=tomorrow)

    assert "not now" in words(page_of(as_manager, records["contact"]))


def test_hostile_contact_comes_out_as_text(as_manager, portfolio_manager, records):
    contact = make_contact(HOSTILE, job_title=HOSTILE[:100], phone="<i>1</i>")
    give_role(contact, make_counterparty(HOSTILE))
    Comment.objects.create(subject=contact, author=portfolio_manager, text=HOSTILE + "W" * 9_900)

    page = parsed(page_of(as_manager, contact))

    assert page.forbidden == []
    assert HOSTILE in page.text
    assert "<i>1</i>" in page.text
    assert "W" * 9_900 in page.text


def test_counterparty_page_leads_to_its_people(as_manager, records):
    give_role(records["contact"], records["counterparty"])

    html = page_of(as_manager, records["counterparty"]).content.decode()

    assert f'<a href="{records["contact"].get_absolute_url()}">Ann Birch</a>' in html


# Pipelines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dates", "reported"),
    [
        (
            [date(2027, 1, 14), date(2027, 2, 1), date(2027, 3, 16)],
            "61 days later than first recorded (14 Jan 2027)",
        ),
        ([date(2027, 1, 14), date(2027, 1, 13)], "1 day earlier than first recorded (14 Jan 2027)"),
        ([None, date(2027, 1, 14), date(2027, 1, 15)], "1 day later than first recorded"),
        ([date(2027, 1, 14), None, date(2028, 1, 14)], "365 days later than first recorded"),
    ],
)
def test_rtb_date_is_compared_with_the_first_one_recorded(as_manager, db, dates, reported):
    pipeline = make_pipeline(rtb_date=dates[0])
    for day in dates[1:]:
        pipeline.rtb_date = day
        pipeline.save()

    assert reported in words(page_of(as_manager, pipeline))


@pytest.mark.parametrize("dates", [[date(2027, 1, 14)], [None], [date(2027, 1, 14), None]])
def test_rtb_date_that_never_moved_or_is_gone_has_no_slip(as_manager, db, dates):
    pipeline = make_pipeline(rtb_date=dates[0])
    for day in dates[1:]:
        pipeline.rtb_date = day
        pipeline.save()

    assert "than first recorded" not in words(page_of(as_manager, pipeline))


def test_pipeline_page_names_the_people_of_its_counterparties(as_manager, records):
    lead = records["counterparty"]
    pipeline = make_pipeline(lead_developer=lead)
    give_role(records["contact"], lead, "deal-lead")
    yesterday = timezone.localdate() - timedelta(days=1)
    give_role(make_contact("Old Hand"), lead, "ceo", valid_until=yesterday)

    text = words(page_of(as_manager, pipeline))

    assert "Ann Birch Deal lead" in text
    assert "Old Hand" not in text


def places(response) -> list[dict]:
    found = re.search(r'<script id="places-data"[^>]*>(.*?)</script>', response.content.decode())
    return json.loads(found[1]) if found else []


def test_map_holds_the_facilities_that_have_a_place(as_manager, records):
    pipeline = records["pipeline"]
    sited = make_facility(
        HOSTILE, "wind", capacity_mw=Decimal("12.500"), latitude=Decimal("57.1"), longitude=-2
    )
    PipelineFacility.objects.create(pipeline=pipeline, facility=sited)

    for record in (pipeline, sited):
        assert places(page_of(as_manager, record)) == [
            {
                "name": HOSTILE,
                "size": "12.5 MW",
                "latitude": 57.1,
                "longitude": -2.0,
                "url": sited.get_absolute_url(),
            }
        ]


def test_record_without_a_place_loads_no_map(as_manager, records):
    html = page_of(as_manager, records["pipeline"]).content.decode()

    assert "leaflet" not in html
    assert "small-map" not in html


def test_counterparty_with_many_pipelines_leads_to_all_of_them(as_manager, db, monkeypatch):
    monkeypatch.setattr("counterparties.views.SHOWN_PIPELINES", 1)
    developer = make_counterparty("Larch & Sons")
    for name in ("One", "Two"):
        make_pipeline(name, lead_developer=developer)

    response = page_of(as_manager, developer)

    link = f'href="/pipelines/?counterparty_id={developer.pk}&amp;status=all"'
    assert link in response.content.decode()
    listed = as_manager.get("/pipelines/", {"counterparty": developer.name})
    assert len(listed.context["table"].page.object_list) == 2


# Information points ------------------------------------------------------------------------------


def cells(response) -> dict[tuple[int, int], str]:
    """The words of each cell of the matrix, by row from the top and column from the left."""
    table = re.search(r'<table class="heat matrix">.*?</table>', response.content.decode(), re.S)[0]
    return {
        (row, column): " ".join(re.sub(r"<[^>]+>", " ", cell).split())
        for row, line in enumerate(re.findall(r"<tr>(.*?)</tr>", table, re.S)[1:])
        for column, cell in enumerate(re.findall(r"<td[^>]*>(.*?)</td>", line, re.S))
    }


@pytest.mark.parametrize(
    ("impact", "likelihood", "cell"),
    [(1, 1, (4, 0)), (20, 20, (4, 0)), (21, 20, (3, 0)), (100, 100, (0, 4)), (81, 80, (0, 3))],
)
def test_information_point_is_marked_in_its_cell(as_manager, db, impact, likelihood, cell):
    point = make_information_point("Here", impact, likelihood)

    found = cells(page_of(as_manager, point))

    assert len(found) == 25
    assert {place: text for place, text in found.items() if text != "none"} == {
        cell: "1 information point this one"
    }


def test_matrix_counts_the_live_points_of_each_cell(as_manager, db):
    make_information_point("Open", 90, 90)
    make_information_point("Watched", 85, 100, status=Status.WATCHING)
    make_information_point("Over", 95, 95, status=Status.CLOSED)
    closed = make_information_point("Itself over", 10, 10, status=Status.CLOSED)

    response = page_of(as_manager, closed)

    assert cells(response)[0, 4] == "2 information points"
    assert cells(response)[4, 0] == "this one"
    assert "This one is closed, so it is not counted." in words(response)


def test_cell_of_the_matrix_opens_just_the_points_that_it_counts(as_manager, db):
    point = make_information_point("Edge", 61, 40)
    make_information_point("Over", 61, 40, status=Status.CLOSED)

    html = page_of(as_manager, point).content.decode()

    bounds = "impact_min=61&amp;impact_max=80&amp;likelihood_min=21&amp;likelihood_max=40"
    opens = f"/infopoints/?status=live&amp;{bounds}"
    assert f'<a href="{opens}">1<' in html
    opened = as_manager.get(opens.replace("&amp;", "&"))
    assert opened.context["total"] == 1


def test_a_review_in_the_past_is_overdue_unless_the_point_is_closed(as_manager, db):
    today = timezone.localdate()
    yesterday = today - timedelta(days=1)
    late = make_information_point("Late", review_on=yesterday)
    make_information_point("Done with", review_on=yesterday, status=Status.CLOSED)
    make_information_point("Due", review_on=today)
    make_information_point("Undated", market="GB")

    table = as_manager.get("/infopoints/?status=all&columns=review_on,market").context["table"]
    rows = [re.sub(r"<[^>]+>", "|", line) for line in table.rendered_rows()]

    assert [line.split("|")[2] for line in rows if "overdue" in line] == ["Late"]
    assert sum(line.endswith("|—|") for line in rows) == 3, "a market that nobody gave"
    assert "overdue, 1 day ago" in words(page_of(as_manager, late))


def test_open_mw_counts_each_facility_of_the_open_pipelines_once(as_manager, db):
    point = make_information_point()
    shared = make_facility("Shared", "solar", capacity_mw=10)
    named = [
        make_pipeline("One", capacity_mw=30, technology="wind"),
        make_pipeline("Two"),
        make_pipeline("Held", on_hold=True, capacity_mw=500),
        make_pipeline("Sold", outcome="sold", capacity_mw=700),
    ]
    for pipeline in named:
        InformationPointPipeline.objects.create(information_point=point, pipeline=pipeline)
    for pipeline in named[:2]:
        PipelineFacility.objects.create(pipeline=pipeline, facility=shared)
    make_pipeline("Not named", capacity_mw=90)

    response = page_of(as_manager, point)

    assert "Open MW it names 40.0 MW, mixed 2 open pipelines" in words(response)
    opens = f"/pipelines/?infopoint={point.pk}&amp;status=open"
    assert f'<a href="{opens}">40.0' in response.content.decode()
    assert "2 open · 10.0 MWp DC · 30.0 MW AC" in words(response)


# Every record ------------------------------------------------------------------------------------


def test_every_record_has_crumbs_and_an_id_to_quote(as_manager, record):
    response = page_of(as_manager, record)

    assert 'aria-current="page">' + str(record) in response.content.decode()
    assert str(record.pk) in parsed(response).text


def test_empty_sections_tell_editors_what_to_do_next(as_editor, db):
    for record in (
        make_pipeline(),
        make_counterparty(),
        make_contact(),
        make_facility(),
        make_information_point(),
    ):
        html = page_of(as_editor, record).content.decode()
        facts = html[html.index('class="record-columns"') :]
        assert "/change/?next=" in facts, record


def test_empty_sections_offer_managers_no_way_to_edit(as_manager, record):
    assert "/admin/" not in page_of(as_manager, record).content.decode()


class TestConfirmingTheRating:
    """“Still right”, on the page of a pipeline."""

    @pytest.fixture
    def stale(self, db):
        pipeline = make_pipeline(rag_status="amber", rag_comment="Waiting for the offer")
        Pipeline.objects.filter(pk=pipeline.pk).update(
            rag_confirmed_at=timezone.now() - timedelta(days=90)
        )
        pipeline.refresh_from_db()
        return pipeline

    def test_one_click_confirms_what_the_page_shows(self, as_editor, stale):
        page = as_editor.get(stale.get_absolute_url()).text
        assert "Not confirmed for 60 days or more" in page
        assert f'name="version" value="{stale.version}"' in page

        address = f"{stale.get_absolute_url()}confirm-rag/"
        page = as_editor.post(address, {"version": stale.version}, follow=True).text

        assert "is confirmed as of today" in page
        assert "Not confirmed for 60 days" not in page
        assert stale.history.first().history_change_reason == "Still right"

    def test_what_somebody_changed_meanwhile_is_not_confirmed(self, as_editor, stale):
        Pipeline.objects.filter(pk=stale.pk).update(rag_comment="The offer is refused")

        address = f"{stale.get_absolute_url()}confirm-rag/"
        page = as_editor.post(address, {"version": stale.version}, follow=True).text

        assert "Somebody changed this pipeline" in page
        assert "Not confirmed for 60 days" in page

    def test_readers_have_no_button(self, client, manager, stale):
        client.force_login(manager)

        page = client.get(stale.get_absolute_url()).text

        assert "Not confirmed for 60 days" in page
        assert "Still right" not in page


def test_an_information_point_about_a_record_begins_with_it(as_editor, db):
    pipeline = make_pipeline("Kestrel Moor")
    html = as_editor.get(pipeline.get_absolute_url()).text
    form = unescape(re.search(r'href="([^"]*/informationpoint/add/[^"]*)"', html)[1])

    page = as_editor.get(form)
    rows = page.context["inline_admin_formsets"]
    assert [row["pipeline"].value() for row in rows[2].formset.forms] == [str(pipeline.pk)]
    values = {
        "title": "Grid queue",
        "impact": 50,
        "likelihood": 50,
        "status": "open",
        "technology_links-TOTAL_FORMS": 0,
        "technology_links-INITIAL_FORMS": 0,
        "counterparty_links-TOTAL_FORMS": 0,
        "counterparty_links-INITIAL_FORMS": 0,
        "pipeline_links-TOTAL_FORMS": 1,
        "pipeline_links-INITIAL_FORMS": 0,
        "pipeline_links-0-pipeline": str(pipeline.pk),
    }
    as_editor.post(form, values)

    assert pipeline.information_points.get().title == "Grid queue"
    assert as_editor.get(form.replace(str(pipeline.pk), "nonsense")).status_code == 200
