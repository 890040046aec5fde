"""How many requests a second a real server answers: ``python -m tests.benchmarks.load``.

The database is chosen and filled as by ``tests.benchmarks.pages``. Gunicorn serves it on loopback,
and clients ask for the pages of one kind for some seconds, each the next page as soon as it has
the last: lists by their page numbers, records one after the other.

For each kind: the answers a second, the median and the 95th percentile of the time of one, the
processor time of the application for one (PostgreSQL's is not in it), and the memory of the server,
that is of all its processes, each page that several share counted once. The clients take some of
the machine's processors, too.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from itertools import cycle
from pathlib import Path
from threading import Lock

from django.core.cache import cache
from django.urls import reverse

from tests.benchmarks.pages import set_up

#: How long a server may take to start, and to answer, in seconds.
PATIENCE = 300

#: The number of different records, and of pages of a list, that are asked for.
DIFFERENT = 200

TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pipelines", type=int, help="the size of a sample portfolio to measure")
    parser.add_argument("--clients", type=int, default=4, help="clients at the same time (4)")
    parser.add_argument("--workers", type=int, default=2, help="gunicorn's workers (2)")
    parser.add_argument("--seconds", type=float, default=10, help="time for each kind (10)")
    parser.add_argument("--only", default="", help="kinds with this text in their name")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.benchmarks.settings")
    set_up(options.pipelines)
    cache.clear()
    say("", "a second", "ms", "ms, 95 %", "CPU ms", "MB")
    with session() as cookie, server(options.workers) as (port, master):
        say("before use", *("" for _ in range(4)), f"{server_mb(master):.0f}")
        for name, addresses in kinds().items():
            if options.only in name:
                load = Load(port, cookie, addresses)
                load.run(options.clients, options.clients)  # Each worker has to load its templates.
                measure(name, load, options.clients, options.seconds, master)


def kinds() -> dict[str, list[str]]:
    from pipelines.models import Pipeline

    pipelines = reverse("pipelines")
    pages = range(1, min(DIFFERENT, Pipeline.objects.open().count() // 50) + 1)
    records = Pipeline.objects.order_by("pk")[:DIFFERENT]
    return {
        "dashboard": [reverse("dashboard")],
        "list": [f"{pipelines}?page={page}" for page in pages],
        "record": [record.get_absolute_url() for record in records],
        "search": [f"{reverse('search')}?q={text}" for text in ("solar", "grid+offer", "wind")],
    }


@contextmanager
def session() -> Iterator[str]:
    """The cookie of a session of an administrator, which is ended afterwards. In a database without
    one, as a sample is, the account “benchmark-load” is created and stays."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from oegen.models import User
    from oegen.people.sessions import SessionStore

    person = User.objects.filter(is_superuser=True, is_active=True).first()
    if person is None:
        person = User.objects.create_superuser("benchmark-load", password=os.urandom(9).hex())
    store = SessionStore()
    store[SESSION_KEY] = str(person.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = person.get_session_auth_hash()
    store.start()
    store.save()
    try:
        yield f"{settings.SESSION_COOKIE_NAME}={store.session_key}"
    finally:
        store.delete()


@contextmanager
def server(workers: int) -> Iterator[tuple[int, int]]:
    """The port of a gunicorn, and the id of its process."""
    from dashboard.management.commands.run_local import MALLOC

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "oegen.wsgi"),
                *("--bind", f"127.0.0.1:{port}", "--log-level", "warning"),
                *("--workers", str(workers), "--threads", "4", "--preload"),
            ],
            stderr=log,
            env=MALLOC | os.environ,
        )
        try:
            deadline = time.monotonic() + PATIENCE
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise SystemExit(f"The server does not answer:\n{log.read()}")
                time.sleep(0.1)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait()


def _answers(port: int) -> bool:
    """Gunicorn accepts connections before its workers have loaded the application."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", reverse("login"))
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


class Load:
    """Asks for the addresses in turn. ``times`` are those of the answers, in seconds."""

    def __init__(self, port: int, cookie: str, addresses: list[str]):
        self.port = port
        self.cookie = cookie
        self.times: list[float] = []
        self._addresses = cycle(addresses)
        self._lock = Lock()

    def run(self, clients: int, requests: int = 0, seconds: float = 0) -> None:
        """Ask for a number of pages by each client, or as many as it can in some seconds."""
        deadline = time.monotonic() + seconds

        def ask() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            number = 0
            while number < requests or time.monotonic() < deadline:
                number += 1
                with self._lock:
                    address = next(self._addresses)
                start = time.perf_counter()
                connection.request("GET", address, headers={"Cookie": self.cookie})
                response = connection.getresponse()
                response.read()
                self.times.append(time.perf_counter() - start)
                if response.status != HTTPStatus.OK:
                    raise SystemExit(f"{address} answered {response.status}.")
            connection.close()

        with ThreadPoolExecutor(clients) as pool:
            for future in [pool.submit(ask) for _ in range(clients)]:
                future.result()


def measure(name: str, load: Load, clients: int, seconds: float, master: int) -> None:
    load.times.clear()
    start, busy_since = time.perf_counter(), cpu_seconds(master)
    load.run(clients, seconds=seconds)
    elapsed, busy = time.perf_counter() - start, cpu_seconds(master) - busy_since
    number = len(load.times)
    slow = statistics.quantiles(load.times, n=20)[-1] if number > 1 else load.times[0]
    say(
        name,
        f"{number / elapsed:.1f}",
        f"{statistics.median(load.times) * 1000:.0f}",
        f"{slow * 1000:.0f}",
        f"{busy / number * 1000:.1f}",
        f"{server_mb(master):.0f}",
    )


def workers_of(master: int) -> list[int]:
    children = Path(f"/proc/{master}/task/{master}/children").read_text()
    return [int(pid) for pid in children.split()]


def cpu_seconds(master: int) -> float:
    """The processor time of the workers so far."""
    stats = [Path(f"/proc/{pid}/stat").read_text() for pid in workers_of(master)]
    # After the name in brackets: the 12th and 13th fields are user and system time.
    fields = [stat.rpartition(")")[2].split() for stat in stats]
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS


def server_mb(master: int) -> float:
    return sum(map(memory_mb, [master, *workers_of(master)]))


def memory_mb(pid: int) -> float:
    """The memory of the process, with its part of what it shares with others."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    [line] = [line for line in rollup.splitlines() if line.startswith("Pss:")]
    return int(line.split()[1]) / 1024


def say(name: str, *cells: str) -> None:
    sys.stdout.write(f"{name:<16}{''.join(f'{cell:>10}' for cell in cells)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
