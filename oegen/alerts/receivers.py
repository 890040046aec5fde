"""Write the alerts of each change set, in its transaction."""

from django.dispatch import receiver

from oegen.alerts.outbox import write_alerts
from oegen.alerts.signals import alerts_written
from oegen.audit.signals import change_set_closed


@receiver(change_set_closed, dispatch_uid="oegen.alerts.outbox")
def _write_alerts(sender, change_set, changes, **kwargs) -> None:
    occurrences = write_alerts(change_set, changes)
    alerts_written.send(sender, change_set=change_set, occurrences=occurrences)
