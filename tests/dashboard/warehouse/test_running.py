"""The jobs of the warehouse, what they leave, and the page that shows it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dashboard import jobs as dashboard_jobs
from dashboard import warehouse as package
from dashboard.models import WarehouseRun
from dashboard.warehouse import checking, running
from oegen.jobs import running as job_running
from oegen.jobs.models import State
from oegen.models import Alert
from tests.support.builders import make_pipeline
from tests.support.jobs import run_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few_models")]

#: Of the page, with its session, its person and what the frame around it shows.
QUERIES = 17


@pytest.fixture
def configured(settings, tmp_path, monkeypatch):
    # After a second the lease would be lost: its own connection does not see the job, which is not
    # committed here.
    monkeypatch.setattr(job_running, "PROGRESS_EVERY", timedelta(hours=1))
    settings.WAREHOUSE = str(tmp_path / "a-name-to-keep")
    make_pipeline("Solar", capacity_mw=1)
    return settings


@pytest.fixture
def page(client, administrator):
    client.force_login(administrator)

    def page() -> str:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(reverse("warehouse"))
        assert answer.status_code == 200
        assert len(queries) <= QUERIES
        return " ".join(answer.content.decode().split())

    return page


def test_without_a_warehouse_nothing_is_done_and_the_page_says_what_to_set(page, settings):
    settings.WAREHOUSE = ""
    for code in ("sync-warehouse", "check-warehouse", "tidy-warehouse"):
        job = run_job(code)
        assert (job.state, job.message) == (State.DONE, "No warehouse: WAREHOUSE is not set.")
    assert "No warehouse is configured." in page()
    assert not WarehouseRun.objects.exists()


def test_without_the_packages_job_and_page_say_what_to_install(page, configured, monkeypatch):
    monkeypatch.setattr(package, "PACKAGES", ("no_such_package",))
    assert "requirements/warehouse.txt" in run_job("sync-warehouse").error
    text = page()
    assert "requirements/warehouse.txt. Until then nothing is written." in text
    assert "failed: The packages of the warehouse are not installed." in text


def test_the_page_shows_tables_lag_and_check_but_not_where(page, configured, monkeypatch):
    assert "Not yet." in page()
    monkeypatch.setattr(dashboard_jobs, "NIGHTLY_DAYS", 2)
    job = run_job("check-warehouse")
    assert job.state == State.DONE, job.error
    assert job.message.endswith("are the product's, to the kilowatt.")
    text = page()
    assert "Nothing: every change is in the tables." in text
    assert "are those of the pages, to the kilowatt." in text
    assert "A folder of the server" in text
    assert "a-name-to-keep" not in text
    assert '<code>facts_facility</code></th><td class="num">1</td>' in text
    make_pipeline("Wind", capacity_mw=2)
    assert "change sets, for 0 minutes" in page()
    assert run_job("sync-warehouse").message.endswith("tables written.")
    assert "Nothing: every change" in page()
    assert run_job("tidy-warehouse").message == "0 files removed that nothing referred to."


def test_a_check_that_fails_is_told_once_a_day(page, configured, settings, monkeypatch):
    settings.SLACK_WEBHOOK_URL = "http://127.0.0.1:9/x"
    found = checking.CheckResult(
        days=20, figures=1_200, differences=["RTB 2030 is 1 in the tables."]
    )
    monkeypatch.setattr(checking, "check", lambda destination, days: found)
    for _ in range(2):
        job = run_job("check-warehouse")
        assert job.state == State.FAILED
        assert job.error.startswith("Not the product's: 1 of 1,200 figures")
    [alert] = Alert.objects.filter(event="warehouse-check")
    assert alert.payload["url"] == reverse("warehouse")
    assert alert.payload["note"] == job.error
    assert '<li class="text-break">RTB 2030 is 1 in the tables.</li>' in page()


def test_runs_elsewhere_are_not_kept_and_old_ones_go_but_the_newest(configured, tmp_path):
    running.run_sync(str(tmp_path / "elsewhere"))
    assert not WarehouseRun.objects.exists()
    old = timezone.now() - 2 * running.KEPT_FOR
    for days in (1, 0):
        began = old + timedelta(days=days)
        WarehouseRun.objects.create(kind="sync", began_at=began, change_set=1)
    running.run_sync(configured.WAREHOUSE)
    assert WarehouseRun.objects.count() == 1
