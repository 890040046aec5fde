"""Editions in files that people upload, which a job reads and writes."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

from django.core.files.uploadedfile import UploadedFile

from oegen import audit, jobs
from oegen.imports.tables.jobs import KEPT_FOR
from oegen.imports.tables.reading import UnreadableFileError, check_content
from oegen.imports.tables.uploads import keep_upload, upload_path
from oegen.jobs.models import Job
from oegen.people.models import User
from pipelines.registers.editions.ingesting import Origin, ingest_file
from pipelines.registers.models import Register

#: The kind of job; see jobs.py.
INGEST = "ingest-edition"

#: The characters of a file's name by which messages call it: no longer than a path may be.
_NAME = 50


def ask_for_ingest(*, register: Register, file: UploadedFile, on: date, person: User) -> Job:
    """Keep the file, and enqueue the job that writes it as the register's edition of that day.
    Raises UnreadableFileError if it is no table at all."""
    key, name = uuid4(), file.name or ""
    path = keep_upload(key, file)
    try:
        check_content(path, name)
        return jobs.enqueue(
            INGEST,
            person=person,
            key=f"register:{register.code}",
            title=f"{register.short_name}, edition of {on:%d %b %Y}: {name}"[:300],
            register=register.code,
            upload=str(key),
            name=name,
            on=on.isoformat(),
        )
    except BaseException:
        path.unlink()
        raise


def ingest_upload(
    context: jobs.Run, *, register: Register, upload: UUID, name: str, on: date
) -> str:
    """Write the edition; returns a sentence about it. The file goes with that: what it says of
    people is not kept. Raises JobFailedError if it can't be read."""
    path = upload_path(upload)
    if not path.is_file():
        raise jobs.JobFailedError(
            f"The file is gone: it is kept for {KEPT_FOR.days} days. Upload it again."
        )
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / f"{Path(name).stem[:_NAME]}{Path(name).suffix}"
        link.symlink_to(path)
        try:
            ingested = ingest_file(
                register,
                link,
                on=on,
                origin=Origin(name),
                source=audit.Source.IMPORT,
                person=context.job.person,
                report=context.report,
                finish=context.finish,
            )
        except UnreadableFileError as error:
            raise jobs.JobFailedError(f"{error} Nothing was written.") from error
    path.unlink(missing_ok=True)
    return ingested.message
