from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from oegen.core.constraints import unique_name
from oegen.core.fields import (
    CountryField,
    LineField,
    NamesField,
    choices_constraint,
    country_constraint,
    range_constraint,
    range_validators,
)
from oegen.core.text import split_lines
from oegen.models import AuditedModel, ReferenceModel
from pipelines.choices import CapacityBasis
from pipelines.querysets.technology import TechnologyQuerySet
from pipelines.reference import (
    COD,
    COMPLETED,
    CONSTRUCTION,
    DISCOVERY,
    FIELD_OF_KIND,
    LEAD_DEVELOPER,
    RTB,
)

hex_colour = RegexValidator(r"^#[0-9A-Fa-f]{6}$", "Give a colour as # and six hex digits: #0072B2.")


class Technology(ReferenceModel):
    """A kind of plant. New ones are added as rows, without new code."""

    aliases = NamesField(
        "other names",
        blank=True,
        limit=4_000,
        help_text="One a line, as imports spell it. Case does not count.",
    )
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
        help_text="The broader technology that this is a kind of.",
    )
    unit_label = LineField(max_length=10, default="MW", help_text="MWp for solar, else MW.")
    capacity_basis = models.CharField(max_length=2, choices=CapacityBasis)
    is_storage = models.BooleanField(
        "storage", default=False, help_text="Facilities of it may have a storage figure in MWh."
    )
    icon = LineField(max_length=40, blank=True, help_text="Name of a Tabler icon.")
    colour = LineField(max_length=7, default="#667085", validators=[hex_colour])
    colour_dark = LineField(
        "colour on dark", max_length=7, default="#98A2B3", validators=[hex_colour]
    )

    # mypy takes it for an instance variable, because that of the base class is one.
    objects = TechnologyQuerySet.as_manager()  # type: ignore[misc]

    class Meta(ReferenceModel.Meta):
        verbose_name_plural = "technologies"
        constraints = [
            unique_name("technology"),
            unique_name("technology", "code"),
            choices_constraint("technology", "capacity_basis", CapacityBasis),
        ]

    def clean(self) -> None:
        errors = {}
        if not self.is_storage and self.facilities.exclude(storage_mwh=None).exists():
            errors["is_storage"] = "Facilities of this technology have a storage figure: keep it."
        if self.parent_id == self.pk:
            errors["parent"] = "A technology is not a kind of itself: choose a broader one or none."
        elif self.parent and (self.parent.parent_id or self.children.exists()):
            errors["parent"] = "There are two levels: a technology, and its kinds."
        if errors:
            raise ValidationError(errors)

    @property
    def alias_list(self) -> list[str]:
        return split_lines(self.aliases)


class Stage(ReferenceModel):
    """A step of development. "On hold" is a flag of the pipeline, not a stage."""

    PROTECTED_CODES = frozenset({DISCOVERY, CONSTRUCTION, COMPLETED})

    is_terminal = models.BooleanField(
        "end of the pipeline", default=False, help_text="Projects here are no longer pipeline."
    )
    default_probability_pct = models.DecimalField(
        "default probability",
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        validators=range_validators(0, 100, "%"),
        help_text="Chance of completion in %, for projects without one of their own. "
        "Leave empty until the team has agreed on one.",
    )

    class Meta(ReferenceModel.Meta):
        constraints = [
            unique_name("stage"),
            unique_name("stage", "code"),
            models.UniqueConstraint(fields=["order"], name="stage_order_unique"),
            range_constraint("stage", "default_probability_pct", 0, 100),
        ]

    def clean(self) -> None:
        errors = self._order_errors()
        if self.is_terminal and self.pipelines.filter(on_hold=True).exists():
            errors["is_terminal"] = "Projects are on hold in this stage: take them off hold first."
        if errors:
            raise ValidationError(errors)

    def _order_errors(self) -> dict[str, str]:
        """Terminal stages come after all others: the conversion rates and the MW walk rely on it.
        A stage whose order does not change is not checked."""
        stored = type(self).objects.filter(pk=self.pk).values_list("order", "is_terminal").first()
        if self.order is None or stored == (self.order, self.is_terminal):
            return {}
        others = type(self).objects.exclude(pk=self.pk).exclude(is_terminal=self.is_terminal)
        if self.is_terminal:
            after = others.filter(order__gt=self.order).last()
            words = (
                "An end of the pipeline comes after every other stage, and “{}” has the order {}."
            )
        else:
            after = others.filter(order__lt=self.order).first()
            words = "“{}”, the end of the pipeline, has the order {}: give this stage a lower one."
        return {"order": words.format(after.name, after.order)} if after else {}


class CounterpartyRole(ReferenceModel):
    """The role of a counterparty in a pipeline, such as lead developer."""

    PROTECTED_CODES = frozenset({LEAD_DEVELOPER})

    class Meta(ReferenceModel.Meta):
        constraints = [unique_name("counterpartyrole"), unique_name("counterpartyrole", "code")]


class MilestoneKind(ReferenceModel):
    """An event on the way to the operation of a project, such as an accepted grid offer."""

    PROTECTED_CODES = frozenset({RTB, COD})

    class Meta(ReferenceModel.Meta):
        verbose_name = "kind of milestone"
        verbose_name_plural = "kinds of milestones"
        constraints = [unique_name("milestonekind"), unique_name("milestonekind", "code")]


class GateSet(ReferenceModel):
    """What has to be proven before a project of this technology and country is ready to build; see
    pipelines/gates.py for the set that applies to a facility."""

    technology = models.ForeignKey(
        Technology,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty: any. Its kinds have the same gates, unless they have a set of their own.",
    )
    country = CountryField(help_text="Empty: any that has no set of its own.")

    class Meta(ReferenceModel.Meta):
        verbose_name = "set of RTB gates"
        verbose_name_plural = "sets of RTB gates"
        constraints = [
            unique_name("gateset"),
            unique_name("gateset", "code"),
            country_constraint("gateset"),
            models.UniqueConstraint(
                fields=["technology", "country"],
                name="gateset_technology_country_unique",
                violation_error_message="There is a set for this technology and country already.",
            ),
            models.UniqueConstraint(
                fields=["country"],
                condition=models.Q(technology=None),
                name="gateset_any_technology_unique",
                violation_error_message="There is a set for this country already.",
            ),
        ]


class Gate(AuditedModel):
    """A kind of milestone that has to be proven."""

    gate_set = models.ForeignKey(GateSet, on_delete=models.CASCADE, related_name="gates")
    kind = models.ForeignKey(
        MilestoneKind, on_delete=models.PROTECT, related_name="+", verbose_name="milestone"
    )

    PARENT_FIELD = "gate_set"

    class Meta:
        verbose_name = "RTB gate"
        ordering = ["kind__order"]
        constraints = [
            models.UniqueConstraint(
                fields=["gate_set", "kind"],
                name="gate_unique",
                violation_error_message="This milestone is a gate of the set already.",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind__in=list(FIELD_OF_KIND)),
                name="gate_before_rtb",
                violation_error_message="RTB and COD are no gates on the way to RTB.",
            ),
        ]

    def __str__(self):
        return f"{self.kind} ({self.gate_set})"

    @classmethod
    def describe_link(cls, row, names):
        return f"gate {names.get(MilestoneKind, row.kind_id)}"
