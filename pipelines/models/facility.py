from typing import ClassVar

from django.contrib.contenttypes.fields import GenericRelation
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from oegen.core.addresses import address_of
from oegen.core.constraints import name_present
from oegen.core.fields import (
    CountryField,
    LineField,
    at_least_zero,
    country_constraint,
    country_name,
    range_constraint,
    range_validators,
)
from oegen.core.triggers import Trigger, register_trigger
from oegen.models import AuditedModel, Comment
from pipelines.choices import CapacityBasis
from pipelines.models.reference import Technology
from pipelines.places import questions_about_place
from pipelines.querysets import ZERO, FacilityQuerySet, Megawatts


class Facility(AuditedModel):
    """A plant of one technology at one site. It may belong to several pipelines."""

    name = LineField(max_length=200)
    technology = models.ForeignKey(Technology, on_delete=models.PROTECT, related_name="facilities")
    capacity_mw = models.DecimalField(
        "capacity",
        max_digits=12,
        decimal_places=3,
        null=True,
        blank=True,
        validators=at_least_zero("MW"),
        help_text="In MW; for solar in MWp (DC). Leave empty if it is not known: 0 means none.",
    )
    storage_mwh = models.DecimalField(
        "storage",
        max_digits=12,
        decimal_places=3,
        null=True,
        blank=True,
        validators=at_least_zero("MWh"),
        help_text="Energy in MWh, for storage technologies only.",
    )
    export_limit_mw = models.DecimalField(
        "export limit",
        max_digits=12,
        decimal_places=3,
        null=True,
        blank=True,
        validators=at_least_zero("MW"),
        help_text="What the grid connection lets out, in MW (AC).",
    )
    latitude = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=range_validators(-90, 90, "degrees"),
        help_text="Degrees north, −90 to 90, such as 52.486200.",
    )
    longitude = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=range_validators(-180, 180, "degrees"),
        help_text="Degrees east, −180 to 180; west of Greenwich is negative: −1.890400.",
    )
    country = CountryField()
    region = LineField(max_length=120, blank=True, help_text="County, state or sea area.")
    comments = GenericRelation(Comment)

    objects: ClassVar = FacilityQuerySet.as_manager()

    SEARCH_FIELDS = ("name", "region", "country_name")
    #: What a pipeline's capacity is computed from.
    REASON_FIELDS = ("technology", "capacity_mw", "storage_mwh")
    SEARCH_FACTS_TEMPLATE = "pipelines/parts/facility_found.html"
    SEARCH_ORDER = 2

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "facilities"
        indexes = [models.Index(fields=["country"], name="facility_country")]
        constraints = [
            name_present("facility"),
            range_constraint("facility", "capacity_mw", 0),
            range_constraint("facility", "storage_mwh", 0),
            range_constraint("facility", "export_limit_mw", 0),
            range_constraint("facility", "latitude", -90, 90),
            range_constraint("facility", "longitude", -180, 180),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None)
                | Q(latitude__isnull=False, longitude__isnull=False),
                name="facility_coordinates_paired",
                violation_error_message="Give both latitude and longitude, or neither.",
            ),
            country_constraint("facility"),
        ]

    def needs_reason_for(self, changed):
        """None, unless the facility belongs to a pipeline."""
        needed = super().needs_reason_for(changed)
        return needed if needed and self.pipeline_links.exists() else []

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return address_of("facility", self.pk)

    @property
    def megawatts(self) -> Megawatts:
        """The capacity by the technology's basis; zero if it is unknown."""
        is_dc = self.technology.capacity_basis == CapacityBasis.DC
        return Megawatts(**{"mwp_dc" if is_dc else "mw_ac": self.capacity_mw or ZERO})

    @property
    def country_name(self) -> str:
        return country_name(self.country)

    def questions(self):
        return questions_about_place(self)

    def clean(self) -> None:
        errors = {}
        if self.latitude is None and self.longitude is not None:
            errors["latitude"] = "Give the latitude too, or clear the longitude."
        if self.longitude is None and self.latitude is not None:
            errors["longitude"] = "Give the longitude too, or clear the latitude."
        if self.storage_mwh is not None and self.technology_id and not self.technology.is_storage:
            errors["storage_mwh"] = (
                f"{self.technology} stores no energy: leave the MWh empty, or choose a storage "
                "technology such as BESS."
            )
        if errors:
            raise ValidationError(errors)


register_trigger(
    Trigger(
        name="facility_storage_on_storage_only",
        table="pipelines_facility",
        condition="""(NEW.storage_mwh IS NOT NULL AND NOT (
            SELECT is_storage FROM pipelines_technology WHERE id = NEW.technology_id))""",
        message="A storage figure needs a facility of a storage technology.",
    )
)
register_trigger(
    Trigger(
        name="technology_storage_in_use",
        table="pipelines_technology",
        condition="""(NOT NEW.is_storage AND EXISTS (
            SELECT 1 FROM pipelines_facility
            WHERE technology_id = NEW.id AND storage_mwh IS NOT NULL))""",
        message="Facilities of this technology have a storage figure.",
    )
)
