import os
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from oegen.core.garbage import rare_garbage_collection
from oegen.core.words import count
from oegen.jobs import queue, schedules, worker
from oegen.jobs.kinds import QUEUES
from oegen.jobs.models import Worker


class Command(BaseCommand):
    help = (
        "Run background jobs (alerts, digests, anchors, checks, large downloads) until SIGTERM or "
        "Ctrl-C, which let the jobs that have begun come to their end. Any number of these "
        "commands may run at once, on any number of machines."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--once", action="store_true", help="run the jobs that are due, and exit"
        )
        parser.add_argument(
            "--every", type=float, default=1, metavar="SECONDS", help="pause between two looks"
        )
        parser.add_argument(
            "--lease",
            type=float,
            default=queue.LEASE.total_seconds(),
            metavar="SECONDS",
            help="how long a job waits for another worker when its own has died",
        )
        parser.add_argument(
            "--beside", type=int, metavar="PID", help="end when the parent process, PID, ends"
        )

    # Imports and downloads make many objects that stay to their end.
    @rare_garbage_collection()
    def handle(self, *, once: bool, every: float, lease: float, beside: int | None, **options):
        if every <= 0 or lease <= 0:
            raise CommandError("--every and --lease take a number of seconds above 0.")
        span = timedelta(seconds=lease)
        stop = worker.Stop()
        stop.listen()
        if not once:
            worker.work(
                stop,
                every=every,
                lease=span,
                is_orphan=lambda: beside is not None and os.getppid() != beside,
            )
            return
        schedules.enqueue_due(timezone.now())
        own = Worker()
        number = sum(worker.work_off(own, name, lease=span, is_stopped=stop) for name in QUEUES)
        self.stdout.write(f"{count(number, 'job')} done.")
