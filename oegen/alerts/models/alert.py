from datetime import datetime
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from oegen.alerts.events import EVENTS, event_choices, kind_choices
from oegen.audit.changesets import ChangeSet
from oegen.audit.reference import ReferenceModel, ReferenceQuerySet
from oegen.core.constraints import unique_name
from oegen.core.fields import (
    CountryField,
    at_least_zero,
    choices_constraint,
    country_constraint,
    range_constraint,
)
from oegen.core.pointers import PointerField


class Channel(models.TextChoices):
    SLACK = "slack", "Slack"
    EMAIL = "email", "e-mail"


class EventField(models.CharField):
    """The code of an event that rules can be about. Migrations don't know which there are."""

    def __init__(self, **kwargs):
        super().__init__(**{"max_length": 40, **kwargs, "choices": event_choices})

    def deconstruct(self):
        name, _, args, kwargs = super().deconstruct()
        del kwargs["choices"]
        return name, "django.db.models.CharField", args, kwargs


class KindsFormField(forms.MultipleChoiceField):
    """Check boxes for a KindsField."""

    def __init__(self, **kwargs):
        kwargs.pop("max_length")
        super().__init__(choices=kind_choices, **kwargs)

    def prepare_value(self, value):
        return value.split() if isinstance(value, str) else value

    def clean(self, value):
        chosen = super().clean(value)
        return " ".join(kind for kind, _ in kind_choices() if kind in chosen)

    def has_changed(self, initial, data):
        return super().has_changed(self.prepare_value(initial), data)


class KindsField(models.CharField):
    """Codes of kinds of events, separated by spaces."""

    def formfield(self, **kwargs):  # type: ignore[override]  # as Django's own fields have it
        # The admin has its own widget for a CharField.
        own = {"form_class": KindsFormField, "widget": forms.CheckboxSelectMultiple}
        return super().formfield(**kwargs | own)

    @staticmethod
    def words_for(value: str) -> str:
        labels = dict(kind_choices())
        return ", ".join(labels.get(kind, kind) for kind in value.split())

    def deconstruct(self):
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


class AlertRuleQuerySet(ReferenceQuerySet):
    def active_for(self, codes):
        """Active rules about one of the events."""
        return self.active().filter(event__in=codes)


class AlertRule(ReferenceModel):
    """A rule for which occurrences of an event are sent, and by which channel. Empty filters match
    everything.

    Technology and counterparty are pointers, whose models higher applications register.
    """

    event = EventField()
    threshold = models.DecimalField(
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        validators=at_least_zero(""),
        help_text="RTB slip: more than so many days. Capacity: more than so many % up or down. "
        "Information point: a rating of so much or more. Other events have none.",
    )
    kinds = KindsField(
        "reasons",
        max_length=400,
        blank=True,
        help_text="Of “Begins to need attention”: which of these it tells, the morning after they "
        "began. None ticked: all of them. What stood when the rule was switched on is never told. "
        "That a project is red, rated worse or overdue, or its RTB date slipped, are events of "
        "their own.",
    )
    channel = models.CharField(
        max_length=10,
        choices=Channel,
        help_text="E-mail goes to the people who chose the event on their own page.",
    )
    technology = PointerField(
        null=True,
        blank=True,
        db_index=True,
        help_text="Only records of it, its kinds included. Empty: of any.",
    )
    counterparty = PointerField(
        null=True,
        blank=True,
        db_index=True,
        help_text="Only records tied to it, in whatever role. Empty: to any.",
    )
    country = CountryField(help_text="Only records with a facility there. Empty: anywhere.")

    objects = AlertRuleQuerySet.as_manager()  # type: ignore[misc]  # a narrower class

    #: The attributes of the pointers, like ``_id`` of a foreign key.
    technology_id: UUID | None
    counterparty_id: UUID | None

    class Meta(ReferenceModel.Meta):
        verbose_name = "alert rule"
        constraints = [
            unique_name("alertrule"),
            unique_name("alertrule", "code"),
            choices_constraint("alertrule", "channel", Channel),
            range_constraint("alertrule", "threshold", 0),
            country_constraint("alertrule"),
        ]

    def clean(self):
        event = EVENTS.get(self.event)
        if event and event.unit and self.threshold is None:
            raise ValidationError({"threshold": f"“{event.name}” needs a number of {event.unit}."})
        if event and not event.unit and self.threshold is not None:
            raise ValidationError({"threshold": f"“{event.name}” has no threshold: clear it."})

        known = dict(event.kinds) if event else {}
        if event and not known.keys() >= {*self.kinds.split()}:
            raise ValidationError({"kinds": f"“{event.name}” has no reasons: untick them."})

    def matches(self, subject) -> bool:
        """Whether the filters match an oegen.alerts.events.Subject."""
        return (
            (self.technology_id is None or self.technology_id in subject.technologies)
            and (self.counterparty_id is None or self.counterparty_id in subject.counterparties)
            and (not self.country or self.country in subject.countries)
        )

    @property
    def has_filter(self) -> bool:
        return bool(self.technology_id or self.counterparty_id or self.country)


class AlertQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(sent_at=None, parked_at=None)

    def parked(self):
        return self.exclude(parked_at=None)

    def due(self, channels, now: datetime):
        """Alerts to send now, oldest first; locked ones only after their lease."""
        free = Q(claimed_until=None) | Q(claimed_until__lt=now)
        rows = self.waiting().filter(free, channel__in=channels, next_attempt_at__lte=now)
        return rows.order_by("next_attempt_at", "pk")


class Alert(models.Model):
    """A message to one receiver, written in the transaction of the change that it is about.

    ``claimed_until`` is the lease of the worker that sends it (oegen.alerts.delivery). ``payload``
    is the content of the message as of the change.
    """

    unique_key = models.CharField(max_length=200, unique=True, editable=False)
    event = models.CharField(max_length=40)
    channel = models.CharField(max_length=10, choices=Channel)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="alerts",
        help_text="Of an e-mail.",
    )
    content_type = models.ForeignKey(
        "contenttypes.ContentType", null=True, blank=True, on_delete=models.CASCADE
    )
    object_id = models.UUIDField(null=True, blank=True)
    change_set = models.ForeignKey(
        ChangeSet, null=True, blank=True, on_delete=models.PROTECT, related_name="alerts"
    )
    payload = models.JSONField()
    created_at = models.DateTimeField("written", default=timezone.now)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField("next try", default=timezone.now)
    claimed_until = models.DateTimeField(null=True, blank=True)
    may_be_repeat = models.BooleanField(
        "may be a repeat",
        default=False,
        help_text="An earlier try may have arrived: it ended without an answer.",
    )
    sent_at = models.DateTimeField("sent", null=True, blank=True)
    parked_at = models.DateTimeField("parked", null=True, blank=True)
    last_error = models.TextField(blank=True)

    unaudited = "A queue: each alert says itself what became of it."

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(sent_at=None, parked_at=None),
                name="alert_waiting",
            ),
        ]
        constraints = [
            choices_constraint("alert", "channel", Channel),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(parked_at=None), name="alert_sent_or_parked"
            ),
            models.CheckConstraint(
                condition=Q(channel=Channel.SLACK, recipient=None)
                | Q(channel=Channel.EMAIL, recipient__isnull=False),
                name="alert_recipient_of_email",
            ),
        ]

    def __str__(self):
        return self.payload.get("title", self.unique_key)

    @property
    def state(self) -> str:
        if self.sent_at:
            return "sent"
        return "parked" if self.parked_at else "waiting"


class StandingCheck(models.Model):
    """The last day at whose start was compared what holds; see oegen.alerts.crossings."""

    event = models.CharField(max_length=40, unique=True)
    day = models.DateField()

    unaudited = "How far the search for alerts has come."

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.event}: {self.day}"


class AlertPreference(models.Model):
    """Whether a user wants e-mail about an event. Without a row, ``mailed_by_default`` applies."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alert_preferences"
    )
    event = models.CharField(max_length=40)
    is_wanted = models.BooleanField()
    only_mine = models.BooleanField(
        default=False, help_text="Of a digest: only of the person's own projects."
    )
    with_brief = models.BooleanField(
        default=False, help_text="Of a digest: with a written brief before its lists."
    )

    unaudited = "A person's own settings."

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "event"], name="alertpreference_unique")
        ]

    def __str__(self):
        return f"{self.event}: {'yes' if self.is_wanted else 'no'}"
