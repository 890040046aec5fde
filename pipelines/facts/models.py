from __future__ import annotations

from uuid import UUID, uuid5

from django.db import models

from pipelines.choices import RAG, Outcome
from pipelines.facts.querysets import FactQuerySet
from pipelines.models.reference import Stage, Technology

_NAMESPACE = UUID("3b0c7d0e-6d0f-4f8e-9a53-0f6f5a1c2f7b")


class ProvenKinds(models.Model):
    """The kinds of milestones that facts say are proven. A fact refers to all of its at once, so
    that they are in an index with the rest: PostgreSQL does not index rows of over 2,700 bytes."""

    id = models.UUIDField(primary_key=True, help_text="Made of the kinds, see ``key_of``.")
    kinds = models.TextField(help_text="Their ids, as hex digits.")

    unaudited = "Derived from the history."

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.kinds

    @staticmethod
    def key_of(kinds: str | None) -> UUID | None:
        """None if no kind is proven."""
        return uuid5(_NAMESPACE, kinds) if kinds else None


class Fact(models.Model):
    """The values of a pipeline and one of its facilities at times later than ``valid_from`` and not
    later than ``valid_until``, which is FOREVER for the current values.

    A pipeline without facilities has one row, without ``facility_id``. Times are those at which
    changes were recorded.
    """

    id = models.BigAutoField(primary_key=True)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()

    pipeline_id = models.UUIDField()
    project_name = models.CharField(max_length=200)
    stage = models.ForeignKey(
        Stage, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    on_hold = models.BooleanField()
    outcome = models.CharField(max_length=12, choices=Outcome)
    rag_status = models.CharField(max_length=5, choices=RAG, blank=True)
    rag_confirmed_at = models.DateTimeField(null=True)
    rtb_date = models.DateField(null=True)
    responsible_id = models.IntegerField(null=True)
    owned = models.IntegerField(help_text="In hundredths of a percent.")
    own_chance = models.IntegerField(null=True, help_text="In hundredths of a percent.")
    own_chance_until = models.DateField(null=True)
    sold_on = models.DateField(null=True, help_text="When its last sale took effect.")
    rtb_first = models.DateField(null=True, help_text="The first RTB date that was recorded.")
    rtb_baseline = models.DateField(null=True, help_text="The approved one.")
    is_rtb_actual = models.BooleanField(default=False)
    milestone_due = models.DateField(
        null=True, help_text="The first forecast of the milestones ahead, RTB and COD left out."
    )
    proven = models.ForeignKey(
        ProvenKinds,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="Null if no milestone is.",
    )

    facility_id = models.UUIDField(null=True)
    technology = models.ForeignKey(
        Technology,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    country = models.CharField(max_length=2, blank=True)
    kw = models.BigIntegerField(null=True)
    kwh = models.BigIntegerField(null=True)
    is_shared = models.BooleanField(help_text="The facility is in several pipelines.")
    is_first = models.BooleanField(help_text="One row of each pipeline is.")
    is_first_of_technology = models.BooleanField(
        help_text="One row of each pipeline and technology is."
    )

    objects = FactQuerySet.as_manager()

    unaudited = "Derived from the history."

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["pipeline_id"], name="fact_of_pipeline"),
            # The next three with all columns of what is asked of many facts, because the facts of a
            # day, or of what changed between two, are all over the table. Those of a day are read
            # several times for a page of figures, from the second one alone, which therefore has
            # all columns.
            models.Index(
                fields=["facility_id", "pipeline_id"],
                condition=models.Q(is_shared=True),
                name="fact_shared_by",
            ),
            models.Index(
                fields=[
                    *("valid_until", "valid_from", "pipeline_id", "facility_id", "stage"),
                    *("technology", "kw", "kwh", "owned", "own_chance", "own_chance_until"),
                    *("rtb_date", "rtb_first", "rtb_baseline", "is_rtb_actual", "sold_on"),
                    *("rag_status", "rag_confirmed_at", "on_hold", "outcome", "responsible_id"),
                    *("is_first", "is_first_of_technology", "is_shared", "country"),
                    *("milestone_due", "proven", "project_name"),
                ],
                name="fact_ended",
            ),
            # Those of shared facilities, which are read one by one, are few.
            models.Index(
                fields=[
                    *("valid_until", "valid_from", "facility_id", "pipeline_id", "stage"),
                    *("technology", "kw", "kwh", "owned", "own_chance", "own_chance_until"),
                    *("rtb_date", "rag_status", "rag_confirmed_at", "on_hold", "outcome"),
                    *("is_first", "is_first_of_technology", "is_shared"),
                ],
                condition=models.Q(is_shared=True),
                name="fact_shared",
            ),
            models.Index(
                fields=["valid_from", "valid_until", "pipeline_id", "facility_id"],
                name="fact_begun",
            ),
        ]

    def __str__(self):
        return f"{self.project_name}, {self.valid_from} to {self.valid_until}"


class FactRevision(models.Model):
    """A write that changed what facts say of the time after ``changed_from``, which is on an
    earlier day or before the write.

    Most writes change nothing but the present. The number of these rows up to a day is part of the
    cache keys of what was computed of it.
    """

    changed_from = models.DateTimeField(db_index=True)

    unaudited = "Derived from the history."

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"Changed from {self.changed_from} on"
