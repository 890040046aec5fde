"""What a file would do: new, changed and unchanged rows, and what stands against them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from counterparties.models import Counterparty
from infopoints.models import InformationPoint
from oegen import audit
from oegen.audit.revert.undoing import undo
from oegen.imports.tables.asking import KEEP, NEW, TAKE
from oegen.models import Comment, ExternalReference
from oegen.people.roles import ADMINISTRATORS, MANAGERS
from pipelines.models import Facility, Milestone, Pipeline
from tests.oegen.imports.tables.conftest import changed
from tests.support.builders import (
    make_counterparty,
    make_milestone,
    make_pipeline,
    make_user,
)

pytestmark = pytest.mark.django_db

PROJECTS = """\
Project;Status;Technology;Capacity (kW);RTB date;Lead developer;Country
Oak;Design;Solar;12.500,5;31.12.2027;Birch Energy;GB
Elm;Construction;BESS;50.000;1.2.2027;Birch Energy;Spain
"""


def test_a_german_spreadsheet_makes_projects_with_facilities_and_a_shared_developer(importing):
    change_sets = importing.apply("pipelines", PROJECTS)
    oak = Pipeline.objects.get(project_name="Oak")
    assert oak.facilities.get().capacity_mw == Decimal("12.501")
    assert oak.facilities.get().technology.code == "solar"
    assert str(oak.rtb_date) == "2027-12-31"
    assert str(oak.counterparty_links.get().counterparty) == "Birch Energy"
    assert Counterparty.objects.count() == 1
    assert Facility.objects.get(name="Elm").country == "ES"
    assert oak.transitions.get().stage.code == "design"
    assert len(change_sets) == 1
    again = importing.plan("pipelines", PROJECTS)
    assert changed(again) == {"unchanged": 2}
    undo(change_set=change_sets[0], reason="Wrong file", person=make_user(ADMINISTRATORS))
    assert not Pipeline.objects.exists() and not Counterparty.objects.exists()


def test_every_error_is_told_at_once_with_its_cell(importing):
    make_counterparty("Ash", lei="5493001KJTIIGC8Y1R12")
    found = importing.plan(
        "counterparties",
        "Name,Country,LEI,Website\nAlder,Atlantis,5493001KJTIIGC8Y1R13,no address\nBeech,GB,,\n",
    )
    assert changed(found) == {"created": 1, "refused": 1}
    told = {(row, problem.heading, problem.value) for row, problem in found.problems()}
    assert told == {
        (2, "Country", "Atlantis"),
        (2, "LEI", "5493001KJTIIGC8Y1R13"),
        (2, "Website", "no address"),
    }


def test_five_hundred_wrong_rows_are_five_hundred_reasons(importing):
    rows = "".join(f"P{n},Design,Solar,x{n}\n" for n in range(500))
    found = importing.plan("pipelines", f"Project,Status,Technology,Capacity (MW)\n{rows}")
    assert changed(found) == {"refused": 500}
    assert [(row, problem.heading, problem.value) for row, problem in found.problems()] == [
        (n + 2, "Capacity (MW)", f"x{n}") for n in range(500)
    ]


def test_what_the_database_refuses_is_found_by_trying(importing):
    text = "Facility,Technology,Storage (MWh)\nOak,Solar,\nElm,BESS,8\nAsh,Solar,4\n"
    found = importing.plan("facilities", text)
    [(row, problem)] = found.problems()
    assert (row, problem.heading) == (4, "Storage (MWh)")
    assert "stores no energy" in problem.message
    assert changed(found) == {"created": 2, "refused": 1}


def test_a_column_without_a_field_is_a_question_with_suggestions(importing):
    text = "Name,Companys number,Colour\nAlder,123,red\n"
    found = importing.plan("counterparties", text)
    assert [one.key for one in found.questions] == ["column:Companys number", "column:Colour"]
    assert found.questions[0].suggestion == "company_number"
    choices = {"column:Companys number": "company_number", "column:Colour": "-"}
    assert changed(importing.plan("counterparties", text, choices=choices)) == {"created": 1}


@pytest.mark.parametrize(
    ("header", "cells", "key"),
    [
        ("RTB date", ["1/2/2027", "3/4/2027"], "order:rtb_date"),
        ("Ownership", ["1.50", "2.25"], None),
        ("Ownership", ["1,500", "2,250"], "decimal:ownership_pct"),
        ("Capacity", ["40", "50"], "unit:facility.capacity_mw"),
        ("Capacity", ["40 MW", "50 MW"], None),
        ("RTB date", ["13/2/2027", "3/4/2027"], None),
    ],
)
def test_two_possible_readings_are_a_question_and_never_a_guess(importing, header, cells, key):
    rows = "\n".join(f'P{place},Design,Solar,"{cell}"' for place, cell in enumerate(cells))
    found = importing.plan("pipelines", f"Project,Status,Technology,{header}\n{rows}\n")
    assert [one.key for one in found.questions] == ([key] if key else [])


def test_grid_coordinates_are_found_and_become_degrees(importing):
    importing.apply(
        "facilities",
        "Name,Technology,X-coordinate,Y-coordinate\nBig Ben,Solar,530268,179640\n",
    )
    place = Facility.objects.get()
    assert (round(place.latitude, 3), round(place.longitude, 3)) == (
        Decimal("51.501"),
        Decimal("-0.125"),
    )


def test_rows_of_a_group_are_facilities_of_one_project(importing):
    mapping = {
        "source": "MaStR",
        "grouping": "Park",
        "constants": {"status": "Design"},
        "columns": [
            {"heading": "Unit", "field": "facility.reference"},
            {"heading": "Turbine", "field": "facility.name"},
            {"heading": "Kind", "field": "facility.technology", "values": {"Wind": "wind"}},
            {"heading": "Park", "field": "project_name"},
        ],
    }
    text = "Unit,Turbine,Kind,Park\nSEE1,WEA 1,Wind,Hill\nSEE2,WEA 2,Wind,Hill\nSEE3,WEA 9,Wind,\n"
    importing.apply("pipelines", text, mapping)
    hill = Pipeline.objects.get(project_name="Hill")
    assert {one.name for one in hill.facilities.all()} == {"WEA 1", "WEA 2"}
    assert Pipeline.objects.count() == 2
    assert ExternalReference.objects.filter(source="MaStR").count() == 3
    assert changed(importing.plan("pipelines", text, mapping)) == {"unchanged": 3}
    renamed = text.replace("WEA 2", "WEA 2a").replace("Hill", "Hill farm")
    found = importing.plan("pipelines", renamed, mapping)
    assert changed(found) == {"unchanged": 1, "refused": 2}
    importing.apply("pipelines", renamed, mapping, choices={one.key: TAKE for one in found.asked()})
    assert hill.facilities.filter(name="WEA 2a", pipelines__project_name="Hill farm").exists()


def test_a_record_is_found_by_reference_number_and_other_name(importing):
    birch = make_counterparty("Birch Energy", aliases="Birch", country="GB", company_number="00123")
    mapping = {"source": "Register"}
    importing.apply("counterparties", "Reference,Name\nR1,birch\n", mapping)
    assert ExternalReference.objects.get().object_id == birch.pk
    importing.apply("counterparties", "Reference,Name,Strategy\nR1,Birch,Wait\n", mapping)
    importing.apply(
        "counterparties",
        "Name,Company number,Country,Website\nBirch Ltd,123,GB,https://birch.example\n",
    )
    birch.refresh_from_db()
    assert (birch.strategy, birch.website) == ("Wait", "https://birch.example")
    birch.delete()
    assert not ExternalReference.objects.exists()


def test_a_similar_name_is_asked_about(importing):
    make_counterparty("Müller & Söhne")
    text = "Name,Strategy\nMuller Sohne,Grow\n"
    found = importing.plan("counterparties", text)
    assert changed(found) == {"refused": 1}
    [asked] = found.asked()
    same = importing.plan("counterparties", text, choices={asked.key: asked.options[0].value})
    assert changed(same) == {"changed": 1}
    other = importing.plan("counterparties", text, choices={asked.key: NEW})
    [question] = other.asked()  # The form's own, about the same name.
    both = {asked.key: NEW, question.key: TAKE}
    assert changed(importing.plan("counterparties", text, choices=both)) == {"created": 1}


def test_an_id_that_is_unknown_or_repeated_is_an_error(importing):
    oak = make_pipeline("Oak")
    text = f"ID,Pipeline\n{oak.pk},Oak\n{oak.pk},Oak 2\n{'0' * 31}1,Elm\nx,Ash\n"
    found = importing.plan("pipelines", text)
    assert {row for row, _ in found.problems()} == {3, 4, 5}
    assert changed(found) == {"unchanged": 1, "refused": 3}


def test_what_both_changed_since_the_export_is_a_conflict_decided_by_cell(importing):
    oak = make_pipeline("Oak", rag_status="green", next_step="Call", cod_date="2030-01-01")
    oak = Pipeline.objects.get(pk=oak.pk)
    oak.rag_status, oak.next_step = "red", "Write"
    oak.save()
    text = f"ID,Version,Pipeline,RAG,Next step,COD\n{oak.pk},1,Oak,Amber,Call,2031-01-01\n"
    found = importing.plan("pipelines", text)
    [conflict] = found.rows[0].conflicts
    assert (conflict.base, conflict.theirs, conflict.mine) == ("Green", "Red", "Amber")
    assert changed(found) == {"conflicting": 1}
    for choice, rag in ((KEEP, "red"), (TAKE, "amber")):
        importing.apply("pipelines", text, choices={conflict.key: choice})
        oak.refresh_from_db()
        # The next step of the file is the old one: what was written since stays.
        assert (oak.rag_status, oak.next_step, str(oak.cod_date)) == (rag, "Write", "2031-01-01")


def test_an_empty_cell_leaves_and_clear_empties(importing):
    oak = make_pipeline("Oak", next_step="Call", rag_comment="Fine", rag_status="green")
    text = f"ID,Pipeline,Next step,RAG comment,Status\n{oak.pk},Oak,(clear),,\n"
    importing.apply("pipelines", text)
    oak.refresh_from_db()
    assert (oak.next_step, oak.rag_comment) == ("", "Fine")
    found = importing.plan("pipelines", f"ID,Pipeline\n{oak.pk},(clear)\n")
    assert "can't be empty" in next(found.problems())[1].message


def test_permissions_and_rules_are_those_of_the_forms(importing):
    oak = make_pipeline("Oak")
    text = f"ID,Pipeline,Next step due\n{oak.pk},Oak,2027-01-01\n"
    found = importing.plan("pipelines", text, person=make_user(MANAGERS))
    messages = {problem.message for _, problem in found.problems()}
    assert {
        "You may not change pipelines.",
        "Say what the next step is, or clear its day.",
    } <= messages


def test_milestones_set_their_own_day_or_that_of_the_project(importing):
    oak = make_pipeline("Oak", rtb_date="2027-01-01")
    offer = make_milestone(pipeline=oak, forecast_on="2027-03-01")
    importing.apply(
        "milestones",
        "Pipeline,Milestone,Expected or done,Evidence\n"
        "Oak,RTB,2027-06-01,\n"
        "Oak,Grid offer accepted,2027-04-01,Letter\n"
        "Oak,Planning granted,2027-02-01,\n",
    )
    oak.refresh_from_db()
    offer.refresh_from_db()
    assert (str(oak.rtb_date), str(offer.forecast_on)) == ("2027-06-01", "2027-04-01")
    assert offer.evidence_note == "Letter"
    assert Milestone.objects.filter(pipeline=oak).count() == 3


def test_two_milestones_set_both_days_of_their_project(importing):
    oak = make_pipeline("Oak", rtb_date="2027-01-01", cod_date="2028-01-01")
    text = "Pipeline,Milestone,Forecast\nOak,RTB,2027-06-01\nOak,COD,2028-06-01\n"
    for days in (text, text.replace("06-01", "07-01")):
        importing.apply("milestones", days)
    oak.refresh_from_db()
    assert (str(oak.rtb_date), str(oak.cod_date)) == ("2027-07-01", "2028-07-01")


def test_a_mapping_tells_columns_of_one_name_apart_and_ignores_none(importing):
    text = "Company,Note,Note\nBirch,GB,ES\n"
    columns = [
        {"heading": "Company", "field": "name"},
        {"heading": "Note (column C)", "field": "country"},
        {"heading": "Note", "field": "gone"},
    ]
    asked = importing.plan("counterparties", text, {"columns": columns}).questions
    assert [one.key for one in asked] == ["column:Note"]
    importing.apply("counterparties", text, {"columns": columns, "left_out": ["Note"]})
    assert Counterparty.objects.get().country == "ES"
    columns[2]["field"] = "country"
    asked = importing.plan("counterparties", text, {"columns": columns}).questions
    assert [one.key for one in asked] == ["repeated:Note (column C)"]


def test_contacts_information_points_and_comments_come_in(importing):
    make_counterparty("Birch")
    oak = make_pipeline("Oak")
    importing.apply("contacts", "Contact,E-mail,Roles\nAnn Lee,ann@birch.example,CEO at Birch\n")
    importing.apply(
        "infopoints",
        "Title,Impact,Likelihood,Technologies,Counterparties,Pipelines\n"
        "Prices fall,50,60,Solar/BESS,['Birch'],Oak\n",
    )
    point = InformationPoint.objects.get()
    assert point.technologies.count() == 2
    assert [str(one) for one in point.pipelines.all()] == ["Oak"]
    author = make_user(ADMINISTRATORS)
    importing.apply("comments", "Record,Comment\nOak,Spoke to them\n", person=author)
    comment = Comment.objects.get()
    assert (comment.subject, comment.author) == (oak, author)
    text = "Record,Comment\nOak,Spoke to them\n"
    assert changed(importing.plan("comments", text)) == {"unchanged": 1}
    contacts = "Contact,E-mail,Roles\nAnn Lee,ANN@birch.example,CEO at Birch\n"
    assert changed(importing.plan("contacts", contacts)) == {"changed": 1}


def test_a_status_keeps_its_effective_day_and_needs_no_second_entry(importing):
    oak = make_pipeline("Oak", stage="discovery")
    oak.transitions.update(effective_on="2024-01-01")
    importing.apply("pipelines", "Pipeline,Status,Status since\nOak,Design,2025-05-05\n")
    moves = list(oak.transitions.order_by("recorded_at"))
    assert [str(move.effective_on) for move in moves] == ["2024-01-01", "2025-05-05"]
    assert moves[-1].stage.code == "design"


def test_one_change_set_has_it_all_with_reason_and_answers(importing):
    make_counterparty("Müller")
    text = "Name\nMuller\nAsh\n"
    found = importing.plan("counterparties", text, save_anyway=True)
    assert changed(found) == {"created": 2}
    [change_set] = importing.apply("counterparties", text, save_anyway=True)
    assert (change_set.source, change_set.reason) == (audit.Source.IMPORT, "Import")
    assert change_set.answer_count == 1
