"""The loop of a worker: one thread for each queue, so that what takes minutes does not hold up what
takes seconds. The main thread asks for the jobs of the schedules and says that the worker is alive.
"""

from __future__ import annotations

import logging
import os
import queue as standard_queue
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from oegen.jobs import queue, running, schedules
from oegen.jobs.kinds import QUEUES
from oegen.jobs.models import Worker
from oegen.jobs.models.worker import BEAT

logger = logging.getLogger(__name__)


class Stop:
    """A flag that SIGTERM and Ctrl-C set, so that the worker ends after the jobs it has begun."""

    def __init__(self) -> None:
        self._is_set = False
        # SimpleQueue.put() is reentrant, and so safe in a signal handler.
        self._wake: standard_queue.SimpleQueue[None] = standard_queue.SimpleQueue()

    def listen(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.set)

    def set(self, *_: object) -> None:
        self._is_set = True
        self._wake.put(None)

    def __call__(self) -> bool:
        return self._is_set

    def wait(self, seconds: float) -> None:
        """Sleep, but return at once when the flag is set."""
        try:
            self._wake.get(timeout=seconds)
        except standard_queue.Empty:
            return


def work_off(
    worker: Worker,
    queue_name: str,
    *,
    lease: timedelta = queue.LEASE,
    is_stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Run the due jobs of a queue, one after the other, until there are none; returns their
    number."""
    number = 0
    while not is_stopped() and (job := queue.claim(worker.pk, queue_name, lease=lease)):
        running.run(job, lease, is_stopped)
        number += 1
    return number


def work(
    stop: Stop,
    *,
    queues: Sequence[str] = QUEUES,
    every: float = 1,
    lease: timedelta = queue.LEASE,
    is_orphan: Callable[[], bool] = lambda: False,
) -> None:
    """Run jobs until ``stop`` is set or ``is_orphan``."""
    worker = Worker(host=socket.gethostname(), process=os.getpid())

    def loop(name: str) -> None:
        while not stop():
            try:
                work_off(worker, name, lease=lease, is_stopped=stop)
            except (DatabaseError, InterfaceError):
                logger.exception("The database did not answer; the jobs wait until it does.")
                connection.close()
            except Exception:  # A thread that ended would leave a worker that only looks alive.
                logger.exception("A round of the worker failed; the next one follows.")
                connection.close()
            close_old_connections()
            time.sleep(every)
        connection.close()

    threads = [threading.Thread(target=loop, args=[name], name=name) for name in queues]
    for thread in threads:
        thread.start()
    while not stop():
        if is_orphan():
            stop.set()
            break
        try:
            worker.seen_at = timezone.now()
            worker.save()
            schedules.enqueue_due(timezone.now())
            close_old_connections()
        except (DatabaseError, InterfaceError):
            logger.exception("The database did not answer; the schedules wait until it does.")
            connection.close()
        stop.wait(min(BEAT.total_seconds(), 10 * every))
    for thread in threads:
        thread.join()
    worker.delete()
