"""How long commands and files with much data take: ``python -m tests.benchmarks.commands``.

The database is chosen and filled as by ``tests.benchmarks.pages``; ``load_sample`` is measured if
it is filled now. What is written otherwise is taken back.

For each: medians of its time and of the processor time of the application (PostgreSQL's is not in
it), its statements, and the time for each of its rows. ``floor`` is the time of the statements
alone, for those that only read; ``ratio`` compares with it.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

from tests.benchmarks.pages import load_sample, recorded_statements, replay, set_up

#: The size of the import.
IMPORTED = 1_000

FILES = {
    "counterparties": "ID,CounterpartyName,CEO,Strategy,PlatformLead,DealLead,FinanceLead,Created,"
    "LastModified",
    "pipelines": "ID,CounterpartyID,ProjectName,Long,Lat,Technology,Capacity,ProjectStatus,RTBDate,"
    "RAGStatus,RAGComment,LastModified,Created",
    "information_points": "ID,Title,Description,Market,Technology,Counterparties,Impact,Likelihood,"
    "Rating,Created,LastModified",
    "audit": "ID,Created,Data,EntityID",
}


@dataclass(frozen=True)
class Work:
    """What is measured. ``rows`` are those that the time for a row is of."""

    name: str
    rows: int
    run: Callable[[], object]
    only_reads: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pipelines", type=int, help="the size of a sample portfolio to measure")
    parser.add_argument("--runs", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--only", default="", help="those with this text in their name")
    options = parser.parse_args()
    say("", "s", "CPU s", "queries", "ms a row", "floor", "ratio")

    def load(pipelines: int) -> None:
        measure(Work("load_sample", pipelines, lambda: load_sample(pipelines)), 1)

    set_up(options.pipelines, load)

    from django.db import transaction
    from django.test import Client

    from oegen.models import User

    with transaction.atomic(), tempfile.TemporaryDirectory() as folder:
        client = Client()
        client.force_login(User.objects.create_superuser("benchmark", password=os.urandom(9).hex()))
        write_files(Path(folder))
        for work in works(client, folder):
            if options.only in work.name:
                measure(work, options.runs)
        transaction.set_rollback(True)


def works(client, folder: str) -> list[Work]:
    from django.urls import reverse

    from oegen import audit
    from pipelines.models import Pipeline

    def download(kind: str) -> Callable[[], object]:
        address = f"{reverse('pipelines')}?status=all&download={kind}"
        return lambda: sum(map(len, client.get(address)))

    pipelines = Pipeline.objects.count()
    history_rows = sum(
        audit.history_model(model).objects.count() for model in audit.tracked_models()
    )
    return [
        Work("pipelines as CSV", pipelines, download("csv"), only_reads=True),
        Work("pipelines as XLSX", pipelines, download("xlsx"), only_reads=True),
        Work("audit_check", history_rows, command("audit_check")),
        Work("rebuild_facts", pipelines, command("rebuild_facts", verbosity=0)),
        Work(f"import of {IMPORTED:,}", IMPORTED, command("import_demo_csv", folder)),
    ]


def command(*words: str, **options) -> Callable[[], object]:
    from django.core.management import call_command

    return lambda: call_command(*words, stdout=StringIO(), stderr=StringIO(), **options)


def write_files(folder: Path) -> None:
    """The four files of an import, with an earlier version of each pipeline in its audit."""
    created = datetime(2024, 3, 1, 9, tzinfo=UTC)
    changed = created + timedelta(days=90)
    companies = [uuid.uuid4() for _ in range(IMPORTED // 20)]
    rows: dict[str, list[list]] = {name: [] for name in FILES}
    for number, key in enumerate(companies):
        name = f"Benchmark company {number}"
        rows["counterparties"].append([key, name, "", "", "", "", "", created, changed])
    for number in range(IMPORTED):
        pipeline = {
            "ID": str(uuid.uuid4()),
            "CounterpartyID": str(companies[number % len(companies)]),
            "ProjectName": f"Benchmark project {number}",
            "Long": -1.25,
            "Lat": 54.5,
            "Technology": "Solar",
            "Capacity": 10.0 + number,
            "ProjectStatus": "Design",
            "RTBDate": "2031-06-30 00:00:00",
            "RAGStatus": "Green",
            "RAGComment": "On track",
            "LastModified": str(changed),
            "Created": str(created),
        }
        rows["pipelines"].append(list(pipeline.values()))
        earlier = pipeline | {"ProjectStatus": "Discovery", "LastModified": str(created)}
        rows["audit"].append([uuid.uuid4(), created, earlier, pipeline["ID"]])
    for name, heading in FILES.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            file.write(f"{heading}\n")
            csv.writer(file).writerows(rows[name])


def measure(work: Work, runs: int) -> None:
    from django.db import transaction

    times, busy = [], []
    for _ in range(runs):
        start, busy_since = time.perf_counter(), time.process_time()
        with recorded_statements() as statements:
            if work.name == "load_sample":
                work.run()
            else:
                with transaction.atomic():
                    work.run()
                    transaction.set_rollback(True)
        times.append(time.perf_counter() - start)
        busy.append(time.process_time() - busy_since)
    seconds = statistics.median(times)
    floor = ratio = "–"
    if work.only_reads:
        floor_seconds = statistics.median(replay(statements) for _ in range(3)) / 1000
        floor, ratio = f"{floor_seconds:.2f}", f"{seconds / floor_seconds:.1f}"
    say(
        work.name,
        f"{seconds:.2f}",
        f"{statistics.median(busy):.2f}",
        f"{len(statements):,}",
        f"{seconds * 1000 / max(work.rows, 1):.3f}",
        floor,
        ratio,
    )


def say(name: str, *cells: str) -> None:
    sys.stdout.write(f"{name:<24}{''.join(f'{cell:>10}' for cell in cells)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
