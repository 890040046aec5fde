"""External references go with the record that they are about."""

from django.contrib.contenttypes.models import ContentType
from django.dispatch import receiver

from oegen.audit.signals import rows_removed
from oegen.imports.tables.kinds import KINDS
from oegen.imports.tables.models import ExternalReference


@receiver(rows_removed, dispatch_uid="oegen.imports.removed")
def _remove_references(sender, keys: list, **kwargs) -> None:
    if any(kind.model is sender for kind in KINDS.values()):
        content_type = ContentType.objects.get_for_model(sender)
        found = ExternalReference.objects.filter(content_type=content_type, object_id__in=keys)
        if found.exists():
            found.delete()
