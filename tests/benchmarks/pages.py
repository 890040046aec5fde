"""How long the server takes for each page and form: ``python -m tests.benchmarks.pages``.

``--pipelines 10000`` measures a sample portfolio of that size: in a SQLite database below VAR_DIR,
which is made the first time, or in the database that DATABASE_URL names, which is filled if it is
empty (``python -m tests.support.postgres python -m tests.benchmarks.pages --pipelines 1000``).
Without it, the database is measured as it is. What is written is taken back.

For each page: medians of the time of an answer and of its processor time, the number of its
statements and its size. ``floor`` is what it can't be below: the same statements alone, and the
site's empty page; ``ratio`` compares the time of an answer with it. The processor time is that of
the application; PostgreSQL's, where its server runs on this machine, stands beside it ("DB CPU");
its statements are kept to one process each, which at 100,000 pipelines it would else share.
On a busy machine compare processor times, or ratios within one run.

Figures that stay cached until somebody writes are measured as they are, after the RAG comment of a
pipeline was saved ("after an edit"), after its RTB date was ("after a move"), and after the cache
was emptied ("cold"); those of a filter or a past day also when nobody asked for them before.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import django

SEARCHES = ("solar", "a", "grid offer late", "no such words")

#: How far back the pages of the past look.
AGO = timedelta(days=30)


@dataclass(frozen=True)
class Visit:
    """A page, or what gives the page of each visit; what is done ``before`` each, and what a form
    on it submits."""

    name: str
    address: str | Callable[[], str]
    before: Callable[[], object] = lambda: None
    data: Callable[[int], dict] | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pipelines", type=int, help="the size of a sample portfolio to measure")
    parser.add_argument("--runs", type=int, default=9, help="visits of each page (9)")
    parser.add_argument("--only", default="", help="pages with this text in their name")
    options = parser.parse_args()
    set_up(options.pipelines)

    from django.db import connection, transaction
    from django.test import Client

    import oegen.wsgi  # noqa: F401 - what it does to the process, servers have, too
    from oegen.core import sql
    from oegen.models import User

    with transaction.atomic():
        if connection.vendor == "postgresql":
            # The work of other processes would not be in the processor time.
            sql.run("SET LOCAL max_parallel_workers_per_gather = 0")
        client = Client()
        client.force_login(User.objects.create_superuser("benchmark", password=os.urandom(9).hex()))
        sys.stdout.write(
            f"{'':<32}{'ms':>9}{'CPU ms':>9}{'DB CPU':>9}{'queries':>9}{'kB':>9}{'floor':>9}"
            f"{'ratio':>7}\n"
        )
        empty = measure(client, Visit("empty page", "/empty/"), options.runs, 0)
        for visit in visits(client):
            if options.only in visit.name:
                measure(client, visit, options.runs, empty)
        transaction.set_rollback(True)


def load_sample(pipelines: int) -> None:
    from django.core.management import call_command

    call_command("load_sample", pipelines=pipelines)


def set_up(pipelines: int | None, load: Callable[[int], object] = load_sample) -> None:
    """Set Django up on the database, and ``load`` a sample of that size if it is empty."""
    if pipelines and not os.environ.get("DATABASE_URL"):
        folder = Path(os.environ.get("VAR_DIR", "var")).resolve()
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/benchmark-{pipelines}.sqlite3"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    from django.conf import settings

    settings.ROOT_URLCONF = "tests.benchmarks.urls"
    django.setup()
    if not pipelines:
        return
    from django.core.management import call_command

    from oegen.core import sql
    from pipelines.models import Pipeline

    call_command("migrate", verbosity=0)
    if not Pipeline.objects.exists():
        load(pipelines)
        # PostgreSQL does it by itself a minute later, with its own target.
        sql.run("SET default_statistics_target = 100; ANALYZE; RESET default_statistics_target")


@contextmanager
def recorded_statements() -> Iterator[list[tuple]]:
    """The statements of the block, for ``replay``."""
    from django.db import connection

    statements: list[tuple] = []

    def note(execute, sql, params, many, context):
        statements.append((sql, params, many))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield statements


def visits(client) -> Iterator[Visit]:
    """The pages; records are those with the most links."""
    from django.core.cache import cache
    from django.db.models import Count
    from django.urls import reverse
    from django.utils import timezone

    from counterparties.models import Contact, Counterparty
    from infopoints.models import InformationPoint
    from pipelines.models import Facility, Pipeline
    from tests.support.desk import Desk

    lists = ("pipelines", "facilities", "counterparties", "contacts", "infopoints")
    views = ("board", "timeline", "map", "map-data")
    names = ("dashboard", *views, *lists, "changes", "latest-changes", "audit")
    addresses = {name: reverse(name) for name in names}
    addresses |= {
        f"timeline by {group}": f"{reverse('timeline')}?group={group}"
        for group in ("stage", "responsible", "developer")
    }
    addresses["timeline, rows from 3000"] = f"{reverse('timeline-rows')}?start=3000"
    addresses |= {
        f"search “{text}”": f"{reverse('search')}?q={text.replace(' ', '+')}" for text in SEARCHES
    }
    last_page = Pipeline.objects.open().count() // 50
    pipelines = reverse("pipelines")
    addresses |= {
        "pipelines, last page": f"{pipelines}?page={last_page}",
        "pipelines by capacity": f"{pipelines}?sort=-capacity_mw",
        "pipelines, filtered": f"{pipelines}?q=solar&status=open&sort=-capacity_mw",
        "pipelines as CSV": f"{pipelines}?status=all&download=csv",
    }
    for model, links in (
        (Pipeline, "counterparty_links"),
        (Facility, "pipeline_links"),
        (Counterparty, "pipeline_links"),
        (Contact, "counterparty_links"),
        (InformationPoint, "pipeline_links"),
    ):
        record = model.objects.annotate(number=Count(links)).order_by("-number").first()
        addresses[model._meta.model_name] = record.get_absolute_url()
    day = timezone.localdate() - AGO
    in_the_past = ("dashboard", "pipelines", "pipelines, filtered", "timeline", "search “solar”")
    for name in (*in_the_past, "pipeline"):
        joint = "&" if "?" in addresses[name] else "?"
        addresses[f"{name}, past"] = f"{addresses[name]}{joint}as_of={day}"
    pipeline = Pipeline.objects.order_by("pk")[0]
    admin_list, admin_form = Desk.url(Pipeline, "changelist"), Desk.url(pipeline)
    addresses |= {
        "history of a pipeline": reverse("history", args=["pipeline", pipeline.pk]),
        "admin list": admin_list,
        "admin list, search": f"{admin_list}?q=solar",
        "admin form": admin_form,
    }
    yield from (Visit(name, address) for name, address in addresses.items())
    for name in ("dashboard", "dashboard, past", "timeline", "timeline, past"):
        yield Visit(f"{name}, after an edit", addresses[name], partial(edit, pipeline))
        yield Visit(f"{name}, after a move", addresses[name], partial(move, pipeline))
        yield Visit(f"{name}, cold", addresses[name], cache.clear)
    number = count(1)
    for name in ("dashboard", "pipelines", "timeline"):
        new_filter = f"{addresses[name]}?technology=solar&capacity_min="
        yield Visit(f"{name}, new filter", lambda start=new_filter: f"{start}{next(number) / 100}")
    for name in ("dashboard", "pipelines", "timeline"):
        new_day = f"{addresses[name]}?as_of="
        yield Visit(
            f"{name}, new past day",
            lambda start=new_day: f"{start}{day - timedelta(days=next(number))}",
        )
    month = f"{addresses['changes']}?from={day}&to={timezone.localdate()}"
    yield Visit("changes of a month", month)
    yield Visit("changes of a month, after a move", month, partial(move, pipeline))

    desk = Desk(client)

    def form_data(number: int) -> dict:
        with contexts():
            return desk.open(pipeline) | {"rag_comment": f"Edit {number}", "_save": "Save"}

    def table_data(number: int) -> dict:
        with contexts():
            data = desk.fields_of(client.get(admin_list))
        edits = {name: f"Edit {number}" for name in data if name.endswith("-rag_comment")}
        return data | edits | {"_save": "Save"}

    yield Visit("comment, sent", pipeline.get_absolute_url(), data=lambda n: {"text": f"Note {n}"})
    yield Visit("admin form, sent", admin_form, data=form_data)
    yield Visit("admin list, 50 rows sent", admin_list, data=table_data)


@contextmanager
def contexts() -> Iterator[None]:
    """Let responses have the context that forms are read from, which takes time."""
    from django.test.utils import setup_test_environment, teardown_test_environment

    setup_test_environment()
    try:
        yield
    finally:
        teardown_test_environment()


def edit(pipeline) -> None:
    pipeline.rag_comment += "."
    pipeline.save()


def move(pipeline) -> None:
    from django.utils import timezone

    pipeline.rtb_date = (pipeline.rtb_date or timezone.localdate()) + timedelta(days=1)
    pipeline.save()


def database_ms() -> float:
    """The processor time of this connection's PostgreSQL process so far; 0 if it has none here."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0
    spent = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return int(spent.read_text().split()[0]) / 1e6 if spent.exists() else 0


