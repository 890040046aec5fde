from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.contenttypes.fields import GenericRelation
from django.db import models
from django.db.models import F

from counterparties.models import Counterparty
from infopoints.choices import Status
from infopoints.querysets import InformationPointQuerySet
from oegen.core import clock
from oegen.core.addresses import address_of
from oegen.core.constraints import name_present
from oegen.core.fields import (
    LineField,
    ProseField,
    choices_constraint,
    range_constraint,
    range_validators,
)
from oegen.models import AuditedModel, Comment
from pipelines.models import Pipeline, Technology


class InformationPoint(AuditedModel):
    """Something the managers learnt about the market, rated by impact and likelihood."""

    title = LineField(max_length=200)
    description = ProseField(blank=True)
    market = LineField(
        max_length=120, blank=True, help_text="Where it applies, such as GB capacity market."
    )
    impact = models.PositiveSmallIntegerField(
        validators=range_validators(1, 100),
        help_text="How much it would matter, 1 (hardly) to 100 (decisive).",
    )
    likelihood = models.PositiveSmallIntegerField(
        validators=range_validators(1, 100),
        help_text="How likely it is, 1 (hardly) to 100 (certain).",
    )
    rating = models.GeneratedField(
        expression=F("impact") * F("likelihood"),
        output_field=models.PositiveIntegerField(),
        db_persist=True,
        help_text="Impact × likelihood, 1 to 10,000.",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="information_points",
        help_text="Who keeps an eye on it.",
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    review_on = models.DateField(
        "review date", null=True, blank=True, help_text="When to look at it again."
    )
    technologies: models.ManyToManyField[Technology, InformationPointTechnology] = (
        models.ManyToManyField(
            Technology, through="InformationPointTechnology", related_name="information_points"
        )
    )
    counterparties: models.ManyToManyField[Counterparty, InformationPointCounterparty] = (
        models.ManyToManyField(
            Counterparty, through="InformationPointCounterparty", related_name="information_points"
        )
    )
    pipelines: models.ManyToManyField[Pipeline, InformationPointPipeline] = models.ManyToManyField(
        Pipeline, through="InformationPointPipeline", related_name="information_points"
    )
    comments = GenericRelation(Comment)

    objects: ClassVar = InformationPointQuerySet.as_manager()

    SEARCH_FIELDS = ("title", "description", "market")
    SEARCH_FACTS_TEMPLATE = "infopoints/parts/informationpoint_found.html"
    SEARCH_ORDER = 5

    class Meta:
        ordering = ["-rating", "title"]
        indexes = [models.Index(fields=["-rating"])]
        constraints = [
            name_present("informationpoint", "title"),
            range_constraint("informationpoint", "impact", 1, 100),
            range_constraint("informationpoint", "likelihood", 1, 100),
            choices_constraint("informationpoint", "status", Status),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return address_of("informationpoint", self.pk)

    @property
    def is_review_overdue(self) -> bool:
        """Whether its review date is before today, or before the day of a past page."""
        if self.review_on is None or self.status == Status.CLOSED:
            return False
        return self.review_on < clock.today()


class InformationPointTechnology(AuditedModel):
    information_point = models.ForeignKey(
        InformationPoint, on_delete=models.CASCADE, related_name="technology_links"
    )
    technology = models.ForeignKey(
        Technology, on_delete=models.PROTECT, related_name="information_point_links"
    )

    PARENT_FIELD = "information_point"

    class Meta:
        verbose_name = "technology of an information point"
        verbose_name_plural = "technologies of information points"
        constraints = [
            models.UniqueConstraint(
                fields=["information_point", "technology"],
                name="informationpointtechnology_unique",
                violation_error_message="This technology is already named.",
            )
        ]

    def __str__(self):
        return f"{self.information_point} concerns {self.technology}"

    @classmethod
    def describe_link(cls, row, names):
        return f"technology {names.get(Technology, row.technology_id)}"


class InformationPointCounterparty(AuditedModel):
    information_point = models.ForeignKey(
        InformationPoint, on_delete=models.CASCADE, related_name="counterparty_links"
    )
    counterparty = models.ForeignKey(
        Counterparty, on_delete=models.PROTECT, related_name="information_point_links"
    )

    PARENT_FIELD = "information_point"

    class Meta:
        verbose_name = "counterparty of an information point"
        verbose_name_plural = "counterparties of information points"
        constraints = [
            models.UniqueConstraint(
                fields=["information_point", "counterparty"],
                name="informationpointcounterparty_unique",
                violation_error_message="This counterparty is already named.",
            )
        ]

    def __str__(self):
        return f"{self.information_point} concerns {self.counterparty}"

    @classmethod
    def describe_link(cls, row, names):
        return f"counterparty {names.get(Counterparty, row.counterparty_id)}"


class InformationPointPipeline(AuditedModel):
    information_point = models.ForeignKey(
        InformationPoint, on_delete=models.CASCADE, related_name="pipeline_links"
    )
    pipeline = models.ForeignKey(
        Pipeline, on_delete=models.PROTECT, related_name="information_point_links"
    )

    PARENT_FIELD = "information_point"

    class Meta:
        verbose_name = "pipeline of an information point"
        verbose_name_plural = "pipelines of information points"
        constraints = [
            models.UniqueConstraint(
                fields=["information_point", "pipeline"],
                name="informationpointpipeline_unique",
                violation_error_message="This pipeline is already named.",
            )
        ]

    def __str__(self):
        return f"{self.information_point} concerns {self.pipeline}"

    @classmethod
    def describe_link(cls, row, names):
        return f"pipeline {names.get(Pipeline, row.pipeline_id)}"
