"""Unreadable files and rejected rows, and the messages of the command."""

import uuid

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from counterparties.models import Counterparty
from dashboard.management.commands.import_demo_csv import Command
from infopoints.models import InformationPoint
from oegen.models import ChangeSet
from pipelines.models import CounterpartyRole, Facility, Pipeline
from pipelines.reference import LEAD_DEVELOPER
from tests.dashboard.demo_import.test_demo_import import row_counts
from tests.support.builders import make_counterparty, make_facility

pytestmark = pytest.mark.django_db


def replace(old: str, new: str):
    return lambda text: text.replace(old, new)


UNREADABLE = {
    "missing file": (
        None,
        "pipelines.csv: there is no such file in the folder “demo-files”",
    ),
    "empty file": (
        lambda text: "",
        "pipelines.csv, line 1, column 1: the file is empty. Its first line should name",
    ),
    "blank file": (lambda text: "\n \n", "pipelines.csv, line 2, column 1: the file is empty"),
    "missing column": (
        replace("RTBDate", "ReadyToBuild"),
        "pipelines.csv, line 1: the column “RTBDate” is missing",
    ),
    "column twice": (
        replace("RAGComment", "Lat"),
        "pipelines.csv, line 1: the column “RAGComment” is missing",
    ),
    "extra column twice": (
        lambda text: "\n".join(line + ",Lat" for line in text.splitlines()),
        "pipelines.csv, line 1: the column “Lat” is there twice",
    ),
    "semicolons": (
        replace(",", ";"),
        "pipelines.csv, line 1, column 3: the columns are separated by semicolons",
    ),
    "tabs": (
        replace(",", "\t"),
        "pipelines.csv, line 1, column 3: the columns are separated by tabs",
    ),
    "open quote": (
        replace("Knot Point", '"Knot Point'),
        "pipelines.csv, line 10, column 1: from here on the file can't be split into cells",
    ),
    "endless line": (
        replace("Knot Point", "K" * 1_100_000),
        "pipelines.csv, line 10, column 1: the line is longer than 1,000,000 bytes",
    ),
    "huge cell": (
        replace("Knot Point", "K" * 600_000),
        "pipelines.csv, line 10, column 1: from here on the file can't be split into cells (field",
    ),
}


@pytest.mark.parametrize(("change", "sentence"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_file_stops_the_whole_import(demo, change, sentence):
    path = demo.path / "pipelines.csv"
    if change is None:
        path.unlink()
    else:
        path.write_text(change(path.read_text("utf-8")), "utf-8")
    before = row_counts()
    error = demo.refused(apply=True)
    assert str(error).startswith(sentence)
    assert str(error).endswith("Nothing was imported.")
    assert row_counts() == before


def test_the_oldest_layout_is_refused_with_what_to_do(demo):
    oldest = "Technology,SolarCapacity,WindCapacity,BESSCapacity"
    path = demo.path / "pipelines.csv"
    path.write_text(replace("Technology,Capacity", oldest)(path.read_text("utf-8")), "utf-8")
    assert (
        "In this older layout SolarCapacity, WindCapacity and BESSCapacity hold the capacity: add "
        "a column “Capacity” with the figure that belongs to each row’s technology."
    ) in str(demo.refused())


def test_a_file_that_is_not_utf_8_is_refused_at_line_and_column(demo):
    path = demo.path / "counterparties.csv"
    path.write_bytes(path.read_text("utf-8").encode("latin-1"))
    before = row_counts()
    assert str(demo.refused(apply=True)).startswith(
        "counterparties.csv, line 4, column 51: the byte 0xf8 is not UTF-8."
    )
    assert row_counts() == before


def test_a_folder_that_is_not_there_is_named(demo):
    demo.path = demo.path / "nowhere"
    assert "There is no folder" in str(demo.refused())


def test_an_unknown_user_is_named(demo):
    assert str(demo.refused(user="nemo")) == (
        "There is no user “nemo”. Give --user the name somebody signs in with."
    )


def test_a_byte_order_mark_windows_line_ends_and_extra_columns_do_no_harm(demo):
    path = demo.path / "counterparties.csv"
    lines = [line + ",x" for line in path.read_text("utf-8").splitlines()]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).replace("ied,x", "ied,X").encode())
    said = demo.apply()
    assert Counterparty.objects.filter(name="Lindqvist & Søn").exists()
    assert "counterparties.csv: X" in said