def measure(client, visit: Visit, runs: int, empty_ms: float) -> float:
    """Print the row of a page; returns the median of its times. The first visit is not counted."""
    times, busy, database_busy, size = [], [], [], 0
    for run in range(runs + 1):
        visit.before()
        data = visit.data(run) if visit.data else None
        address = visit.address if isinstance(visit.address, str) else visit.address()
        database_busy_since = database_ms()
        with recorded_statements() as statements:
            start, busy_since = time.perf_counter(), time.process_time()
            response = client.get(address) if data is None else send(client, address, data)
            content = response.getvalue()
            times.append((time.perf_counter() - start) * 1000)
            busy.append((time.process_time() - busy_since) * 1000)
        database_busy.append(database_ms() - database_busy_since)
        if response.status_code != (200 if data is None else 302):
            raise SystemExit(f"{address} answered {response.status_code}.")
        size = len(content)
    ms = statistics.median(times[1:])
    floor = ratio = "–"
    if data is None:
        # What was written meanwhile can't be written again.
        floor_ms = empty_ms + statistics.median(replay(statements) for _ in range(3))
        floor, ratio = f"{floor_ms:.1f}", f"{ms / floor_ms:.1f}"
    sys.stdout.write(
        f"{visit.name:<32}{ms:>9.1f}{statistics.median(busy[1:]):>9.1f}"
        f"{statistics.median(database_busy[1:]):>9.1f}{len(statements):>9}"
        f"{size / 1000:>9.1f}{floor:>9}{ratio:>7}\n"
    )
    sys.stdout.flush()
    return ms


def send(client, address: str, data: dict):
    """Submit the data as browsers do; the client would send it in parts, as files are sent, which
    take a server longer to read."""
    body = urlencode(data, doseq=True)
    return client.post(address, body, content_type="application/x-www-form-urlencoded")


def replay(statements: list[tuple]) -> float:
    """The milliseconds of the statements alone, with all their rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        start = time.perf_counter()
        for sql, params, many in statements:
            (cursor.executemany if many else cursor.execute)(sql, params)
            if cursor.description:
                cursor.fetchall()
        return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
