"""Signals that notify higher layers of writes. All are sent in the transaction of the write: an
exception in a receiver rolls it back."""

from django.dispatch import Signal

#: Records were written, one by one or in bulk. Sender: their model. ``instances``; ``created``;
#: ``has_unsaved``: the instances may hold values that were not saved, so read them again.
rows_written = Signal()

#: Records were removed. Sender: their model. ``keys``.
rows_removed = Signal()

#: A record is validated. Sender: its model. ``record``; ``exclude``: fields to skip.
#: Receivers raise django.core.exceptions.ValidationError by field.
record_validating = Signal()

#: A change set is about to be closed. ``change_set`` is still open: writes of receivers belong to
#: it.
change_set_closing = Signal()

#: A change set with rows was closed and is about to be sealed. ``change_set``; ``changes``: the
#: ``oegen.audit.changes.Changes`` of it. Receivers may only write to tables without history.
change_set_closed = Signal()

#: A write in several change sets, which takes minutes (``oegen.audit.long_writes``), is about to
#: begin: ``began``; or its last one was written. Unlike the others, sent outside of transactions.
#: Receivers may prepare what pages show meanwhile and afterwards.
long_write_begins = Signal()
long_write_ends = Signal()