@pytest.mark.parametrize(
    ("name", "cells", "column", "sentence"),
    [
        ("pipelines.csv", {"Lat": "999"}, "Lat", "Give a number from -90 to 90 degrees, not 999."),
        ("pipelines.csv", {"Lat": ""}, "Lat", "Give the latitude too, or clear the longitude."),
        ("pipelines.csv", {"Capacity": "-4"}, "Capacity", "Give 0 MW or more, not -4."),
        ("pipelines.csv", {"Capacity": "12,5"}, "Capacity", "“12,5” is no number we can take."),
        ("pipelines.csv", {"Capacity": "NaN"}, "Capacity", "“NaN” is no number"),
        ("pipelines.csv", {"Capacity": "1e12"}, "Capacity", "“1e12” is no number"),
        ("pipelines.csv", {"Capacity": "1.23456"}, "Capacity", "has more than 3 decimals"),
        ("pipelines.csv", {"ProjectName": " "}, "ProjectName", "The cell is empty"),
        ("pipelines.csv", {"ProjectName": "n" * 201}, "ProjectName", "at most 200 characters"),
        ("pipelines.csv", {"ProjectName": "a\0b"}, "ProjectName", "NUL character"),
        ("pipelines.csv", {"Technology": "Sollar"}, "Technology", "Known: Solar, Wind"),
        ("pipelines.csv", {"ProjectStatus": "Done"}, "ProjectStatus", "Completed, On hold."),
        ("pipelines.csv", {"RTBDate": "22/07/2024"}, "RTBDate", "Write it year first"),
        ("pipelines.csv", {"RTBDate": "0001-01-01"}, "RTBDate", "no date we can take"),
        ("pipelines.csv", {"RTBDate": "1989-12-31"}, "RTBDate", "Give a day from 1 Jan 1990"),
        ("pipelines.csv", {"RAGStatus": "Blue"}, "RAGStatus", "Write Red, Amber, Green or nothing"),
        ("pipelines.csv", {"ID": "12"}, "ID", "“12” is no ID."),
        ("pipelines.csv", {"CounterpartyID": "x"}, "CounterpartyID", "“x” is no ID."),
        (
            "pipelines.csv",
            {"ProjectStatus": "Completed", "RTBDate": "2099-01-01"},
            "RTBDate",
            "A completed project was ready to build in the past",
        ),
        ("counterparties.csv", {"CounterpartyName": ""}, "CounterpartyName", "The cell is empty"),
        (
            "counterparties.csv",
            {"CounterpartyName": "HERON peak energy"},
            "CounterpartyName",
            "is the name of another counterparty, with the ID c0000000-0000-4000-8000-000000000001",
        ),
        (
            "counterparties.csv",
            {"ID": "c0000000-0000-4000-8000-000000000001"},
            "ID",
            "Line 2 has this ID already.",
        ),
        ("counterparties.csv", {"DealLead": "p" * 201}, "DealLead", "at most 200 characters"),
        ("information_points.csv", {"Impact": "101"}, "Impact", "from 1 to 100, not 101."),
        ("information_points.csv", {"Likelihood": "2.5"}, "Likelihood", "is no whole number"),
        ("information_points.csv", {"Counterparties": "A Ltd"}, "Counterparties", "Write names as"),
        ("information_points.csv", {"Counterparties": "[1]"}, "Counterparties", "a list of names"),
        (
            "information_points.csv",
            {"Counterparties": "[open('x')]"},
            "Counterparties",
            "a call other than datetime.datetime(...), which is never run",
        ),
        (
            "information_points.csv",
            {"Counterparties": f"['{'n' * 201}']"},
            "Counterparties",
            "at most 200 characters",
        ),
    ],
)
def test_a_wrong_cell_rejects_its_row_with_a_sentence(demo, name, cells, column, sentence):
    row = demo.set(name, -1, **cells)
    last = {"pipelines.csv": "11", "counterparties.csv": "4", "information_points.csv": "5"}[name]
    error = demo.refused(apply=True)
    assert str(error).startswith("1 row was rejected.")
    rejected = demo.rejects(name)
    assert len(rejected) == 1
    file, line, where, reason, *verbatim = rejected[0]
    assert (file, line, where) == (name, last, column)
    assert sentence in reason
    assert verbatim == row
    assert "1 rejected" in error.output
    assert "Applied: the database keeps it." in error.output
    assert ChangeSet.objects.filter(source="import").exists()


