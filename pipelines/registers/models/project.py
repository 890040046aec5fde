from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from django.db import models

from oegen.core.addresses import address_of
from oegen.core.fields import CountryField, country_name
from pipelines.choices import CapacityBasis
from pipelines.models import Stage, Technology
from pipelines.registers.choices import Phase, RegisterOutcome
from pipelines.registers.models.edition import stored_editions
from pipelines.registers.models.register import Register
from pipelines.registers.querysets import RegisterProjectQuerySet

#: Why projects and their states have no history of their own.
_UNAUDITED = "What a publisher says; each edition's rows are kept, and the edition is audited."


class Described(models.Model):
    """What a register says of a project.

    ``operator`` is “Private individual” if it may be one. Texts are the register's, in one line;
    ``stage`` is empty where the project is none of a pipeline's stages, ``outcome`` says why.
    ``digest`` is of all columns and of what else the row says.
    """

    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=300)
    operator = models.CharField(max_length=300, blank=True)
    technology = models.ForeignKey(
        Technology,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    raw_technology = models.CharField("technology as published", max_length=200, blank=True)
    capacity_mw = models.DecimalField("capacity", max_digits=12, decimal_places=3, null=True)
    capacity_basis = models.CharField(max_length=2, choices=CapacityBasis, blank=True)
    latitude = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    longitude = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    is_approximate = models.BooleanField("approximate point", default=False)
    country = CountryField()
    region = models.CharField(max_length=120, blank=True)
    place = models.CharField(max_length=500, blank=True)
    raw_status = models.CharField("status as published", max_length=120, blank=True)
    stage = models.ForeignKey(
        Stage, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    outcome = models.CharField(max_length=12, choices=RegisterOutcome)
    submitted_on = models.DateField("application submitted", null=True)
    refused_on = models.DateField("refused", null=True)
    withdrawn_on = models.DateField("withdrawn", null=True)
    appealed_on = models.DateField("appeal lodged", null=True)
    consented_on = models.DateField("consented", null=True)
    consent_expires_on = models.DateField("consent expires", null=True)
    construction_on = models.DateField("construction begun", null=True)
    operational_on = models.DateField("in operation", null=True)
    expected_on = models.DateField("expected to be in operation", null=True)
    grid_on = models.DateField("grid connection effective", null=True)
    decommissioned_on = models.DateField("decommissioned", null=True)
    identifiers: models.JSONField[Any, Any] = models.JSONField(default=dict)
    superseded_by: models.JSONField[Any, Any] = models.JSONField(
        default=list, help_text="Keys of this register, which may have no project."
    )
    storage_with: models.JSONField[Any, Any] = models.JSONField(
        default=list, help_text="Keys of this register, which may have no project."
    )
    remarks: models.JSONField[Any, Any] = models.JSONField(default=list)
    is_private = models.BooleanField("private individual", default=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def country_name(self) -> str:
        return country_name(self.country)

    @property
    def unit(self) -> str:
        """Of its capacity."""
        return "MWp" if self.capacity_basis == CapacityBasis.DC else "MW"


class RegisterProject(Described):
    """A project of a register, as the newest edition describes it that has it.

    Derived from the sightings (``editions/presenting.py``). Without a ``state`` no edition has it
    any more: those that had it were removed. ``previous_phase`` and ``previous_mw`` are what the
    edition before the newest said, empty if it did not have it; of a first edition, what that says.

    On a past page it is as the editions up to that day have it (``editions/past.py``).
    """

    id = models.UUIDField(primary_key=True, editable=False)
    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="projects")
    key = models.CharField(max_length=200, help_text="What the register calls it.")
    state = models.ForeignKey(
        "RegisterState",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    first_seen_on = models.DateField("first edition", null=True)
    last_seen_on = models.DateField("last edition", null=True)
    is_vanished = models.BooleanField(
        "vanished", default=False, help_text="The newest edition does not have it."
    )
    came_back_on = models.DateField(
        null=True, help_text="The last edition that had it again after one that had not."
    )
    went_back_on = models.DateField(
        null=True, help_text="The last edition by which its stage was an earlier one than before."
    )
    phase = models.CharField(
        max_length=12,
        choices=Phase,
        blank=True,
        help_text="By the newest edition; empty if that does not have it.",
    )
    previous_phase = models.CharField(max_length=12, choices=Phase, blank=True)
    previous_mw = models.DecimalField(max_digits=12, decimal_places=3, null=True)

    objects: ClassVar = RegisterProjectQuerySet.as_manager()

    unaudited = _UNAUDITED

    ADMINISTRATORS_MAY: ClassVar = ("view",)

    class Meta:
        verbose_name = "project of a register"
        verbose_name_plural = "projects of registers"
        default_permissions = ("view",)
        ordering = ["register", "name", "key"]
        constraints = [
            models.UniqueConstraint(fields=["register", "key"], name="registerproject_unique"),
        ]
        indexes = [
            models.Index(fields=["outcome", "stage"], name="registerproject_outcome"),
            models.Index(fields=["latitude", "longitude"], name="registerproject_point"),
        ]

    def get_absolute_url(self) -> str:
        return address_of("register-project", self.pk)


class RegisterStateQuerySet(models.QuerySet[Any]):
    def on(self, register: Register, day: date) -> Self:
        """What the newest edition up to that day says, also on a past page."""
        editions = stored_editions(register, day)
        return self.filter(sightings__contents=editions[-1][0]) if editions else self.none()


class RegisterState(Described):
    """What a row said of a project, once for each different content. The key follows from the
    project and the digest."""

    id = models.UUIDField(primary_key=True, editable=False)
    project = models.ForeignKey(
        RegisterProject, on_delete=models.DO_NOTHING, db_constraint=False, related_name="states"
    )
    raw: models.JSONField[Any, Any] = models.JSONField(
        default=dict, help_text="What the row says, without what would name a private individual."
    )

    objects: ClassVar = RegisterStateQuerySet.as_manager()

    unaudited = _UNAUDITED

    #: Rows as published are for administrators.
    ADMINISTRATORS_MAY: ClassVar = ("view",)

    class Meta:
        verbose_name = "state of a project"
        verbose_name_plural = "states of projects"
        default_permissions = ("view",)


#: The columns that a project takes from its newest state.
DESCRIBED = tuple(field.attname for field in Described._meta.local_concrete_fields)
