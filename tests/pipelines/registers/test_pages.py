"""The pages of registers, their projects and companies."""

from datetime import date

import pytest
from django.urls import reverse

from counterparties.models import Counterparty
from oegen.asof import as_of
from oegen.core import sql
from oegen.models import ChangeSet, Job
from pipelines.models import Technology
from pipelines.registers.choices import Phase
from pipelines.registers.market import NOTHING, market_of
from pipelines.registers.models import Match, Register, RegisterCompany, RegisterProject
from tests.support.builders import make_counterparty, make_facility, make_pipeline
from tests.support.registers import ingest_repd

EARLY, LATE = date(2024, 7, 31), date(2025, 1, 31)
STATUS, OPERATOR, MW = (
    "Development Status (short)",
    "Operator (or Applicant)",
    "Installed Capacity (MWelec)",
)
LICENCE = "Open Government Licence"


def row(key: str, status: str, **more: str) -> dict[str, str]:
    return {"Ref ID": key, "Site Name": f"Site {key}", STATUS: status, **more}


@pytest.fixture(scope="module")
def editions(module_db):
    """Larch: one consented, one built, one gone; with Alder one in planning. Alder: one refused."""
    both = {OPERATOR: "Larch Energy Ltd / Alder Power"}
    ingest_repd(
        EARLY,
        row("1", "Application Submitted"),
        row("2", "Operational", **{MW: "10"}),
        row("3", "Operational", **{MW: "7"}),
        row("4", "Application Submitted", **both, **{MW: "100"}),
        row("5", "Application Submitted", **{OPERATOR: "Alder Power"}),
        row("6", "Application Submitted", **{OPERATOR: "Mr J Private"}),
    )
    ingest_repd(
        LATE,
        row("1", "Awaiting Construction", **{"Planning Permission Granted": "14/03/2024"}),
        row("2", "Operational", **{MW: "10"}),
        row("3", "Decommissioned", **{MW: "7"}),
        row("4", "Application Submitted", **both, **{MW: "100"}),
        row("5", "Application Refused", **{OPERATOR: "Alder Power"}),
        row("7", "Application Submitted", **{OPERATOR: "Rowan Wind", MW: "9"}),
    )


def company(name: str) -> RegisterCompany:
    return RegisterCompany.objects.get(name=name)


def text_of(client, name: str, *args, **query) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def figures(name: str, measure: str):
    found = market_of(RegisterProject.objects.all()).companies
    [standings] = [one for key, one in found.items() if sql.uuid_of(key) == company(name).pk]
    return standings.get(measure, NOTHING)


def test_company_has_its_projects_in_full_and_the_market_each_once(editions):
    market = market_of(RegisterProject.objects.all())
    assert market.everything["open"] == (3, 149, -71)
    assert market.everything[Phase.BUILT] == (1, 10, -7)
    assert figures("Larch Energy Ltd", "open") == (2, 140, 0)
    assert figures("Larch Energy Ltd", Phase.CONSENTED) == (1, 40, 40)
    assert figures("Alder Power", "open") == (1, 100, -40)


def test_project_of_two_companies_of_a_group_counts_once_for_it(editions):
    larch, alder = company("Larch Energy Ltd"), company("Alder Power")
    RegisterCompany.objects.filter(pk=alder.pk).update(group=larch)
    assert figures("Larch Energy Ltd", Phase.PLANNING) == (1, 100, -80)
    assert len(market_of(RegisterProject.objects.all()).companies) == 2


def test_ranking_opens_the_projects_behind_each_figure(as_manager, editions):
    html = text_of(as_manager, "competitors")
    assert html.index("Larch Energy Ltd") < html.index("Alder Power") < html.index("Rowan Wind")
    assert LICENCE in html
    assert "Private individual" not in html
    response = as_manager.get(reverse("competitors"))
    [larch, *_] = response.context["rows"]
    opened = as_manager.get(larch.cells[0].url)
    assert opened.context["total"] == larch.cells[0].standing.projects == 2


