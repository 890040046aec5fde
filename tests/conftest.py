import gc
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection, connections, transaction
from django.test import Client

from oegen.pages import sample
from oegen.people import roles
from tests.support.builders import make_user
from tests.support.chromium import REMEDY, find_chromium, is_required
from tests.support.databases import migrated_once
from tests.support.desk import Desk
from tests.support.fake_slack import FakeSlack
from tests.support.past_guard import past_guard
from tests.support.portfolios import make_awkward_portfolio

#: What ``make test`` tries on both databases: what they do by means of their own.
ON_BOTH = {
    *("oegen/audit/test_audit_check.py", "oegen/jobs/test_jobs.py", "oegen/jobs/test_workers.py"),
    *("oegen/api/test_writing.py", "oegen/imports/tables/test_applying.py"),
    *("oegen/audit/test_damage.py", "oegen/admin/test_database_refusals.py"),
    *("oegen/api/odata/test_filters.py", "oegen/api/odata/test_pages.py"),
    *("oegen/api/odata/test_reading.py", "oegen/api/odata/test_open_capacity.py"),
    *("oegen/asof/test_backdated.py", "oegen/asof/test_tables.py"),
    *("oegen/search/test_order.py", "oegen/search/test_documents.py"),
    *("oegen/search/test_spelling.py", "oegen/core/test_compiled.py", "oegen/core/test_bulk.py"),
    *("dashboard/metrics/test_attention.py", "dashboard/metrics/test_changes.py"),
    *("dashboard/metrics/test_movement.py", "dashboard/test_freezing.py"),
    "dashboard/api/test_agreement.py",
    "dashboard/metrics/test_totals.py",
    *("constraints/test_constraints.py", "pipelines/test_stage_order.py"),
    "query_budgets/test_query_budgets.py",
}

#: And on PostgreSQL alone, where several people write at the same time. The rest on SQLite alone.
ON_POSTGRESQL = {
    *("oegen/admin/test_race.py", "oegen/alerts/test_workers.py", "oegen/audit/test_deadlocks.py"),
    *("oegen/audit/test_paths.py", "oegen/audit/test_races.py", "oegen/audit/test_random_run.py"),
    *("oegen/audit/test_undoing.py", "pipelines/test_fact_races.py"),
    "oegen/audit/test_shared_check.py",
    *("dashboard/test_freeze_races.py", "oegen/api/reporting/test_reporting.py"),
    "oegen/core/test_timestamps.py",
}

#: What ``make test-full`` tries on SQLite alone, too: the browser sees no database, and the others
#: start processes whose database is their own.
NEVER_ON_POSTGRESQL = ("browser/", "dashboard/test_run_local.py", "oegen/test_settings.py")

#: What there is on PostgreSQL alone.
NEVER_ON_SQLITE = ("oegen/api/reporting/", "oegen/core/test_timestamps.py")


def pytest_addoption(parser):
    parser.addoption(
        "--full", action="store_true", help="every test on this database, the heavy ones too"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Keep what this run is to try: see ON_BOTH, ON_POSTGRESQL and the marker ``heavy``.

    The browser's tests come last: Playwright's synchronous API leaves an event loop in their
    thread, in which Django then refuses to wait for asynchronous methods.
    """
    on_postgresql = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
    folder = Path(__file__).parent

    def name_of(item) -> str:
        return item.path.relative_to(folder).as_posix()

    def is_wanted(item) -> bool:
        name = name_of(item)
        if name.startswith(NEVER_ON_POSTGRESQL if on_postgresql else NEVER_ON_SQLITE):
            return False
        if config.getoption("full"):
            return True
        if item.get_closest_marker("heavy"):
            return False
        return name in (ON_BOTH | ON_POSTGRESQL) if on_postgresql else name not in ON_POSTGRESQL

    # A test that is asked for by its name is tried wherever that is.
    if any(".py" in one for one in config.args):
        return
    wanted, others = [], []
    for item in items:
        (wanted if is_wanted(item) else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = sorted(wanted, key=lambda item: name_of(item).startswith("browser/"))


@pytest.fixture
def is_full(request) -> bool:
    """Whether this is ``make test-full``, so that a test can try more then."""
    return request.config.getoption("full")


def pytest_collection_finish():
    """Spare the garbage collector what lives to the end: modules and thousands of tests."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter):
    if find_chromium() is None and not is_required():
        terminalreporter.write_line(
            f"THE BROWSER TESTS WERE SKIPPED: there is no Chromium. To run them, {REMEDY}.",
            red=True,
            bold=True,
        )


@pytest.fixture(scope="session")
def django_db_setup(
    request, tmp_path_factory, worker_id, django_db_modify_db_settings, django_db_blocker
):
    """pytest-django's, but the workers of a run share what the migrations made."""
    folder = tmp_path_factory.getbasetemp()
    with (
        django_db_blocker.unblock(),
        migrated_once(
            folder if worker_id == "master" else folder.parent,
            migrate=lambda: request.getfixturevalue("django_db_setup"),
        ) as copies,
    ):
        yield copies


@pytest.fixture
def transactional_db(django_db_setup, django_db_blocker):
    """The database for a test that commits. It is put back as the migrations made it, history
    included, which the flush of pytest-django's fixture of this name would be refused."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()
        django_db_setup.restore()


@pytest.fixture
def db(request):
    """pytest-django's, or what ``transactional_db`` of ours gives a test that asks for both."""
    commits = "transactional_db" in request.fixturenames
    request.getfixturevalue("transactional_db" if commits else "db")


@pytest.fixture(autouse=True)
def empty_cache():
    """After a rollback the next test's records may have the keys of the last one's."""
    for name in settings.CACHES:
        caches[name].clear()


#: What asks the database, for the tests that are about it.
find_sample = sample.find_sample


@pytest.fixture(scope="session", autouse=True)
def nobody_asks_for_sample_data():
    """It is asked once a minute, which would make the number of a page's queries a matter of luck;
    and no test but one looks at what the sample's pages are marked with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample, "find_sample", lambda: False)
        yield


@pytest.fixture(scope="session", autouse=True)
def loopback_needs_no_proxy():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(autouse=True)
def nothing_present_is_read_in_the_past():
    with connection.execute_wrapper(past_guard):
        yield


@pytest.fixture(scope="module")
def module_db(django_db_setup, django_db_blocker):
    """The database for what all tests of a module read: made once, taken back at its end. What a
    test of it writes is taken back after that test."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def awkward_portfolio(db):
    make_awkward_portfolio()


@pytest.fixture
def portfolio_manager(db):
    return make_user(roles.PORTFOLIO_MANAGERS, "priya", first_name="Priya", last_name="Shah")


@pytest.fixture
def manager(db):
    return make_user(roles.MANAGERS, "morgan", first_name="Morgan", last_name="Reid")


@pytest.fixture
def administrator(db):
    return make_user(roles.ADMINISTRATORS, "ada", first_name="Ada", last_name="Okafor")


def signed_in(user) -> Client:
    """A client of its own, so that a test can look as two people."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def as_manager(manager):
    """A client signed in as a Manager, who may read and change nothing."""
    return signed_in(manager)


@pytest.fixture
def as_editor(portfolio_manager):
    """A client signed in as a Portfolio manager."""
    return signed_in(portfolio_manager)


@pytest.fixture
def as_administrator(administrator):
    return signed_in(administrator)


@pytest.fixture
def desk(client, portfolio_manager):
    client.force_login(portfolio_manager)
    return Desk(client)


@pytest.fixture
def slack(settings):
    with FakeSlack() as server:
        settings.SLACK_WEBHOOK_URL = server.url
        yield server