def test_all_that_is_wrong_with_a_row_is_reported_at_once(demo):
    demo.set("pipelines.csv", 1, Long="east", RAGStatus="Pink")
    demo.refused()
    _, _, column, reason, *_ = demo.rejects("pipelines.csv")[0]
    assert column == "Long; RAGStatus"
    assert reason.startswith("Long: “east” is no number")
    assert "RAGStatus: “Pink” is not a RAG rating." in reason


@pytest.mark.parametrize(
    ("change", "column", "sentence"),
    [
        (lambda row: row[:-2], "LastModified", "The row has 11 cells, the first line 13: from"),
        (lambda row: [*row, "more"], "cell 14", "Put double quotes round a text"),
    ],
)
def test_a_row_of_the_wrong_length_is_rejected(demo, change, column, sentence):
    rows = demo.rows("pipelines.csv")
    rows[3] = change(rows[3])
    demo.write("pipelines.csv", rows)
    demo.refused(apply=True)
    (rejected,) = demo.rejects("pipelines.csv")
    assert rejected[:3] == ["pipelines.csv", "5", column]
    assert sentence in rejected[3]
    assert rejected[4:] == rows[3]
    assert Pipeline.objects.count() == 8


def test_a_row_that_repeats_another_word_for_word_is_rejected(demo):
    demo.append("pipelines.csv")
    demo.refused(apply=True)
    assert demo.rejects("pipelines.csv")[0][3] == "ID: The row repeats line 11 word for word."
    assert Pipeline.objects.filter(project_name="Turnstone").count() == 1


def test_rows_with_one_id_and_one_name_get_ids_of_their_own(demo):
    demo.append("pipelines.csv", Capacity="1")
    demo.append("pipelines.csv", Capacity="2")
    demo.apply()
    demo.apply()
    assert Pipeline.objects.filter(project_name="Turnstone").count() == 3


def test_a_rejected_first_row_keeps_its_id_for_when_it_is_mended(demo):
    demo.set("pipelines.csv", 4, Lat="999")
    demo.refused(apply=True)
    demo.set("pipelines.csv", 4, Lat="51.51")
    demo.apply()
    first = Pipeline.objects.get(pk="a0000000-0000-4000-8000-000000000004")
    assert first.project_name == "Sandpiper"
    assert Pipeline.objects.filter(project_name__startswith="Sandpiper").count() == 3


def test_what_we_add_to_the_rejects_is_no_formula_and_the_row_is_as_it_was(demo):
    rows = demo.rows("pipelines.csv")
    rows[0].append("=cmd()")
    for row in rows[1:]:
        row.append("=1+1")
    rows[1].pop()
    demo.write("pipelines.csv", rows)
    demo.set("pipelines.csv", 2, RAGStatus="-Pink")
    demo.refused()
    short, wrong = demo.rejects("pipelines.csv")
    assert short[2] == "'=cmd()"
    assert wrong[-1] == "=1+1"


def test_control_characters_of_a_file_do_not_reach_the_terminal(demo):
    demo.set("pipelines.csv", 3, ProjectName="Plover\x1b[2J Field")
    assert "\x1b" not in demo.load()


def test_a_name_taken_by_people_rejects_the_row_and_names_the_holder(demo):
    holder = make_counterparty("heron peak energy")
    demo.refused(apply=True)
    assert str(holder.pk) in demo.rejects("counterparties.csv")[0][3]


def test_a_pipeline_with_facilities_of_its_own_is_not_guessed_at(demo):
    demo.apply()
    pipeline = Pipeline.objects.get(project_name="Curlew Moor")
    pipeline.facility_links.all().delete()
    Facility.objects.filter(name="Curlew Moor").delete()
    for name in ("North", "South"):
        pipeline.facility_links.create(facility=make_facility(name))
    demo.refused(apply=True)
    assert "The pipeline has 2 facilities by now" in demo.rejects("pipelines.csv")[0][3]


