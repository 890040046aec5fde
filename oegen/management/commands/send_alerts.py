import logging
import os
import queue
import signal
from datetime import date, datetime, timedelta

from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from oegen.alerts import anchors, delivery, outbox
from oegen.people import security

logger = logging.getLogger(__name__)

#: How often --watch checks for due anchors and ended runs of failures.
MAINTENANCE_INTERVAL = timedelta(minutes=1)


class Stop:
    """A flag that SIGTERM and Ctrl-C set, so that the command ends after the current alert."""

    def __init__(self):
        self._is_set = False
        # SimpleQueue.put() is reentrant, and so safe in a signal handler.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()

    def listen(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._set)

    def _set(self, *_):
        self._is_set = True
        self._wake.put(None)

    def __call__(self) -> bool:
        return self._is_set

    def wait(self, seconds: float) -> None:
        """Sleep, but return at once when the flag is set."""
        try:
            self._wake.get(timeout=seconds)
        except queue.Empty:
            return


class Command(BaseCommand):
    help = (
        "Send the alerts that are due, by Slack and e-mail, and write those of RTB dates that have "
        "passed. With --watch also make the anchor of the history of each hour, and end runs of "
        "failed sign-ins. Any number of these commands may run at once."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--watch", action="store_true", help="keep running until SIGTERM or Ctrl-C"
        )
        parser.add_argument(
            "--every", type=float, default=5, metavar="SECONDS", help="interval of --watch"
        )
        parser.add_argument(
            "--beside",
            type=int,
            metavar="PID",
            help="end --watch when its parent process, PID, ends",
        )

    def handle(self, *, watch: bool, every: float, beside: int | None, **options):
        if not watch:
            outbox.write_timed_alerts(timezone.localdate())
            self._print_tally(delivery.deliver(senders=delivery.senders()))
            for line in delivery.status_lines():
                self.stdout.write(line)
            return
        stop = Stop()
        stop.listen()
        timed_alerts_on: date | None = None
        maintained_at: datetime | None = None
        while not stop() and (beside is None or os.getppid() == beside):
            try:
                today = timezone.localdate()
                if timed_alerts_on != today:
                    outbox.write_timed_alerts(today)
                    timed_alerts_on = today
                tally = delivery.deliver(senders=delivery.senders(), is_stopped=stop)
                self._print_tally(tally)
                now = timezone.now()
                if maintained_at is None or now - maintained_at >= MAINTENANCE_INTERVAL:
                    security.tidy(now)
                    # Retried every time, because another watcher may have failed.
                    anchors.write_if_due(now)
                    maintained_at = now
                close_old_connections()
            except (DatabaseError, InterfaceError):
                logger.exception("The database did not answer; the alerts wait until it does.")
                connection.close()
            stop.wait(every)

    def _print_tally(self, tally: delivery.Tally) -> None:
        done = [
            f"{number:,} {word}"
            for number, word in (
                (tally.sent, "sent"),
                (tally.failed, "to be tried again"),
                (tally.parked, "parked"),
            )
            if number
        ]
        if done:
            self.stdout.write(f"Alerts: {', '.join(done)}.")
