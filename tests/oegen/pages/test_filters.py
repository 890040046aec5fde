"""What each filter finds, that a wrong value is told beside it, and what a chip leads to."""

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from counterparties.models import ContactRole, CounterpartyContact
from infopoints.models import InformationPointTechnology
from pipelines.models import CounterpartyRole, Facility, Pipeline, PipelineCounterparty, Technology
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)


def listed(response) -> set[str]:
    return {str(row.record) for row in response.context["table"].paginated_rows}


def get(client, name: str, **query):
    return client.get(reverse(name), query)


@pytest.fixture
def three_pipelines(db):
    larch = make_counterparty("Larch Power", aliases="Old Larch")
    rowan = make_counterparty("Rowan Energy")
    alpha = make_pipeline(
        "Alpha", capacity_mw=10, lead_developer=larch, rtb_date=date(2030, 1, 1), rag_status="red"
    )
    bravo = make_pipeline("Bravo", capacity_mw=50, rtb_date=date(2031, 6, 1))
    make_pipeline("Charlie")
    owner = CounterpartyRole.objects.get(code="owner")
    PipelineCounterparty.objects.create(pipeline=bravo, counterparty=larch, role=owner)
    PipelineCounterparty.objects.create(pipeline=alpha, counterparty=rowan, role=owner)
    Facility.objects.filter(name="Alpha").update(country="GB", region="Highland")
    Facility.objects.filter(name="Bravo").update(country="ES", region="Castilla")
    Pipeline.objects.filter(pk=alpha.pk).update(
        rag_confirmed_at=timezone.now() - timedelta(days=40)
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"counterparty": "larch"}, {"Alpha", "Bravo"}),
        ({"counterparty": "old larch"}, {"Alpha", "Bravo"}),
        ({"counterparty": "larch", "role": "owner"}, {"Bravo"}),
        ({"role": "owner"}, {"Alpha", "Bravo"}),
        ({"role": "lead-developer"}, {"Alpha"}),
        ({"country": "ES"}, {"Bravo"}),
        ({"region": "high"}, {"Alpha"}),
        ({"capacity_min": "10"}, {"Alpha", "Bravo"}),
        ({"capacity_min": "10.5"}, {"Bravo"}),
        ({"capacity_max": "49.9"}, {"Alpha"}),
        ({"capacity_min": "20", "capacity_max": "60", "sort": "-capacity_mw"}, {"Bravo"}),
        ({"rtb_from": "2030-01-01", "rtb_to": "2031-05-31"}, {"Alpha"}),
        ({"rtb_from": "2031-06-01"}, {"Bravo"}),
        ({"not_confirmed": "30"}, {"Alpha", "Bravo", "Charlie"}),
        ({"not_confirmed": "60"}, {"Bravo", "Charlie"}),
        ({"not_confirmed": "30", "rag": "red"}, {"Alpha"}),
        ({"changed_since": "2000-01-01"}, {"Alpha", "Bravo", "Charlie"}),
        ({"changed_since": "2999-01-01"}, set()),
    ],
)
def test_pipelines_are_found_by(as_manager, three_pipelines, query, found):
    assert listed(get(as_manager, "pipelines", **query)) == found


def test_pipelines_of_one_counterparty_are_not_those_of_its_namesakes(as_manager, db):
    larch, namesake = make_counterparty("Larch"), make_counterparty("Larch Power")
    alpha = make_pipeline("Alpha", lead_developer=larch)
    make_pipeline("Bravo", lead_developer=namesake)
    owner = CounterpartyRole.objects.get(code="owner")
    PipelineCounterparty.objects.create(pipeline=alpha, counterparty=larch, role=owner)

    response = get(as_manager, "pipelines", counterparty_id=larch.pk)

    assert [row.record.project_name for row in response.context["table"].page.object_list] == [
        "Alpha"
    ]
    chips = response.context["filter"].chips()
    assert [(chip.label, chip.text) for chip in chips] == [
        ("Status", "Open, all stages"),
        ("Counterparty", "Larch"),
    ]


