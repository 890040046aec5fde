"""How the audit trail lets higher layers know what it writes. All are sent in the transaction of
the write, so what a receiver raises undoes it."""

from django.dispatch import Signal

#: Records were written, one by one or in bulk. Sender: their model. ``instances``; ``created``;
#: ``has_unsaved``: the instances may hold values that were not saved, so read them again.
rows_written = Signal()

#: Records were removed. Sender: their model. ``keys``.
rows_removed = Signal()

#: A record is validated. Sender: its model. ``record``; ``exclude``: fields not to look at.
#: Receivers raise django.core.exceptions.ValidationError by field.
record_validating = Signal()

#: A change set is about to end. ``change_set`` is still open: what receivers write belongs to it.
change_set_closing = Signal()

#: A change set with rows has ended and is about to be sealed. ``change_set``. Receivers write what
#: has no history.
change_set_closed = Signal()