def test_only_the_largest_register_of_a_country_counts_until_another_is_chosen(
    as_manager, editions
):
    """Both may list the same plants."""
    Register.objects.create(
        code="queue",
        name="Queue",
        country="GB",
        adapter="repd",
        publisher="Operator",
        licence_name="Open",
        licence_url="https://licence.example/",
        attribution="Operator",
    )
    ingest_repd(LATE, row("1", "Application Submitted", **{MW: "500"}), register="queue")
    for query, mw in (
        ({}, 149),
        ({"register": "queue"}, 500),
        ({"register": ["repd", "queue"]}, 649),
    ):
        response = as_manager.get(reverse("competitors"), query)
        assert response.context["everything"].mw == mw
        opened = as_manager.get(response.context["everything_url"])
        assert opened.context["capacity"].mw == mw
    assert "may list the same plants" in response.content.decode()
    larch = as_manager.get(reverse("competitor", args=[company("Larch Energy Ltd").pk]))
    assert larch.context["figures"][0].standing.mw == 100
    assert list(larch.context["elsewhere"]) == [("Queue", 1)]


def test_movers_are_those_that_the_newest_edition_changed(as_manager, editions):
    response = as_manager.get(reverse("competitors"), {"by": "change"})
    assert [(row.name, row.change) for row in response.context["rows"]] == [
        ("Rowan Wind", 9),
        ("Alder Power", -40),
    ]


def test_past_day_reads_the_newest_edition_up_to_it(as_manager, editions):
    day = date(2024, 12, 31)
    with as_of(day):
        assert market_of(RegisterProject.objects.all()).everything["open"].mw == 220
        old = RegisterProject.objects.get(key="1")
        assert (old.phase, old.last_seen_on, old.raw_status) == (
            Phase.PLANNING,
            EARLY,
            "Application Submitted",
        )
        assert not RegisterProject.objects.filter(key="7").exists()
    with as_of(LATE):
        assert RegisterProject.objects.get(key="6").is_vanished
    with as_of(date(2024, 7, 30)):
        assert not RegisterProject.objects.exists()
    query = {"as_of": str(day), "register": "repd"}
    assert "Site 7" not in text_of(as_manager, "register-projects", **query)
    project = RegisterProject.objects.get(key="1")
    html = text_of(as_manager, "register-project", project.pk, as_of=str(day))
    assert "Awaiting Construction" not in html


def test_company_page_says_what_it_has_and_what_became_of_it(as_manager, editions):
    otley = make_facility("Otley", latitude="53.95", longitude="-1.70")
    ours = RegisterProject.objects.get(key="1")
    Match.objects.create(project=ours, record=otley, state="accepted")
    html = text_of(as_manager, "competitor", company("Larch Energy Ltd").pk)
    response = as_manager.get(reverse("competitor", args=[company("Larch Energy Ltd").pk]))
    record = response.context["track_record"]
    assert (record.submitted, record.consented, record.built, record.gone) == (4, 3, 1, 1)
    assert record.undecided == 1
    assert [(one.label, one.standing.mw) for one in response.context["figures"]] == [
        ("In planning", 100),
        ("Consented", 40),
        ("In construction", 0),
        ("Built", 10),
    ]
    assert [one.facility.name for one in response.context["near"]] == ["Otley"]
    assert [one.project.key for one in response.context["matched"]] == ["1"]
    assert LICENCE in html


def test_company_becomes_a_counterparty_in_one_step_that_can_be_undone(as_editor, editions):
    rowan = company("Rowan Wind")
    as_editor.post(reverse("competitor", args=[rowan.pk]))
    added = Counterparty.objects.get(name="Rowan Wind")
    match = Match.objects.get(company=rowan)
    assert (match.object_id, match.state) == (added.pk, "accepted")
    change_set = ChangeSet.objects.latest("number")
    assert {added.history.get().change_set, match.history.get().change_set} == {change_set}
    html = text_of(as_editor, "competitor", rowan.pk)
    assert f'href="{added.get_absolute_url()}"' in html
    assert "Add as counterparty" not in html


