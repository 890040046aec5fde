"""Tables in S3 and in Azure's storage are those in a folder, whoever else writes."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from deltalake.exceptions import CommitFailedError

from dashboard.warehouse import records, syncing, tidying
from dashboard.warehouse.checking import check
from dashboard.warehouse.delta import Destination, Writer
from dashboard.warehouse.tables import CHANGE_SETS
from tests.dashboard.warehouse.tables import Warehouse, assert_equals_database, change_everything
from tests.support.builders import make_pipeline
from tests.support.clouds import CLOUD_SERVERS, NotInstalledError
from tests.support.databases import database_url
from tests.support.portfolios import make_awkward_portfolio

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).parents[3]
#: Of the command; of commits to one table.
WRITERS, RUNS, COMMITS = 4, 8, 30


@pytest.fixture(params=CLOUD_SERVERS)
def cloud(request, monkeypatch, is_full):
    """A warehouse in that cloud, which this process and those that it starts can reach."""
    try:
        with CLOUD_SERVERS[request.param]() as cloud:
            for name, value in cloud.environment.items():
                monkeypatch.setenv(name, value)
            yield Warehouse(Destination.parse(cloud.url), syncing.sync)
    except NotInstalledError as error:
        (pytest.fail if is_full else pytest.skip)(str(error))


@pytest.mark.usefixtures("db", "few_models")
def test_tables_in_a_cloud_are_those_in_a_folder(cloud, warehouse, administrator):
    make_awkward_portfolio()
    for place in (cloud, warehouse):
        place.sync()
    change_everything(administrator)
    for place in (cloud, warehouse):
        place.sync()
    assert_equals_database(cloud)
    names = warehouse.names()
    assert cloud.contents(names) == warehouse.contents(names)
    result = check(cloud.destination, days=2, seed=1)
    assert (result.differences, result.figures > 100) == ([], True)
    tidying.tidy(cloud.destination)
    make_pipeline("After it", capacity_mw=1)
    for place in (cloud, warehouse):
        place.sync()
    assert cloud.contents(names) == warehouse.contents(names)


def test_of_four_commits_at_once_the_table_takes_one(cloud, monkeypatch):
    """What the command relies on: of those that began at one version, all but one are refused."""
    commit, refused = Writer._commit, []

    def counted(self, *args):
        try:
            commit(self, *args)
        except CommitFailedError:
            refused.append(self.number)
            raise

    def append(number: int) -> None:
        def rows(after: int):
            every = range(after + 1, number + 1)
            return records.batches(CHANGE_SETS, [(one, "id", *[None] * 7, "seal") for one in every])

        Writer(cloud.destination, number).append(CHANGE_SETS, rows)

    monkeypatch.setattr(Writer, "_commit", counted)
    numbers = list(range(1, COMMITS + 1))
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(append, numbers))
    assert refused
    assert sorted(row["change_set"] for row in cloud.rows("change_sets")) == numbers


def start(destination: Destination) -> subprocess.Popen:
    command = [sys.executable, "-m", "django", "warehouse_sync", "--settings", "tests.settings"]
    return subprocess.Popen(
        [*command, "--to", destination.url, "--verbosity", "0"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


@pytest.mark.usefixtures("transactional_db")
def test_of_four_writers_at_once_nothing_is_lost_or_twice(cloud, warehouse):
    make_awkward_portfolio()
    running, started = [], 0
    while running or started < RUNS:
        while len(running) < WRITERS and started < RUNS:
            running.append(start(cloud.destination))
            started += 1
        make_pipeline(f"Meanwhile {started}", capacity_mw=started)
        first = running.pop(0)
        _, errors = first.communicate()
        assert first.returncode == 0, errors.decode()
    cloud.sync()
    assert_equals_database(cloud)
    warehouse.sync()
    names = warehouse.names()
    assert cloud.contents(names) == warehouse.contents(names)
