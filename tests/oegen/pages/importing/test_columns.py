"""A file is uploaded or pasted, its columns are named, and the preview is asked for."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from xlsxwriter import Workbook

from oegen.imports.tables.models import ImportMapping, ImportState, TableImport
from oegen.models import Job
from oegen.pages.importing import forms
from oegen.pages.importing.columns import ImportColumns
from oegen.people.roles import PORTFOLIO_MANAGERS
from tests.support.builders import make_pipeline, make_user
from tests.support.downloads import body
from tests.support.jobs import run_due_jobs

pytestmark = pytest.mark.django_db

IMPORTS = "/import/"

#: Two columns with one name, a day that may be two, a technology and a column nobody knows.
PROJECTS = (
    "Project;Technology;Capacity;RTB date;Note;Note;Officer\n"
    "Oak;Sun power;12,5;03/04/2027;a;b;Ann\n"
    "Elm;Wind;7;05/04/2027;c;d;Bob\n"
)


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.IMPORT_FILES_DIR = tmp_path / "imports"


@pytest.fixture
def upload(as_editor):
    def upload(content: str | bytes, name: str = "projects.csv", reads_as: str = ""):
        content = content.encode() if isinstance(content, str) else content
        data = {"file": SimpleUploadedFile(name, content), "reads_as": reads_as, "block": ""}
        return as_editor.post(IMPORTS, data)

    return upload


def newest() -> TableImport:
    return TableImport.objects.order_by("created_at").last()


def columns_url() -> str:
    return reverse("import-columns", args=[newest().pk])


def kinds_of_jobs() -> list[str]:
    return list(Job.objects.filter(kind__endswith="-import").values_list("kind", flat=True))


@pytest.fixture
def send(as_editor):
    def send(do: str, **data):
        return as_editor.post(columns_url(), {"do": do, **data})

    return send


ANSWERS = {
    "field-0": "project_name",
    "field-1": "facility.technology",
    "field-2": "facility.capacity_mw",
    "field-3": "rtb_date",
    "field-4": "-",
    "field-5": "next_step",
    "field-6": "-",
    "order:rtb_date": "dmy",
    "unit:facility.capacity_mw": "MW",
    "text:facility.technology": "Sun power",
    "value:facility.technology": "solar",
    "constant-field": ["status", ""],
    "constant-text": ["Design", ""],
}


def test_a_download_brought_back_knows_its_kind_and_goes_straight_to_the_preview(as_editor, upload):
    make_pipeline("Kestrel Moor", capacity_mw=40)
    address = reverse("pipelines")
    assert f"{IMPORTS}?kind=pipelines" in as_editor.get(address).text
    file = body(as_editor.get(address, {"download": "csv"}))
    answer = upload(file, "pipelines.csv")
    assert answer.url == reverse("import", args=[newest().pk])
    assert (newest().kind, kinds_of_jobs()) == ("pipelines", ["preview-import"])
    run_due_jobs()
    assert newest().result["counts"]["unchanged"] == 1


def test_the_columns_of_a_file_suggest_what_its_rows_are(upload):
    upload("Facility,Technology,Latitude,Longitude\nOak,Solar,52,1\n")
    assert newest().kind == "facilities"


def test_no_column_is_ignored_until_it_is_answered(as_editor, upload, send):
    assert upload(PROJECTS, reads_as="kind:pipelines").url == columns_url()
    page = as_editor.get(columns_url()).text
    assert page.count("Choose what it is</option>") == 7
    assert "Note (column F)" in page, "the second of two columns with one name"
    assert "Sun power" in page
    refused = send("continue")
    assert refused.status_code == 200
    assert refused.text.count("Choose what it is, or leave it out.") == 3
    assert re.search(r'name="unit:facility.capacity_mw"[^>]* autofocus', refused.text)
    assert kinds_of_jobs() == []

    twice = send("continue", **ANSWERS | {"field-4": "next_step"})
    assert twice.status_code == 200
    assert "Next step is read from the column “Note” already." in twice.text
    wrong = send("continue", **ANSWERS | {"constant-text": ["Nonsense", ""]})
    assert "is no status that is known here" in wrong.text
    assert 'value="Nonsense"' in wrong.text

    assert send("continue", **ANSWERS).url == reverse("import", args=[newest().pk])
    run_due_jobs()
    one = newest()
    assert one.state == ImportState.PLANNED
    assert one.result["counts"] | {"created": 2} == one.result["counts"]
    order = {column["field"]: column["reading"] for column in one.mapping["columns"]}
    assert order["rtb_date"] == {"order": "dmy"}
    assert order["facility.capacity_mw"] == {"decimal": ",", "unit": "MW"}


def test_what_is_left_out_in_one_go_is_answered(upload, send):
    upload(PROJECTS, reads_as="kind:pipelines")
    few = {
        name: value
        for name, value in ANSWERS.items()
        if name not in ("field-4", "field-5", "field-6")
    }
    assert send("continue", **few, rest="on").status_code == 302
    assert newest().mapping["left_out"] == ["Note", "Note (column F)", "Officer"]


def test_a_look_that_the_preview_overtakes_saves_nothing(upload, send, monkeypatch):
    upload(PROJECTS)
    read = ImportColumns._draft

    def read_late(page):
        draft = read(page)
        monkeypatch.undo()
        assert send("continue", **ANSWERS).status_code == 302
        return draft

    monkeypatch.setattr(ImportColumns, "_draft", read_late)
    send("look", **ANSWERS | {"field-4": ""})
    assert "Note" in newest().mapping["left_out"]
    assert kinds_of_jobs() == ["preview-import"]


def test_choices_are_kept_and_their_readings_shown_at_once(as_editor, upload):
    upload(PROJECTS, reads_as="kind:pipelines")
    part = as_editor.post(
        columns_url(),
        {"do": "look", "field-3": "rtb_date", "order:rtb_date": "mdy", "field-5": "next_step"},
        headers={"HX-Request": "true"},
    ).text
    assert "<html" not in part
    assert "is read as <b><bdi>4 Mar 2027" in part
    again = as_editor.get(columns_url()).text
    assert "is read as <b><bdi>4 Mar 2027" in again


def test_a_column_is_read_as_a_second_field(as_editor, upload, send):
    upload(PROJECTS, reads_as="kind:pipelines")
    also = {"also-column": "0", "also-field": "facility.name"}
    send("look", **ANSWERS, **also)
    assert 'id="field-0-2"' in as_editor.get(columns_url()).text
    both = ANSWERS | {"field-0": ["project_name", "facility.name"]}
    assert send("continue", **both, **also).status_code == 302
    fields = [one["field"] for one in newest().mapping["columns"] if one["heading"] == "Project"]
    assert fields == ["project_name", "facility.name"]


def test_a_mapping_is_kept_replaced_only_when_asked_and_read_next_month(upload, send):
    upload(PROJECTS, reads_as="kind:pipelines")
    assert send("continue", **ANSWERS, keep="Monthly list").status_code == 302
    saved = ImportMapping.objects.get()
    assert (saved.name, saved.changed_by) == ("Monthly list", newest().person)

    answer = upload(PROJECTS.replace("Oak", "Ash"), reads_as=f"mapping:{saved.pk}")
    assert answer.url == reverse("import", args=[newest().pk]), "nothing is left to ask"
    upload(PROJECTS, reads_as="kind:pipelines")
    taken = send("continue", **ANSWERS, keep="monthly LIST")
    assert "There is a mapping “monthly LIST” already." in taken.text
    assert send("continue", **ANSWERS, keep="monthly LIST", replace="on").status_code == 302
    assert ImportMapping.objects.get().name == "Monthly list"

    renamed = PROJECTS.replace("RTB date", "Ready")
    assert upload(renamed, reads_as=f"mapping:{saved.pk}").url == columns_url()
    page = send("continue", **{"field-3": ""})
    assert "The mapping reads the column “RTB date” as RTB date" in page.text
    assert send("continue", **ANSWERS).status_code == 302, "its new name is said"
    send("remove", mapping=saved.pk)
    assert not ImportMapping.objects.exists()


def test_references_need_a_source(upload, send):
    upload("Company,Ref ID\nBirch,7\n", reads_as="kind:counterparties")
    data = {"field-0": "name", "field-1": "reference"}
    assert "Which source do the external references come from?" in send("continue", **data).text
    assert send("continue", **data, source="REPD").status_code == 302
    assert newest().mapping["source"] == "REPD"


@pytest.mark.parametrize(
    ("name", "content", "wrong"),
    [
        ("list.pdf", b"%PDF-1.7", "the file is a PDF document, no table."),
        ("list.xlsx", b"a,b\n1,2\n", "the name says workbook (.xlsx), but the file is none."),
        ("list.csv", b"", "The file is empty."),
    ],
)
def test_a_file_that_can_not_be_read_is_refused_at_its_field(upload, name, content, wrong):
    page = upload(content, name)
    assert page.status_code == 200
    assert wrong in page.text
    assert not TableImport.objects.exists()


def test_a_pasted_block_is_read_and_never_lost(as_editor):
    block = "Company\tCountry\nBirch & Co\tGB\n"
    file = SimpleUploadedFile("a.csv", b"Name\nOak\n")
    both = as_editor.post(IMPORTS, {"file": file, "block": block}).text
    assert "Give a file or a block, not both" in both
    assert escape(block.strip()) in both
    assert "Choose a file, or paste a block below." in as_editor.post(IMPORTS, {}).text
    data = {"block": block, "reads_as": "kind:counterparties", "draft": "0" * 32}
    assert as_editor.post(IMPORTS, data).cookies["oegen_saved"].value == "0" * 32
    assert "Birch &amp; Co" in as_editor.get(columns_url()).text


def test_a_long_file_is_read_by_a_job(as_editor, upload, monkeypatch):
    monkeypatch.setattr(forms, "LONG", 10)
    assert upload(PROJECTS).url == columns_url()
    waiting = as_editor.get(columns_url()).text
    assert "it is read as soon as a worker is free" in waiting
    assert "hx-trigger" in as_editor.get(columns_url(), {"part": "state"}).text
    run_due_jobs()
    ready = as_editor.get(columns_url(), {"part": "state"}, headers={"HX-Request": "true"})
    assert ready["HX-Redirect"] == columns_url()
    assert "Choose what it is" in as_editor.get(columns_url()).text
    assert newest().kind == "pipelines"

    upload("Name,Country\n" + "\n" * 3, "cut.csv")
    newest().path.write_bytes(b"\xff" * 40 + b"Name\n\x81\n")
    run_due_jobs()
    as_editor.get(columns_url(), {"part": "state"})
    assert "cut.csv" in as_editor.get(columns_url()).text
    assert "Choose another file" in as_editor.get(columns_url()).text


def test_another_sheet_and_header_may_be_chosen(as_editor, upload, send):
    file = BytesIO()
    book = Workbook(file)
    book.add_worksheet("Cover").write_row(0, 0, ["Read", "me"])
    sheet = book.add_worksheet("Firms")
    for number, row in enumerate([["Firms of 2026"], ["Company", "Country"], ["Birch", "GB"]]):
        sheet.write_row(number, 0, row)
    book.close()
    upload(file.getvalue(), "firms.xlsx", "kind:counterparties")
    assert "What column A, “Read”, is" in as_editor.get(columns_url()).text
    send("read", sheet="Firms")
    page = as_editor.get(columns_url()).text
    assert "Firms of 2026" in page
    assert "What column A, “Company”, is" in page
    wrong = send("read", sheet="Firms", header_row="9")
    assert "row 9: the row is empty" in wrong.text
    assert "What column A, “Company”, is" in as_editor.get(columns_url()).text
    send("read", sheet="Firms", header_row="3", kind="contacts")
    assert "What column A, “Birch”, is" in as_editor.get(columns_url()).text
    assert newest().kind == "contacts"


def test_imports_are_their_persons_own_and_texts_of_files_stay_texts(as_editor, upload):
    upload("<script>alert(1)</script>,Company\n<img src=x>,‮Birch\n")
    page = as_editor.get(columns_url()).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    other = Client()
    other.force_login(make_user(PORTFOLIO_MANAGERS, "other"))
    assert other.get(columns_url()).status_code == 404
    assert other.post(columns_url(), {"do": "continue"}).status_code == 404
    assert "projects.csv" not in other.get(IMPORTS).text


def test_columns_are_read_in_few_queries(as_editor, upload, django_assert_max_num_queries):
    upload(PROJECTS, reads_as="kind:pipelines")
    with django_assert_max_num_queries(18):
        as_editor.get(columns_url())
    with django_assert_max_num_queries(9):
        as_editor.get(IMPORTS)