def test_company_that_is_here_by_name_is_linked_and_not_added_again(as_editor, editions):
    known = make_counterparty("rowan wind")
    rowan = company("Rowan Wind")
    assert "It is our counterparty rowan wind" in text_of(as_editor, "competitor", rowan.pk)
    as_editor.post(reverse("competitor", args=[rowan.pk]))
    assert Match.objects.get(company=rowan).object_id == known.pk
    assert Counterparty.objects.count() == 1


def test_project_page_tells_its_history_and_what_of_ours_it_is(as_manager, editions):
    project = RegisterProject.objects.get(key="1")
    Match.objects.create(project=project, record=make_pipeline("Kestrel"), state="accepted")
    html = text_of(as_manager, "register-project", project.pk)
    assert "<del>Application Submitted</del>" in html
    assert "Kestrel" in html
    assert LICENCE in html
    vanished = text_of(as_manager, "register-project", RegisterProject.objects.get(key="6").pk)
    assert "no longer in the register" in vanished
    assert "Private individual" in vanished


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({}, "123457"),
        ({"seen": "all"}, "1234567"),
        ({"seen": "new"}, "7"),
        ({"seen": "moved"}, "135"),
        ({"seen": "vanished"}, "6"),
        ({"phase": "planning"}, "47"),
        ({"outcome": "refused"}, "5"),
        ({"company": "alder"}, "45"),
        ({"stage": "none"}, "35"),
        ({"status": "oper"}, "2"),
        ({"capacity_min": "50"}, "4"),
        ({"edition": "repd:2025-01-31"}, "7"),
        ({"year_from": "2024"}, "1"),
        ({"q": "site 4"}, "4"),
        ({"technology": "none"}, ""),
    ],
)
def test_filters_of_projects(as_manager, editions, query, keys):
    response = as_manager.get(reverse("register-projects"), query)
    assert {one.key for one in response.context["object_list"]} == set(keys)


def test_filters_know_a_renamed_technology_at_once(as_manager, editions):
    text_of(as_manager, "register-projects")
    solar = Technology.objects.get(code="solar")
    solar.name = "Photovoltaics"
    solar.save()
    response = as_manager.get(reverse("register-projects"))
    assert "Photovoltaics" in str(response.context["filter"].form["technology"])


def test_downloads_name_licence_and_attribution_on_each_row(as_manager, editions):
    lines = b"".join(as_manager.get(reverse("register-projects"), {"download": "csv"})).decode()
    assert sum(LICENCE in line for line in lines.splitlines()) == 6
    assert "Version" not in lines.splitlines()[0]
    ranking = as_manager.get(reverse("competitors"), {"download": "csv"})
    first, larch, *_ = b"".join(ranking).decode().splitlines()
    assert "Licence and attribution" in first
    assert larch.startswith("Larch Energy Ltd,140,100,40,")
    assert LICENCE in larch


def test_editors_fetch_the_registers(as_editor, editions):
    html = text_of(as_editor, "registers")
    assert "1 new" in html
    for _ in range(2):
        as_editor.post(reverse("registers"), {"do": "fetch"})
    assert Job.objects.filter(kind="fetch-registers").count() == 1


def test_the_search_page_has_what_registers_say_of_the_words(as_manager, db):
    ingest_repd(date(2026, 3, 31), {}, {"Ref ID": "102", "Site Name": "Heron Fen"})
    address = f"{reverse('registers-found')}?q=solar%20farm"
    assert address in as_manager.get(f"{reverse('search')}?q=solar+farm").text
    found = as_manager.get(address).text
    assert "Kestrel Moor Solar Farm" in found
    assert "Heron Fen" not in found
    assert 'rel="license"' in found
    assert "Larch Energy Ltd" in as_manager.get(f"{reverse('registers-found')}?q=larch").text
    assert not as_manager.get(f"{reverse('registers-found')}?q=%00").text.strip()
