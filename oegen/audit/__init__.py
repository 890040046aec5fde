"""The audit trail: change sets, history rows, seals, and the tools that read and revert them.

A **change set** groups the writes of one action by one person. Every history row belongs to
exactly one. Code that knows the person and the reason opens one around its writes::

    with change_set(person=user, reason="Grid date moved", source=Source.FORM):
        pipeline.save()

A write outside a change set opens one by itself. Where several writes share a transaction, put one
change set around them all: sealing blocks other writers from the end of the first change set to
the end of the transaction.

Imports only ``core``. Higher layers are notified of writes by the signals in
``oegen.audit.signals``.
"""

from oegen.audit.choices import BATCH_SIZE, CHANGED, CREATED, NOT_YET_ENTERED, REMOVED, Source
from oegen.audit.context import (
    NOBODY,
    TokenMark,
    acting,
    change_set,
    current_change_set,
    queue_for_closing,
)
from oegen.audit.history import (
    AuditTrail,
    history_row,
    instance_from_row,
    removals_together,
    saves_together,
    write_history_rows,
)
from oegen.audit.registry import (
    business_models,
    history_model,
    known_until,
    table_version,
    tracked_models,
)
from oegen.audit.signals import (
    change_set_closed,
    change_set_closing,
    record_validating,
    rows_removed,
    rows_written,
)

__all__ = [
    "BATCH_SIZE",
    "CHANGED",
    "CREATED",
    "NOBODY",
    "NOT_YET_ENTERED",
    "REMOVED",
    "AuditTrail",
    "Source",
    "TokenMark",
    "acting",
    "business_models",
    "change_set",
    "change_set_closed",
    "change_set_closing",
    "current_change_set",
    "history_model",
    "history_row",
    "instance_from_row",
    "known_until",
    "queue_for_closing",
    "record_validating",
    "removals_together",
    "rows_removed",
    "rows_written",
    "saves_together",
    "table_version",
    "tracked_models",
    "write_history_rows",
]