def test_lists_of_what_somebody_others_or_nobody_holds_say_how_much_that_is(as_manager, db):
    larch, rowan = make_counterparty("Larch"), make_counterparty("Rowan " * 12)
    make_pipeline("Alpha", capacity_mw=40, lead_developer=larch)
    bravo = make_pipeline("Bravo", capacity_mw=10, lead_developer=larch)
    make_pipeline("Charlie", capacity_mw=5)
    owner = CounterpartyRole.objects.get(code="owner")
    PipelineCounterparty.objects.create(
        pipeline=bravo, counterparty=rowan, role=owner, share_pct=30
    )
    gone = "123e4567-e89b-12d3-a456-426614174000"

    def shown(**query):
        page = get(as_manager, "pipelines", **query)
        [held] = page.context["held"].values()
        _, chip = page.context["filter"].chips()
        assert f"</b> of it held by <bdi>{held[0]}</bdi>" in page.text
        return listed(page), held[1], f"{chip.label} {chip.text}"

    assert shown(held_by=larch.pk) == ({"Alpha"}, 40, "Held by Larch")
    assert shown(held_by_others=f"{larch.pk},{gone}") == (
        {"Bravo"},
        3,
        "Held by others than Larch",
    )
    assert shown(held_by_others=f"{rowan.pk},{larch.pk},{make_counterparty('Third').pk}")[2] == (
        "Held by others than Rowan Rowan Rowan R…, Larch and 1 more"
    )
    assert shown(held_by_nobody="yes") == (
        {"Bravo", "Charlie"},
        12,
        "Held by nobody, in part or whole",
    )
    both = get(as_manager, "pipelines", held_by_nobody="yes", also=f"held_by={rowan.pk}")
    assert [mw for _, mw in both.context["held"].values()] == [3, 7]
    nothing = get(as_manager, "pipelines", held_by_nobody="yes", q="no such words")
    assert [mw for _, mw in nothing.context["held"].values()] == [0]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"country": "GB"}, {"North"}),
        ({"region": "murc"}, {"South"}),
        ({"capacity_min": "5", "capacity_max": "5"}, {"North"}),
    ],
)
def test_facilities_are_found_by(as_manager, query, found):
    make_facility("North", capacity_mw=5, country="GB", region="Highland")
    make_facility("South", capacity_mw=7, country="ES", region="Murcia")
    make_facility("Nowhere")

    assert listed(get(as_manager, "facilities", **query)) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"country": "GB"}, {"Larch"}),
        ({"role": "lead-developer"}, {"Larch"}),
        ({"role": "owner"}, set()),
        ({"kind": "current"}, {"Larch"}),
        ({"kind": "placeholder"}, {"Unknown 7"}),
        ({"kind": "archived"}, {"Gone"}),
    ],
)
def test_counterparties_are_found_by(as_manager, query, found):
    make_pipeline(lead_developer=make_counterparty("Larch", country="GB"))
    make_counterparty("Unknown 7", is_placeholder=True)
    make_counterparty("Gone", archived_at=timezone.now())

    assert listed(get(as_manager, "counterparties", **query)) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "ana head"}, {"Ana Ruiz"}),
        ({"q": "bo@"}, {"Bo Lind"}),
        ({"counterparty": "larch"}, {"Ana Ruiz", "Bo Lind"}),
        ({"counterparty": "larch", "role": "ceo"}, {"Ana Ruiz"}),
        ({"role": "deal-lead"}, {"Ana Ruiz", "Bo Lind"}),
    ],
)
def test_contacts_are_found_by(as_manager, query, found):
    larch, rowan = make_counterparty("Larch"), make_counterparty("Rowan")
    ana = make_contact("Ana Ruiz", job_title="Head of deals")
    bo = make_contact("Bo Lind", email="bo@larch.example")
    make_contact("Cy Nowhere")
    roles = {role.code: role for role in ContactRole.objects.all()}
    for contact, counterparty, code in [
        (ana, larch, "ceo"),
        (ana, rowan, "deal-lead"),
        (bo, larch, "deal-lead"),
    ]:
        CounterpartyContact.objects.create(
            contact=contact, counterparty=counterparty, role=roles[code]
        )

    assert listed(get(as_manager, "contacts", **query)) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"technology": "solar"}, {"Panels"}),
        ({"rating_min": "2000"}, {"Panels"}),
        ({"rating_max": "100"}, {"Queue", "Over"}),
        ({"review": "due"}, {"Panels"}),
        ({"review": "later"}, {"Queue"}),
        ({"owner": "priya"}, {"Panels"}),
        ({"owner": "no owner"}, {"Queue", "Over"}),
        ({"status": "live"}, {"Panels", "Queue"}),
        ({"status": "closed"}, {"Over"}),
    ],
)
def test_information_points_are_found_by(as_manager, portfolio_manager, query, found):
    today = timezone.localdate()
    panels = make_information_point("Panels", 50, 50, owner=portfolio_manager, review_on=today)
    make_information_point("Queue", 10, 10, review_on=today + timedelta(days=1))
    make_information_point("Over", 5, 5, status="closed", review_on=today)
    InformationPointTechnology.objects.create(
        information_point=panels, technology=Technology.objects.get(code="solar")
    )

    assert listed(get(as_manager, "infopoints", **{"status": "all", **query})) == found


