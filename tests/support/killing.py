"""Workers that are killed while they run a job."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from oegen.jobs.models import Job, State
from tests.support.databases import database_url

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 300


class Workers:
    """One worker at a time; none when the block ends."""

    def __init__(self) -> None:
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def start(self) -> None:
        command = [sys.executable, "-m", "django", "work", "--every", "0.05", "--lease", "2"]
        self.process = subprocess.Popen(
            [*command, "--settings", "tests.settings"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url()},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def run_while_killing(
        self, job: Job, seconds: float, kills: int, chance: random.Random
    ) -> tuple[Job, float]:
        """The job as it ended, after so many kills at moments of a run that takes so many seconds;
        and the seconds of its last run."""
        found = Job.objects.filter(pk=job.pk)
        for _ in range(kills):
            attempts = found.get().attempts
            self.start()
            wait_until(lambda attempts=attempts: found.get().attempts > attempts)
            time.sleep(chance.uniform(0, seconds))
            self.kill()
            if found.get().state != State.RUNNING:
                break
            # Killed workers do not count against the job here, of which there are more than in a
            # life.
            found.update(attempts=1)
        self.start()
        wait_until(lambda: found.get().state not in (State.WAITING, State.RUNNING))
        self.kill()
        job = found.get()
        assert job.ended_at and job.started_at
        return job, (job.ended_at - job.started_at).total_seconds()


def wait_until(condition: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < TIMEOUT_SECONDS, "It did not come to that."
        time.sleep(0.01)
