"""The files that jobs make for people, in VAR_DIR: readable by this site only, and deleted with
their job."""

from __future__ import annotations

import re
import time
from pathlib import Path
from uuid import UUID

from django.conf import settings

from oegen.jobs.models import Job

#: The age in seconds from which a file without a job is removed: a running job writes its file
#: before it has ended.
ORPHAN_SECONDS = 3600


def path_of(job: Job) -> Path:
    """The file of a job; its folder exists."""
    folder = settings.JOB_FILES_DIR
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{job.pk}"


def remove_orphans() -> None:
    """Remove the files whose job is gone."""
    folder = settings.JOB_FILES_DIR
    if not folder.is_dir():
        return
    found = {
        UUID(file.name): file
        for file in folder.iterdir()
        if re.fullmatch(r"[0-9a-f-]{36}", file.name)
        and file.stat().st_mtime < time.time() - ORPHAN_SECONDS
    }
    known = Job.objects.filter(pk__in=found).values_list("pk", flat=True)
    for key in found.keys() - set(known):
        found[key].unlink(missing_ok=True)
