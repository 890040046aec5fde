"""An import from its file to its change sets: what the pages, the jobs and the command call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

from django.utils import timezone

from oegen.audit.changesets import ChangeSet
from oegen.imports.tables import preview_file
from oegen.imports.tables.applying import (
    Refusals,
    apply_plan,
    refuse_rows,
    slices,
    try_plan,
)
from oegen.imports.tables.headings import fields_by_name, heading_key
from oegen.imports.tables.kinds import KINDS
from oegen.imports.tables.lookups import Lookups
from oegen.imports.tables.mapping import Mapping, match_columns
from oegen.imports.tables.models import ImportMapping, ImportState, TableImport
from oegen.imports.tables.planning import Request, plan
from oegen.imports.tables.plans import Plan
from oegen.imports.tables.reading import Table, UnreadableFileError, check_content, open_table
from oegen.imports.tables.sampling import SampledTable
from oegen.imports.tables.uploads import keep_upload
from oegen.imports.tables.vocabularies import unknown_values
from oegen.people.models import User

Progress = Callable[[int, int, str], object]

NO_MAPPING = Mapping()


class ChangedSinceError(Exception):
    """The plan is not the one that was previewed any more. The text is shown to people."""


def _silent(done: int, total: int, note: str) -> None:
    return None


def start_import(
    *,
    content: Path,
    name: str,
    kind: str,
    person: User | None,
    mapping: ImportMapping | None = None,
    among: Sequence[str] = (),
    is_read_later: bool = False,
) -> TableImport:
    """Keep a copy of the file in the private folder, for an import of it, and read its columns; or
    leave that to the job ``read-import``. If kinds are given as ``among``, the likeliest of them
    takes the place of ``kind``. Raises UnreadableFileError."""
    one = TableImport(kind=kind, file_name=name, person=person)
    if mapping is not None:
        one.mapping = mapping.contents
    with content.open("rb") as source:
        keep_upload(one.pk, source)
    try:
        if is_read_later:
            check_content(one.path, name)
        else:
            read_columns(one, among)
        one.save()
    except BaseException:
        one.path.unlink()
        one.columns_path.unlink(missing_ok=True)
        raise
    return one


def read_columns(one: TableImport, among: Sequence[str] = ()) -> SampledTable:
    """Read the file, and keep what its columns hold; the import is not saved. ``among`` is as of
    start_import. Raises UnreadableFileError."""
    table = SampledTable.of(table_of(one))
    if among:
        one.kind = _likeliest_kind(table, among)
    table.write(one.columns_path)
    one.digest = table.digest
    return table


def _likeliest_kind(table: Table, kinds: Sequence[str]) -> str:
    """The one of these kinds that our export says it is; else the one that has most of the columns
    by name, the first of those that are equal. Raises UnreadableFileError if our export is of
    none of them."""
    if table.marker is not None and table.marker.kind in KINDS:
        if table.marker.kind not in kinds:
            raise UnreadableFileError(
                f"{table.name} is a download of {KINDS[table.marker.kind].label}, which you may "
                "neither add nor change."
            )
        return table.marker.kind
    keys = {heading_key(head.name) for head in table.columns if head.name}
    return max(kinds, key=lambda name: len(keys & fields_by_name(KINDS[name]).keys()))


def asks_nothing(one: TableImport, table: SampledTable) -> bool:
    """Whether nothing is left to ask about the columns of an export of ours, or of a file that is
    read by a saved mapping."""
    if table.marker is None and not one.mapping:
        return False
    mapping = Mapping.from_json(one.mapping)
    matched = match_columns(table, KINDS[one.kind], mapping, dict(one.choices))
    if matched.questions:
        return False
    # What an export of ours says may be what the record has already, such as a user who left.
    return table.marker is not None or not unknown_values(table, matched, Lookups(mapping.source))


def table_of(one: TableImport) -> Table:
    """Raises UnreadableFileError."""
    return open_table(one.path, one.file_name, sheet=one.sheet, header_row=one.header_row)


def request_of(one: TableImport) -> Request:
    return Request(
        kind=KINDS[one.kind],
        mapping=Mapping.from_json(one.mapping),
        namespace=one.pk,
        person=one.person,
        choices=dict(one.choices),
        is_resumed=bool(one.change_sets),
    )


def preview_import(one: TableImport, progress: Progress = _silent) -> Plan:
    """Plan the import, try it, and keep what it would do. Raises UnreadableFileError."""
    inputs = one.inputs
    table = table_of(one)
    found = _plan(one, table, progress)
    refusals: Refusals = []
    if not found.questions:
        refusals = try_plan(
            found,
            person=one.person,
            reason=one.reason or "Preview",
            progress=lambda done, total: progress(done, total, "Trying what the database says"),
        )
    preview_file.write(found, one.plan_path)
    one.result = {
        "inputs": inputs,
        "counts": found.counts,
        "rows": len(found.rows),
        "questions": len(list(found.asked())),
        "column_questions": len(found.questions),
        "parts": len(slices(found)),
        "missing": len(found.missing),
        "remarks": found.remarks,
        "refusals": refusals,
        "digest": found.digest(),
        "blank": table.blank_rows,
    }
    one.state = ImportState.PLANNED
    one.save(update_fields=["result", "state"])
    return found


def _plan(one: TableImport, table: Table, progress: Progress) -> Plan:
    total = table.row_count
    return plan(table, request_of(one), lambda done: progress(done, total, f"{done:,} rows read"))


def apply_import(
    one: TableImport,
    progress: Progress = _silent,
    finish: Callable[[], object] = lambda: None,
) -> list[ChangeSet]:
    """Plan the import again and write it.

    ``finish`` is called in the transaction of the last slice. An import whose worker died goes on
    after the slices that were written. Raises ChangedSinceError if it would not do any more what
    was previewed, RefusedError, StaleRecordError, IntegrityError and UnreadableFileError.
    """
    found = _plan(one, table_of(one), progress)
    refuse_rows(found, one.result.get("refusals", []))
    if not one.change_sets and found.digest() != one.result.get("digest"):
        raise ChangedSinceError(
            "Somebody changed records of this import since its preview. Nothing was imported: look "
            "at the preview again."
        )

    def note(current: ChangeSet, number: int, total: int) -> None:
        one.change_sets = [*one.change_sets, str(current.pk)]
        if number == total:
            _end(one)
            finish()
        one.save(update_fields=["change_sets", "state", "applied_at"])
        progress(number, total, f"Part {number} of {total} written")

    written = apply_plan(
        found,
        person=one.person,
        reason=one.reason,
        only_right_rows=one.only_right_rows,
        done=note,
    )
    if not written:
        _end(one)
        one.save(update_fields=["state", "applied_at"])
    return written


def _end(one: TableImport) -> None:
    one.state, one.applied_at = ImportState.APPLIED, timezone.now()


def plan_file(
    path: Path,
    kind: str,
    *,
    sheet: str = "",
    mapping: Mapping = NO_MAPPING,
    person: User | None = None,
    reason: str = "Import",
    save_anyway: bool = False,
) -> Plan:
    """Plan a file that nobody uploaded, for the command. Raises UnreadableFileError."""
    request = Request(
        kind=KINDS[kind],
        mapping=mapping,
        namespace=uuid4(),
        person=person,
        reason=reason,
        save_anyway=save_anyway,
    )
    return plan(open_table(path, path.name, sheet=sheet), request)
