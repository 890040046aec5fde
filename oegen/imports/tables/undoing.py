"""Undoing an import: all of its change sets, the last first."""

from __future__ import annotations

from oegen.audit.changesets import ChangeSet
from oegen.audit.revert.undoing import CannotUndoError, Skipped, undo
from oegen.imports.tables.models import ImportState, TableImport
from oegen.people.models import User


def undo_import(
    one: TableImport, *, person: User, reason: str
) -> tuple[list[ChangeSet], list[Skipped]]:
    """Undo what the import wrote; returns the change sets that do so, and what was skipped because
    others changed it since. A part that is undone already is left out. Raises CannotUndoError if
    nothing can be undone, and PermissionDenied."""
    written, skipped, refusals = [], [], []
    found = ChangeSet.objects.in_bulk(one.change_sets)
    by_key = {str(key): change_set for key, change_set in found.items()}
    for key in reversed(one.change_sets):
        try:
            change_set, left = undo(change_set=by_key[key], reason=reason, person=person)
        except CannotUndoError as error:
            refusals.append(error)
            continue
        written.append(change_set)
        skipped += left
    if not written and refusals:
        raise refusals[0]
    one.state = ImportState.UNDONE
    one.save(update_fields=["state"])
    return written, skipped
