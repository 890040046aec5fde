"""How long syncs of the warehouse take, and how much memory.

    python -m tests.benchmarks.warehouse --pipelines 10000

The database is chosen and filled as by ``tests.benchmarks.pages``. ``--copies 3`` adds three copies
of each history row and each fact, under other ids: rows to be written, of a history that is not
valid any more. Then all tables are written anew, and again after ``--changes``
change sets, each a process of its own. What is written stays.

For each: its time, its processor time, the most memory that the process had, how much of it when
the sync began, and how much at the end was its own: not files that are mapped, such as the code of
libraries. The tables of days are not in it.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from tests.benchmarks.pages import set_up

#: Rows that are copied at a time.
BATCH = 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pipelines", type=int, help="the size of a sample portfolio to measure")
    parser.add_argument("--copies", type=int, default=0, help="copies of history and facts (0)")
    parser.add_argument("--changes", type=int, default=1_000, help="change sets in between (1000)")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    set_up(options.pipelines)
    if options.measure:
        measure(*options.measure)
        return
    copy_rows(options.copies)
    say("", "s", "CPU s", "MB", "at first", "its own", "rows")
    with TemporaryDirectory() as folder:
        measure_apart("full", folder, options)
        change(options.changes)
        measure_apart(f"{options.changes:,} change sets", folder, options)
        measure_apart("nothing new", folder, options)


def measure_apart(name: str, folder: str, options: argparse.Namespace) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.warehouse", "--measure", name, folder]
    subprocess.run(command, check=True, env=os.environ)


def measure(name: str, folder: str) -> None:
    """Sync in this process, and print what that took."""
    from dashboard.warehouse import installed

    delta, syncing = installed("delta"), installed("syncing")
    syncing.write_daily = lambda *arguments, **options: None
    at_first = memory("VmRSS")
    begun, busy_since = time.perf_counter(), time.process_time()
    result = syncing.sync(delta.Destination.parse(folder), full=name == "full")
    say(
        name,
        f"{time.perf_counter() - begun:.1f}",
        f"{time.process_time() - busy_since:.1f}",
        *(f"{memory('VmHWM'):,}", f"{at_first:,}", f"{memory('RssAnon'):,}"),
        f"{sum(result.rows.values()):,}",
    )


def memory(what: str) -> int:
    """A line of this process's status, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) // 1024
    raise ValueError(what)


def change(number: int) -> None:
    """Write that many change sets, each of one project or facility."""
    from oegen import audit
    from pipelines.models import Facility, Pipeline

    rng = random.Random()
    pipelines = list(Pipeline.objects.values_list("pk", flat=True))
    facilities = list(Facility.objects.exclude(capacity_mw=None).values_list("pk", flat=True))
    for place in range(number):
        with audit.change_set(reason="Benchmark"):
            if place % 3:
                pipeline = Pipeline.objects.get(pk=rng.choice(pipelines))
                pipeline.next_step = f"Step {rng.random()}"
                pipeline.ownership_pct = rng.randint(10, 100)
                pipeline.save()
            else:
                facility = Facility.objects.get(pk=rng.choice(facilities))
                facility.capacity_mw += 1
                facility.save()


def copy_rows(copies: int) -> None:
    """Add that many copies of all history rows and facts."""
    from oegen import audit
    from pipelines.models import Fact

    if not copies:
        return
    for model in map(audit.history_model, audit.tracked_models()):
        _copy(model, copies, "history_id", ("id",))
    _copy(Fact, copies, "id", ("pipeline_id", "facility_id"))


def _copy(model: type[Any], copies: int, key: str, ids: tuple[str, ...]) -> None:
    from django.db.models import Max

    rows = model._base_manager
    newest = rows.aggregate(newest=Max(key))["newest"]
    # Read one after the other: SQLite would go on into what is written meanwhile.
    for first in range(0, (newest or 0) + 1, BATCH):
        own = {f"{key}__gt": first, f"{key}__lte": min(first + BATCH, newest or 0)}
        originals = list(rows.filter(**own))
        for copy in range(1, copies + 1):
            for row in originals:
                row.pk = None
                for name in ids:
                    if value := getattr(row, name):
                        setattr(row, name, UUID(int=value.int ^ _flip(copy)))
            rows.bulk_create(originals)


def _flip(copy: int) -> int:
    """What turns the ids of a copy into those of the next: all copies have their own."""
    return (copy ^ (copy - 1)) << 120


def say(name: str, *cells: str) -> None:
    sys.stdout.write(f"{name:<20}{''.join(f'{cell:>12}' for cell in cells)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
