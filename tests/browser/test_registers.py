"""The pages of registers in a real browser: with hostile names in them, and before any edition."""

from datetime import date

import pytest
from django.urls import reverse

from oegen.models import Job
from pipelines.registers.models import Match, Register, RegisterCompany, RegisterProject
from tests.browser.test_every_page import HOSTILE, faults_of, look_at
from tests.support.builders import make_counterparty, make_pipeline
from tests.support.jobs import run_due_jobs
from tests.support.registers import ingest_repd, repd_rows, write_table

pytestmark = pytest.mark.heavy

PAGES = [reverse(name) for name in ("competitors", "register-projects", "benchmarks", "registers")]


@pytest.fixture
def shown(browser_page, sign_in, live_server, administrator):
    browser_page.emulate_media(color_scheme="light", reduced_motion="reduce")
    sign_in(browser_page, administrator)
    return browser_page


@pytest.fixture
def hostile(db) -> list[str]:
    """The addresses of a register that is hostile in all that people and files may give."""
    Register.objects.create(
        code="hostile",
        name=HOSTILE[:80],
        adapter="repd",
        publisher=HOSTILE[:120],
        country="GB",
        licence_name=HOSTILE[:120],
        licence_url=f"https://licence.example/{'x' * 200}",
        attribution=HOSTILE,
        changes_note=HOSTILE,
        index_url=f"https://index.example/{'x' * 200}",
    )
    both = {"Operator (or Applicant)": f"{HOSTILE} Ltd", "Address": HOSTILE, "County": HOSTILE}
    for day, status in ((date(2024, 7, 31), "Application Submitted"), (date(2025, 1, 31), HOSTILE)):
        row = {**both, "Ref ID": HOSTILE, "Site Name": HOSTILE, "Region": HOSTILE}
        ingest_repd(
            day,
            {**row, "Development Status (short)": status},
            {**both, "Ref ID": "2", "Site Name": HOSTILE},
            {**both, "Ref ID": ""},
            register="hostile",
        )
    project, company = RegisterProject.objects.get(key=HOSTILE), RegisterCompany.objects.get()
    counterparty, pipeline = make_counterparty(HOSTILE), make_pipeline(HOSTILE)
    Match.objects.create(company=company, record=counterparty, state="accepted")
    Match.objects.create(project=project, record=pipeline, state="accepted")
    records = (project, company, counterparty, pipeline)
    return [
        *PAGES,
        *(record.get_absolute_url() for record in records),
        "/competitors/?of=planning&by=change&register=hostile",
        "/registers/benchmarks/?register=hostile",
        "/pipelines/map/?beside=registers&beside_register=hostile",
        "/search/?q=alert",
        "/admin/registers/reject/",
    ]


def test_pages_are_whole_with_hostile_names(shown, live_server, hostile):
    wrong = look_at(shown, live_server.url, hostile)
    assert not wrong, "\n".join(wrong)


def test_pages_are_whole_before_an_edition(shown, live_server, db):
    pages = [*PAGES, "/registers/review/", "/pipelines/map/?beside=registers"]
    wrong = look_at(shown, live_server.url, pages)
    assert not wrong, "\n".join(wrong)


def test_file_is_uploaded_on_the_page_and_its_result_said(shown, live_server, db, tmp_path):
    page = shown
    page.goto(f"{live_server.url}/registers/")
    page.get_by_text("Read an edition from a file").click()
    page.get_by_label("Register", exact=True).select_option("tec")
    table = write_table(tmp_path / "units.csv", repd_rows({}))
    page.get_by_label("File", exact=True).set_input_files(table)
    page.get_by_role("button", name="Read the file").click()
    page.get_by_text("does not say of which day the edition is").wait_for()
    assert faults_of(page) == []
    page.get_by_label("File", exact=True).set_input_files(table)
    page.get_by_label("Day of the edition").fill("2025-01-31")
    page.get_by_role("button", name="Read the file").click()
    page.get_by_role("heading", name="TEC, edition of 31 Jan 2025: units.csv").wait_for()
    run_due_jobs()
    page.get_by_text("the table has no column").wait_for()
    assert Job.objects.get(kind="ingest-edition").state == "failed"
    page.goto(f"{live_server.url}/registers/")
    page.get_by_text("the table has no column").wait_for()
    assert faults_of(page) == []
