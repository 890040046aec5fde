"""What is asked of public registers: never ours, never a person, always with its source."""

import json
from datetime import date
from urllib.parse import parse_qsl

import pytest

from dashboard.ask import changing
from dashboard.ask.answering import answer
from dashboard.ask.findings import Findings
from dashboard.ask.grammar import read
from dashboard.ask.lookups import Asker, LookupRefusedError, run, tools
from dashboard.ask.provider.checking import Checker
from dashboard.ask.results import plain
from oegen.people import roles
from pipelines.registers.models import Register
from tests.dashboard.ask.support import EARLY, LATE, load_register
from tests.support.builders import make_user

pytestmark = pytest.mark.django_db

OGL = "Contains public sector information licensed under the Open Government Licence v3.0."
REPD = "Renewable Energy Planning Database"


@pytest.fixture(scope="module")
def asker(module_db):
    person = make_user(roles.PORTFOLIO_MANAGERS, "priya")
    load_register()
    return Asker(person, may_read_personal=True)


def look(asker: Asker, what: str, filters="", findings=None, **more):
    arguments = {"what": what, "filters": filters, **more}
    return run("registers", arguments, asker, findings or Findings())


def names(found) -> list[str]:
    return [row[0].name for row in found.table.rows] if found.table else []


def test_projects_are_those_of_the_list_that_is_linked(asker, client):
    found = look(asker, "projects", "technology=solar")
    assert [one.value for one in found.main] == [3, "75.000"]
    assert names(found) == ["Kestrel Hill Solar", "Oast Field Solar"]
    client.force_login(asker.person)
    response = client.get(found.link)
    assert (response.context["total"], response.context["unknown_parameters"]) == (3, [])
    assert parse_qsl(found.link.partition("?")[2]) == [
        ("sort", "-capacity_mw"),
        ("technology", "solar"),
    ]


def test_companies_are_ranked_as_on_their_page(asker, client):
    found = look(asker, "companies", {"technology": ["bess"], "of": "planning"})
    assert [one.value for one in found.main] == ["149.9", 2, 2]
    assert names(found) == ["Harrowgate Storage Ltd", "Alder Power Ltd"]
    _, mw, share, number, change = found.table.rows[0]
    assert (mw.value, share.text, number.value, change) == ("100.0", "66.7 %", 1, "")
    client.force_login(asker.person)
    rows = client.get(found.link).context["rows"]
    assert [one.name for one in rows] == names(found)
    for figure in found.figures:
        assert client.get(figure.link).status_code == 200
    moved = look(asker, "companies", "by=change")
    assert [(row[0].name, row[4].value) for row in moved.table.rows] == [
        ("Rowan Wind plc", "54.0"),
        ("Alder Power Ltd", "-30.0"),
    ]


def test_day_chooses_the_edition(asker):
    for day, edition, number in ((None, LATE, 6), (date(2024, 12, 31), EARLY, 5)):
        found = look(asker, "projects", "register=repd", as_of=day and str(day))
        assert (found.main[0].value, found.days[0].day) == (number, edition)
        assert found.main[0].day == edition
    with pytest.raises(LookupRefusedError, match=f"No edition of the {REPD} is here up to"):
        look(asker, "projects", "register=repd", as_of="2024-07-30")
    past = Asker(asker.person, as_of=date(2024, 12, 31))
    assert names(look(past, "companies", "technology=onshore-wind")) == ["Rowan Wind plc"]


@pytest.mark.parametrize(
    ("what", "filters", "problem"),
    [
        ("people", "", "what:"),
        ("projects", "price=1", "no filter “price”"),
        ("projects", "of=built", "no filter “of”"),
        ("companies", "phase=built", "no filter “phase”"),
        ("companies", "of=profit", "There is no “profit” here"),
        ("companies", "by=age", "There is no “age” here"),
        ("projects", "register=tec", "No edition of the Transmission Entry Capacity register"),
    ],
)
def test_lookup_says_what_is_wrong(asker, what, filters, problem):
    with pytest.raises(LookupRefusedError, match=problem):
        look(asker, what, filters)


def test_private_individuals_are_counted_and_never_named(asker):
    stranger = Asker(asker.person)
    for one in (asker, stranger):
        found = look(one, "projects", "seen=new")
        assert (found.main[0].value, names(found)) == (2, ["Glen Wind"])
        assert "Projects of private individuals are counted, and not named." in found.remarks
        told = [plain(found, one), tools(one), answer("what is new in REPD", one).as_json()]
        told.append(plain(look(one, "companies"), one))
        assert not {"Smithson", "Smithy"} & set(json.dumps(told).replace('"', " ").split())
    assert "Smithson" in read("projects of Mr Smithson in REPD", asker).unread


def test_answers_say_whose_figures_they_are(asker):
    for question in ("largest competitors in solar", "projects of Rowan Wind in public registers"):
        text = answer(question, asker).text
        assert f"in public registers ({REPD}, edition of 31 Jan 2025)" in text
        assert text.endswith(f"Source: {REPD}, edition of 31 Jan 2025. {OGL}")


def test_model_never_takes_them_for_ours(asker):
    """Without the register's name the server adds it; attribution comes with every lookup."""
    findings = Findings()
    found = look(asker, "companies", "technology=bess", findings)
    checker = Checker("How many MW do we have in the register?", asker, findings)
    mw, company = found.main[0].ref, found.table.rows[0][0].ref
    for text in (f"We have {{{mw}}}.", f"Our market has {{{company}}}."):
        assert f"Companies in public registers {REPD}" in checker.check(text)
    assert plain(found, asker)["remarks"][-1].endswith(OGL)


def test_other_questions_are_not_about_registers(asker):
    for question in ("open MW by market", "market risks for BESS", "risks about competitors"):
        assert read(question, asker).lookup in ("metric", "records")


def test_parts_of_a_reading_can_be_changed(asker):
    reading = read("largest competitors in planning in solar", asker).as_json()
    chips = {one.label: one for one in changing.chips_of(reading, "?", asker)}
    assert chips["Ranked by"].text == "In planning"
    assert {"As usual", "Consented", "Built"} <= {one.label for one in chips["Ranked by"].others}
    assert (chips["Technology"].text, chips[""].text) == ("Solar", "Companies in public registers")
    again = changing.decoded(changing.encoded(reading))
    assert again.as_json() == reading
    phase = changing.chips_of(read("consented solar in REPD", asker).as_json(), "?", asker)
    assert {"Phase", "Register", "Technology"} <= {one.label for one in phase}


def test_register_of_ones_own_is_known_by_its_name(asker):
    """Also by its code, and not before it has an edition."""
    assert not Register.objects.get(code="mastr").editions.exists()
    reading = read("solar in the Marktstammdatenregister", asker)
    assert dict(parse_qsl(reading.filters)) == {"register": "mastr", "technology": "solar"}
    assert "No edition of the Marktstammdatenregister" in answer("wind in MaStR", asker).text
