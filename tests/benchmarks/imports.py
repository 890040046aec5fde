"""How long imports of tables take, and how much memory: ``python -m tests.benchmarks.imports``.

The database is a new one in a temporary folder, on SQLite, or that of DATABASE_URL, which has to be
empty and stays behind with what was written. Each step runs in a process of its own, whose memory
at most is shown; ``CPU s`` is its processor time (PostgreSQL's is not in it), and ``locked`` the
longest time for which one of its transactions held the writer lock.

With ``--long 100000`` a worker imports so many rows while a server answers pages and forms are
saved: for each job its seconds, and the median, the 95th percentile and the most of both, in ms;
and of each page.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import django

#: The rows of new pipelines; the rows of the wide file, every tenth of which has a change.
NEW, WIDE = 1_000, 10_000

FIRST_DAY = date(2027, 1, 1)

#: The columns of the wide file that are no field.
OTHERS = [f"Other {number}" for number in range(17)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="those with this text in their name")
    parser.add_argument("--long", type=int, metavar="ROWS", help="an import beside other work")
    parser.add_argument("--step", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        run_step(*options.step)
        return
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        if options.long:
            import_beside_others(Path(folder), options.long)
            return
        say("", "s", "CPU s", "locked", "MB")
        for name, make in (("new", lambda: new_rows(NEW)), ("wide", wide_rows)):
            if options.only in name:
                key = start(Path(folder), name, make())
                for step in ("preview", "apply"):
                    subprocess.run(
                        [sys.executable, "-m", "tests.benchmarks.imports", "--step", step, key],
                        check=True,
                    )


def prepare(folder: Path) -> None:
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/benchmark.sqlite3")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.benchmarks.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def start(folder: Path, name: str, rows: list[list]) -> str:
    """The key of an import of the rows, which nobody has looked at yet."""
    from oegen.imports.tables.running import start_import
    from oegen.models import User

    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    person, _ = User.objects.get_or_create(username="benchmark", is_superuser=True)
    one = start_import(content=path, name=path.name, kind="pipelines", person=person)
    one.reason = "Benchmark"
    one.mapping = {"left_out": OTHERS}
    one.save()
    return str(one.pk)


def new_rows(number: int) -> list[list]:
    """Pipelines that are new, each with its facility; and a hundred developers."""
    heads = ["Project", "Status", "Technology", "Capacity (MW)", "RTB date", "RAG"]
    heads += ["Lead developer", "Country", "Latitude", "Longitude"]
    rows: list[list] = [heads]
    for n in range(number):
        row = [f"New project {n}", "Design", "Solar", n % 90 + 1, FIRST_DAY + timedelta(n % 500)]
        rows.append(
            [
                *row,
                "Green",
                f"Developer {n % 100}",
                "GB",
                f"52.{n % 10_000:04}",
                f"-1.{n % 10_000:04}",
            ]
        )
    return rows


def wide_rows() -> list[list]:
    """An export of pipelines with their facilities, of which every tenth has two changes."""
    pipelines, facilities, companies = make_records(WIDE)
    heads = ["ID", "Version", "Pipeline", "Status", "Stage", "RAG", "RAG comment", "RTB date"]
    heads += ["COD", "Ownership, %", "Responsible", "Next step", "Next step due", "Facilities"]
    heads += ["Technologies", "Capacity, MW/MWp", "Country", "Region", "Latitude, °N"]
    heads += ["Longitude, °E", "Lead developer", "Why on hold", "Own probability, %", *OTHERS]
    rows: list[list] = [heads]
    for n, (one, facility) in enumerate(zip(pipelines, facilities, strict=True)):
        is_changed = n % 10 == 0
        row = [one.pk, one.version, one.project_name, one.stage.name, one.stage.name, "Green"]
        row += ["Changed" if is_changed else "As it is"]
        row += [one.rtb_date + timedelta(30 if is_changed else 0), "", 100, "", "Call"]
        row += [one.next_step_on, facility.name, "Solar", facility.capacity_mw, "GB", "Kent"]
        row += [facility.latitude, facility.longitude, companies[n % len(companies)].name, "", ""]
        rows.append([*row, *("x" for _ in OTHERS)])
    return rows


def make_records(number: int) -> tuple[list, list, list]:
    from django.utils import timezone

    from counterparties.models import Counterparty
    from oegen import audit
    from pipelines.models import (
        Facility,
        Pipeline,
        PipelineCounterparty,
        PipelineFacility,
        Stage,
        Technology,
    )
    from pipelines.reference import LEAD_DEVELOPER_ID

    stages = list(Stage.objects.exclude(is_terminal=True))
    solar = Technology.objects.get(code="solar")
    # Of yesterday, as most of a portfolio is.
    yesterday = timezone.now() - timedelta(days=1)
    with audit.change_set(
        reason="Records to measure on", source=audit.Source.SAMPLE, recorded_at=yesterday
    ):
        companies = [Counterparty(name=f"Company {n}") for n in range(300)]
        pipelines = [
            Pipeline(
                project_name=f"Project {n}",
                stage=stages[n % len(stages)],
                rtb_date=FIRST_DAY + timedelta(n % 900),
                rag_status="green",
                rag_comment="As it is",
                next_step="Call",
                next_step_on=FIRST_DAY,
            )
            for n in range(number)
        ]
        facilities = [
            Facility(
                name=f"Site {n}",
                technology=solar,
                capacity_mw=n % 90 + 1,
                latitude=52 + n % 100 / 1000,
                longitude=-1,
                country="GB",
                region="Kent",
            )
            for n in range(number)
        ]
        Counterparty.objects.bulk_create(companies)
        Pipeline.objects.bulk_create(pipelines)
        Facility.objects.bulk_create(facilities)
        PipelineFacility.objects.bulk_create(
            PipelineFacility(pipeline=one, facility=facility)
            for one, facility in zip(pipelines, facilities, strict=True)
        )
        PipelineCounterparty.objects.bulk_create(
            PipelineCounterparty(
                pipeline=one, counterparty=companies[n % 300], role_id=LEAD_DEVELOPER_ID
            )
            for n, one in enumerate(pipelines)
        )
    return pipelines, facilities, companies


def run_step(step: str, key: str) -> None:
    """Preview or apply the import in this process, and say what it took."""
    django.setup()
    from oegen.core.garbage import rare_garbage_collection
    from oegen.imports.tables.models import TableImport
    from oegen.imports.tables.running import apply_import, preview_import

    one = TableImport.objects.get(pk=key)
    held = watch_transactions()
    began, busy = time.perf_counter(), time.process_time()
    with rare_garbage_collection():  # As workers do.
        if step == "preview":
            preview_import(one)
        else:
            apply_import(one)
    took, used = time.perf_counter() - began, time.process_time() - busy
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = one.result["counts"]
    rows = ", ".join(f"{number:,} {state}" for state, number in counts.items() if number)
    say(
        f"{one.file_name}: {step}",
        *(f"{figure:.2f}" for figure in (took, used, max(held, default=0))),
        f"{most:.0f}",
        f"  {rows}",
    )


def import_beside_others(folder: Path, number: int) -> None:
    """Preview and apply new rows by a worker, while pages are read and forms are saved."""
    from django.conf import settings
    from django.test import Client
    from django.test.utils import setup_test_environment

    from oegen.imports.tables.jobs import ask_for
    from oegen.imports.tables.models import TableImport
    from oegen.models import User
    from pipelines.models import Pipeline
    from tests.support.desk import Desk

    setup_test_environment()  # Which keeps the contexts of forms.
    make_records(WIDE)
    one = TableImport.objects.get(pk=start(folder, "long", new_rows(number)))
    client = Client()
    client.force_login(User.objects.get(username="benchmark"))
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    desk, pipeline = Desk(client), Pipeline.objects.order_by("project_name")[0]
    pages = [
        "/",
        "/pipelines/",
        "/counterparties/",
        "/search/?q=project",
        pipeline.get_absolute_url(),
    ]
    say(
        "", "s", *(f"{what} {part}" for what in ("page", "save") for part in ("50%", "95%", "most"))
    )
    with server() as port, process("-m", "django", "work", "--every", "0.2"):
        for path in pages:
            visit(port, path, cookie)
        for code in ("preview-import", "apply-import"):
            job, began = ask_for(code, one), time.perf_counter()
            read: dict[str, list[float]] = {path: [] for path in pages}
            saved = []
            while job.state in ("waiting", "running"):
                for path, seconds in read.items():
                    seconds.append(visit(port, path, cookie))
                data = desk.open(pipeline) | {"next_step": f"Step {len(saved)}", "reason": "Try"}
                since = time.perf_counter()
                response = desk.send(pipeline, data)
                if response.status_code != 302:
                    raise RuntimeError(f"The form was not saved: {response.status_code}.")
                saved.append(time.perf_counter() - since)
                job.refresh_from_db()
            say(
                f"{number:,} rows: {code.partition('-')[0]}",
                f"{time.perf_counter() - began:.1f}",
                *spread([one for several in read.values() for one in several]),
                *spread(saved),
                f"  {job.state} {job.message or job.error}",
            )
            for path, seconds in read.items():
                say(f"  {path[:22]}", "", *spread(seconds))


def spread(seconds: list[float]) -> list[str]:
    """Median, 95th percentile and most, in ms."""
    figures = sorted(one * 1000 for one in seconds)
    high = figures[min(len(figures) - 1, len(figures) * 95 // 100)]
    return [f"{one:.0f}" for one in (statistics.median(figures), high, figures[-1])]


@contextmanager
def process(*words: str) -> Iterator[subprocess.Popen]:
    started = subprocess.Popen([sys.executable, *words])
    try:
        yield started
    finally:
        started.kill()  # A worker would end its job first.
        started.wait()


@contextmanager
def server() -> Iterator[int]:
    """The port of a server of two processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"127.0.0.1:{port}"
    command = ("-m", "gunicorn", "oegen.wsgi", "--bind", address, "--workers", "2")
    with process(*command, "--log-level", "warning", "--timeout", "120"):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port


def visit(port: int, path: str, cookie: str) -> float:
    """The seconds until the page was there."""
    since = time.perf_counter()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    line.request("GET", path, headers={"Cookie": cookie})
    answer = line.getresponse()
    answer.read()
    line.close()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    return time.perf_counter() - since


def watch_transactions() -> list[float]:
    """A list to which the seconds of each outermost transaction will be added."""
    from django.db import connection
    from django.db.transaction import Atomic

    held: list[float] = []
    enter, leave = Atomic.__enter__, Atomic.__exit__
    since = [0.0]

    def entering(atomic):
        if not connection.in_atomic_block:
            since[0] = time.perf_counter()
        return enter(atomic)

    def leaving(atomic, *error):
        try:
            return leave(atomic, *error)
        finally:
            if not connection.in_atomic_block:
                held.append(time.perf_counter() - since[0])

    Atomic.__enter__, Atomic.__exit__ = entering, leaving  # type: ignore[method-assign]
    return held


def say(name: str, *cells: str) -> None:
    sys.stdout.write(f"{name:<24}{''.join(f'{cell:>10}' for cell in cells)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
