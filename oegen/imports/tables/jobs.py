"""The jobs of imports, and what becomes of their files."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from oegen import jobs
from oegen.audit.revert.undoing import CannotUndoError
from oegen.core.exceptions import StaleRecordError
from oegen.core.triggers import broken_rule
from oegen.core.words import count
from oegen.imports.tables.applying import RefusedError
from oegen.imports.tables.models import ImportState, TableImport
from oegen.imports.tables.reading import UnreadableFileError
from oegen.imports.tables.running import (
    ChangedSinceError,
    apply_import,
    asks_nothing,
    preview_import,
    read_columns,
)
from oegen.imports.tables.undoing import undo_import
from oegen.jobs.models import Job, State
from oegen.jobs.tidying import tidies

#: How long an uploaded file and its preview are kept.
KEPT_FOR = timedelta(days=7)


READ, PREVIEW, APPLY, UNDO = "read-import", "preview-import", "apply-import", "undo-import"


def ask_for(code: str, one: TableImport, **arguments: Any) -> Job:
    """Enqueue a job for the import; those of one import never run at once. One of the kind that has
    not begun yet is taken instead, and so is one under way that writes."""
    with transaction.atomic():
        locked = TableImport.objects.select_for_update().select_related(None).get(pk=one.pk)
        job = locked.job
        known = job if job is not None and not job.has_ended and job.kind == code else None
        if known is not None and (known.state == State.WAITING or code != PREVIEW):
            one.job = known
            return known
        one.job = jobs.enqueue(
            code,
            person=one.person,
            key=f"import:{one.pk}",
            title=f"{one.file_name}: {one.kind}",
            import_id=str(one.pk),
            **arguments,
        )
        one.save(update_fields=["job"])
    return one.job


@jobs.job_kind(READ, "Reading a file to import", queue=jobs.LONG, max_attempts=3)
def read(context: jobs.Run, import_id: str, among: list[str]) -> str:
    """Read the columns of a long file. If nothing is to be asked, the preview follows at once."""
    one = _import_of(import_id)
    context.report(0, None, "Reading the file")
    try:
        table = read_columns(one, among)
        one.save(update_fields=["kind", "digest"])
        if asks_nothing(one, table):
            return summary(preview_import(one, context.report).counts)
    except UnreadableFileError as error:
        raise jobs.JobFailedError(str(error)) from error
    return f"{count(table.row_count, 'row')} with {count(len(table.columns), 'column')}."


@jobs.job_kind(PREVIEW, "Preview of an import", queue=jobs.LONG, max_attempts=3)
def preview(context: jobs.Run, import_id: str) -> str:
    one = _import_of(import_id)
    if one.state in (ImportState.APPLIED, ImportState.UNDONE):
        return "It is imported already."
    try:
        plan = preview_import(one, context.report)
    except UnreadableFileError as error:
        raise jobs.JobFailedError(str(error)) from error
    if plan.questions:
        return f"{count(len(plan.questions), 'question')} about the columns."
    return summary(plan.counts)


@jobs.job_kind(APPLY, "Import", queue=jobs.LONG, max_attempts=5)
def apply(context: jobs.Run, import_id: str) -> str:
    """Written exactly once: each part with the note that it is, the last one with the job's end."""
    one = _import_of(import_id)
    if one.state in (ImportState.APPLIED, ImportState.UNDONE):
        return "It is imported already."
    try:
        written = apply_import(one, context.report, context.finish)
    except (RefusedError, UnreadableFileError) as error:
        raise jobs.JobFailedError(str(error)) from error
    except (ChangedSinceError, StaleRecordError) as error:
        preview_import(one, context.report)
        raise jobs.JobFailedError(str(error)) from error
    except IntegrityError as error:
        preview_import(one, context.report)
        why = broken_rule(error) or str(error)
        raise jobs.JobFailedError(f"The database refused the import: {why}") from error
    return f"Imported in {count(len(written), 'change set')}."


@jobs.job_kind(UNDO, "Undo an import", queue=jobs.LONG)
def undo(context: jobs.Run, import_id: str, reason: str) -> str:
    one = _import_of(import_id, needs_file=False)
    if context.job.person is None:
        raise jobs.JobFailedError("Whoever asked for it has no account any more.")
    try:
        written, skipped = undo_import(one, person=context.job.person, reason=reason)
    except CannotUndoError as error:
        raise jobs.JobFailedError(str(error)) from error
    except PermissionDenied as error:
        raise jobs.JobFailedError(
            "Undoing removes or sets back records that you may not remove or change. Ask an "
            "administrator to undo the change sets of this import."
        ) from error
    left = f", {count(len(skipped), 'record')} left as it is" if skipped else ""
    return f"Undone in {count(len(written), 'change set')}{left}."


def summary(counts: dict[str, int]) -> str:
    """“12 created, 3 changed, 40 unchanged, 1 refused”, and what else there is."""
    refused = counts["refused"] + counts["conflicting"]
    text = (
        f"{counts['created']:,} created, {counts['changed']:,} changed, "
        f"{counts['unchanged']:,} unchanged, {refused:,} refused"
    )
    if counts["conflicting"]:
        text += f" ({counts['conflicting']:,} in conflict)"
    if counts["left out"]:
        text += f", {counts['left out']:,} left out"
    return text


def _import_of(import_id: str, *, needs_file: bool = True) -> TableImport:
    one = TableImport.objects.select_related("person").filter(pk=UUID(import_id)).first()
    if one is None:
        raise jobs.JobFailedError("The import is gone: upload the file again.")
    if needs_file and not one.path.is_file():
        raise jobs.JobFailedError(
            f"The file is gone: it is kept for {KEPT_FOR.days} days. Upload it again."
        )
    return one


@tidies
def remove_old_files() -> None:
    """Remove uploaded files and previews that are older than a week, whatever became of them."""
    folder = settings.IMPORT_FILES_DIR
    if not folder.is_dir():
        return
    oldest = time.time() - KEPT_FOR.total_seconds()
    for file in folder.iterdir():
        if file.stat().st_mtime < oldest:
            file.unlink(missing_ok=True)
    unused = TableImport.objects.filter(
        created_at__lt=timezone.now() - KEPT_FOR,
        state__in=[ImportState.UPLOADED, ImportState.PLANNED],
    )
    unused.delete()
