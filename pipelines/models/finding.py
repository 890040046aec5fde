from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Count, Max, Q

from oegen.core import clock
from oegen.core.compiled import compiled, in_one_row
from oegen.core.fields import choices_constraint
from pipelines.choices import FindingKind
from pipelines.facts.intervals import FOREVER


class RegisterFindingQuerySet(models.QuerySet[Any]):
    def current(self) -> Self:
        """Those that nothing has ended, also of days to come."""
        return self.filter(valid_until__gte=FOREVER)

    def now(self) -> Self:
        """The findings of the effective day, as they were known then."""
        moment = clock.past_moment()
        found = (
            self.current()
            if moment is None
            else self.filter(valid_from__lt=moment, valid_until__gte=moment)
        )
        return found.filter(Q(begins_on=None) | Q(begins_on__lte=clock.today()))

    def version(self) -> tuple[object, ...]:
        """What changes when any finding does: a part of cache keys. A finding that ends is no more
        current, and one that begins is the newest."""
        for newest, number in _newest_and_number():
            return newest, number
        return None, 0


@compiled
def _newest_and_number() -> models.QuerySet[Any]:
    current = Count("pk", filter=Q(valid_until__gte=FOREVER))
    return in_one_row(RegisterFinding.objects.all(), newest=Max("pk"), number=current)


class RegisterFinding(models.Model):
    """What a public register says of a pipeline otherwise than we did, at times later than
    ``valid_from`` and not later than ``valid_until``, which is FOREVER for what it still says.

    Written by pipelines.registers, which this package does not depend on: ``project_id`` is a
    project of the register. From ``begins_on`` on it counts; empty: at once.
    """

    id = models.BigAutoField(primary_key=True)
    pipeline_id = models.UUIDField()
    project_id = models.UUIDField()
    kind = models.CharField(max_length=8, choices=FindingKind)
    text = models.CharField(max_length=500)
    begins_on = models.DateField(null=True)
    register = models.CharField(max_length=120, help_text="Its name.")
    attribution = models.CharField(max_length=400, help_text="As its licence asks for it.")
    licence_url = models.URLField(max_length=300)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(default=FOREVER)

    objects: ClassVar = RegisterFindingQuerySet.as_manager()

    unaudited = "Derived from registers and our records as they were at the time."

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["pipeline_id"], name="finding_of_pipeline"),
            models.Index(fields=["valid_until", "valid_from"], name="finding_until"),
        ]
        constraints = [choices_constraint("finding", "kind", FindingKind)]

    def __str__(self) -> str:
        return self.text
