"""Signals that notify higher layers of alerts, sent in the transaction that writes these."""

from django.dispatch import Signal

#: The alerts of a change set, or those that a new day brings, were written; sent if there are none,
#: too. ``change_set`` is about to be sealed, so it has no number yet; None for those of a day.
#: ``occurrences`` are what an active rule reports, by whichever channel; one with a ``moment`` may
#: come again.
alerts_written = Signal()