def test_the_only_facility_people_gave_a_pipeline_is_taken_for_its_row(demo):
    demo.apply()
    pipeline = Pipeline.objects.get(project_name="Curlew Moor")
    pipeline.facility_links.all().delete()
    Facility.objects.filter(name="Curlew Moor").delete()
    pipeline.facility_links.create(facility=make_facility("North", technology="bess"))
    demo.apply()
    assert [str(one.capacity_mw) for one in pipeline.facilities.all()] == ["20.125"]


def test_what_the_database_refuses_is_reported_and_nothing_stays(demo):
    CounterpartyRole.objects.filter(code=LEAD_DEVELOPER).delete()
    before = row_counts()
    error = demo.refused(apply=True)
    assert str(error).startswith("The database refused what the files say (")
    assert row_counts() == before


def test_a_status_the_audit_invents_is_rejected_and_no_stage_is_taken_from_it(demo):
    row = demo.rows("audit.csv")[5]
    demo.set("audit.csv", 5, Data=row[2].replace("'Procurement'", "'Dreaming'"))
    error = demo.refused(apply=True)
    assert "“Dreaming” is not a known status" in demo.rejects("audit.csv")[0][3]
    assert "line 3: Gannet Bank" in error.output
    assert Pipeline.objects.get(project_name="Gannet Bank").stage.name == "Discovery"


def test_a_lead_that_people_gave_another_role_keeps_it(demo):
    demo.apply()
    pipeline = Pipeline.objects.get(project_name="Curlew Moor")
    link = pipeline.counterparty_links.get()
    link.role = CounterpartyRole.objects.get(code="owner")
    link.save()
    demo.apply()
    roles = pipeline.counterparty_links.values_list("role__code", flat=True)
    assert set(roles) == {"owner", LEAD_DEVELOPER}


def test_the_rejects_can_be_mended_and_imported_again(demo):
    demo.set("information_points.csv", 1, Impact="0")
    demo.refused(apply=True)
    rows = demo.rows("information_points.csv")
    (rejected,) = demo.rejects("information_points.csv")
    demo.write("information_points.csv", [rows[0], rejected[4:]])
    demo.set("information_points.csv", 1, Impact="10")
    demo.apply()
    assert InformationPoint.objects.get(title="Cheaper modules").impact == 10


@pytest.mark.heavy
def test_the_number_of_queries_grows_with_batches_not_with_rows(demo):
    def rows(count):
        template = demo.rows("pipelines.csv")
        values = [
            [str(uuid.uuid4()), template[1][1], f"Generated {number}", *template[1][3:]]
            for number in range(count)
        ]
        demo.write("pipelines.csv", [template[0], *values])

    counts = []
    for count in (500, 1000, 2000):
        rows(count)
        with CaptureQueriesContext(connection) as queries:
            demo.load()
        counts.append(len(queries))
    each_batch = counts[1] - counts[0]
    # Ten tables, each written in as few statements as the database allows.
    assert each_batch < 250
    assert counts[2] - counts[1] == pytest.approx(2 * each_batch, rel=0.25)


@pytest.mark.parametrize(("lat", "code"), [("51.5", 0), ("999", 1)])
def test_the_exit_code_is_0_only_if_nothing_was_rejected(demo, monkeypatch, capsys, lat, code):
    # The command closes its connections at the end, which here are the test's own.
    monkeypatch.setattr(connections, "close_all", lambda: None)
    demo.set("pipelines.csv", 1, Lat=lat)
    arguments = ["manage.py", "import_demo_csv", str(demo.path)]
    try:
        Command().run_from_argv(arguments)
        returned = 0
    except SystemExit as error:
        returned = error.code
    assert returned == code
    said = capsys.readouterr()
    assert ("1 row was rejected" in said.err) == (code == 1)
    assert "Dry run: nothing was kept" in said.out


def test_the_summary_has_the_first_ten_reasons(demo):
    for line in range(1, 13):
        demo.append("pipelines.csv", ID=str(line), ProjectName="\x1b[31m")
    error = demo.refused()
    reasons = [line for line in error.output.splitlines() if line.startswith("pipelines.csv, line")]
    assert len(reasons) == 10
    assert reasons[0].startswith("pipelines.csv, line 12: ID: “1” is no ID.")
    assert "… and 2 more reasons." in error.output and "\x1b" not in error.output
