"""Undoing an import: all of its change sets, the last first."""

from __future__ import annotations

from django.db import transaction

from oegen.audit.changesets import ChangeSet
from oegen.audit.long_writes import long_write
from oegen.audit.revert.undoing import CannotUndoError, Skipped, undo
from oegen.imports.tables.models import ImportState, TableImport
from oegen.people.models import User


def undo_import(
    one: TableImport, *, person: User, reason: str
) -> tuple[list[ChangeSet], list[Skipped]]:
    """Undo what the import wrote; returns the change sets that do so, and what was skipped because
    others changed it since. A part that is undone already is left out.

    Each part is one transaction with the note of it in the import's ``result``: who undoes it, and
    the skipped records by name. Raises CannotUndoError if nothing can be undone, and
    PermissionDenied.
    """
    written, skipped, refusals = [], [], []
    noted = one.result.get("undone", {})
    found = ChangeSet.objects.in_bulk(set(one.change_sets) - noted.keys())
    by_key = {str(key): change_set for key, change_set in found.items()}
    wanted = [key for key in reversed(one.change_sets) if key in by_key]
    with long_write(len(wanted)) as goes_on:
        for key in wanted:
            try:
                with transaction.atomic():
                    change_set, left = undo(change_set=by_key[key], reason=reason, person=person)
                    note = {
                        "by": str(change_set.pk),
                        "skipped": [{"name": x.name, "url": x.url, "why": x.why} for x in left],
                    }
                    one.result["undone"] = one.result.get("undone", {}) | {key: note}
                    one.save(update_fields=["result"])
            except CannotUndoError as error:
                refusals.append(error)
                continue
            written.append(change_set)
            skipped += left
            goes_on()
    if not (written or noted) and refusals:
        raise refusals[0]
    one.state = ImportState.UNDONE
    one.save(update_fields=["state"])
    return written, skipped