@pytest.mark.parametrize(
    ("name", "query", "sentence"),
    [
        ("pipelines", {"capacity_min": "lots"}, "Give a number in digits, such as 50."),
        ("pipelines", {"capacity_min": "1_0"}, "Give a number in digits, such as 50."),
        ("infopoints", {"rating_min": "1_0"}, "Give a number in digits, such as 2500."),
        ("pipelines", {"capacity_min": "-1"}, "greater than or equal to 0"),
        ("pipelines", {"capacity_max": "1e400"}, "less than or equal to"),
        ("pipelines", {"capacity_min": "9", "capacity_max": "8"}, "This lies below"),
        ("pipelines", {"rtb_from": "14.3.27"}, "Give a day as year-month-day"),
        ("pipelines", {"rtb_from": "2027-02-30"}, "Give a day as year-month-day"),
        ("pipelines", {"not_confirmed": "2.5"}, "Give a whole number, such as 30."),
        ("pipelines", {"not_confirmed": "99999"}, "less than or equal to 36500"),
        ("pipelines", {"role": "boss"}, "There is no “boss” here"),
        ("pipelines", {"country": "XX"}, "There is no “XX” here"),
        ("pipelines", {"counterparty": "a\x00b"}, "Null characters are not allowed."),
        ("pipelines", {"changed_since": "soon"}, "Give a day as year-month-day"),
        ("pipelines", {"held_by_others": "acme"}, "it wants their ids, with commas between them."),
        ("pipelines", {"held_by_others": f"{'0' * 32},{'1' * 32}"}, "are not there, or no longer."),
        ("pipelines", {"held_by_nobody": "no"}, "There is no “no” here."),
        ("facilities", {"capacity_max": "NaN"}, "Give a number in digits"),
        ("counterparties", {"kind": "dead"}, "There is no “dead” here"),
        ("contacts", {"role": "boss"}, "There is no “boss” here"),
        ("infopoints", {"rating_min": "high"}, "Give a number in digits, such as 2500."),
        ("infopoints", {"owner": "nobody-here"}, "There is no “nobody-here” here"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_wrong_value_is_reported_beside_its_filter(as_manager, name, query, sentence, headers):
    response = as_manager.get(reverse(name), query, headers=headers)

    html = response.content.decode()
    assert response.status_code == 200
    assert sentence in html.split('class="filter-wrong"')[1].split("</p>")[0]
    assert listed(response) == set()


def test_each_active_filter_has_a_chip_that_leads_to_the_list_without_it(as_manager):
    make_pipeline("Alpha", capacity_mw=10, rag_status="red")

    response = get(
        as_manager, "pipelines", rag="red", capacity_min="5", rtb_to="", sort="rtb_date", page="1"
    )

    chips = response.context["filter"].chips()
    assert [(chip.label, chip.text) for chip in chips] == [
        ("Status", "Open, all stages"),
        ("RAG", "Red"),
        ("Capacity from, MW", "5"),
    ]
    assert chips[1].query == "capacity_min=5&rtb_to=&sort=rtb_date"
    assert "?rag=red&amp;rtb_to=&amp;sort=rtb_date" in response.content.decode()


#: The filters behind "More filters", open.
MORE_OPEN = r"<details [^>]*open>\s*<summary.*More filters"


def test_fields_drawn_for_one_address_keep_no_value_or_error_for_the_next(as_manager):
    def drawn(**query):
        page = get(as_manager, "pipelines", **query).content.decode()
        panel = page[page.index('id="id_region"') - 200 :]
        return "Highland" in panel, "lies below" in page

    assert drawn(region="Highland") == (True, False)
    assert drawn(capacity_min="2") == (False, False)
    assert drawn(capacity_min="2", capacity_max="1") == (False, True)
    assert drawn(capacity_min="2", region="Highland") == (True, False)
    assert drawn() == (False, False)


def test_filters_behind_more_are_open_while_one_is_active(as_manager):
    assert not re.search(MORE_OPEN, get(as_manager, "pipelines").content.decode())
    html = get(as_manager, "pipelines", region="x").content.decode()
    assert re.search(MORE_OPEN, html)


def test_htmx_gets_the_results_and_no_page_around_them(as_manager):
    make_pipeline("Alpha")

    response = as_manager.get(reverse("pipelines"), {"q": "alp"}, headers={"HX-Request": "true"})

    html = response.content.decode()
    assert "<html" not in html
    assert 'id="results"' in html
    assert "Alpha" in html
    assert "HX-Request" in response["Vary"], "the parts are no page to go back to"


@pytest.mark.parametrize(
    "name",
    [
        "dashboard",
        "changes",
        "pipelines",
        "board",
        "map",
        "facilities",
        "counterparties",
        "contacts",
        "infopoints",
        "audit",
        "removed-records",
    ],
)
def test_htmx_gets_each_page_s_results_without_any_filter_too(as_manager, name):
    response = as_manager.get(reverse(name), headers={"HX-Request": "true"})

    assert response.status_code == 200
    for _, summary in response.context["filter"].summaries():
        assert summary and str(summary) in response.text
