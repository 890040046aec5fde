from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, When
from django.db.models.functions import Coalesce, Greatest, Lower
from django.urls import reverse
from django.utils import timezone

from oegen.alerts.events import EVENTS
from oegen.api.webhooks import signing
from oegen.audit.changesets import ChangeSet
from oegen.core.constraints import name_present
from oegen.core.fields import choices_constraint
from oegen.people.models import User

#: The permission to have webhooks; without it, those that one has send nothing.
USE_WEBHOOKS = "oegen.add_webhook"

#: The backend that permissions come from, whatever others sign people in.
_PERMISSIONS = "oegen.people.backend.Backend"

#: What a webhook may be about beside the events of alerts.
CHANGED = "changed"
CHANGED_LABEL = "Anything changed"

#: How long the previous secret still signs once there is a new one.
BOTH_VALID_FOR = timedelta(days=1)


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def active(self) -> Self:
        return self.filter(switched_off_at=None)

    def in_use(self) -> Self:
        """Active ones whose owner may have them."""
        owners = User.objects.with_perm(USE_WEBHOOKS, backend=_PERMISSIONS)
        return self.active().filter(owner__in=owners).select_related("owner")

    def visible_to(self, person: User) -> Self:
        """A person's own; all for those who may see every webhook."""
        return self if person.has_perm("oegen.view_webhook") else self.filter(owner=person)


class Webhook(models.Model):
    """An address of a person's program that is told of events.

    ``events`` are codes of alert events and CHANGED, separated by spaces. The secrets are encrypted
    (oegen.api.webhooks.signing). ``failing_since`` is the first failure after the last success.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="webhooks"
    )
    name = models.CharField(max_length=80)
    url = models.CharField("address", max_length=500)
    events = models.CharField(max_length=1000)
    secret = models.TextField(editable=False)
    secret_made_at = models.DateTimeField(default=timezone.now, editable=False)
    previous_secret = models.TextField(blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    switched_off_at = models.DateTimeField("switched off", null=True, blank=True, editable=False)
    switched_off_why = models.TextField(blank=True, editable=False)

    objects = WebhookQuerySet.as_manager()

    unaudited = "Sealed security events say who added, changed and switched it."

    class Meta:
        ordering = ["name", "created_at"]
        #: ``add`` is for one's own; with ``view`` and ``change`` one sees and switches everybody's.
        default_permissions = ("add", "change", "view")
        constraints = [
            name_present("webhook"),
            models.UniqueConstraint(
                "owner",
                Lower("name"),
                name="webhook_name_unique",
                violation_error_message="You have a webhook of this name already. Choose another "
                "name.",
            ),
            models.CheckConstraint(
                condition=Q(url__startswith="https://"),
                name="webhook_url_is_https",
                violation_error_message="Enter an address that begins with https://.",
            ),
            models.CheckConstraint(
                condition=~Q(events=""),
                name="webhook_events_present",
                violation_error_message="Choose what it is told of.",
            ),
            models.CheckConstraint(
                condition=Q(previous_secret="", previous_until=None)
                | ~Q(previous_secret="") & Q(previous_until__isnull=False),
                name="webhook_previous_secret_ends",
            ),
            models.CheckConstraint(
                condition=Q(switched_off_at=None, switched_off_why="")
                | Q(switched_off_at__isnull=False) & ~Q(switched_off_why=""),
                name="webhook_switched_off_why",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("webhook", args=[self.pk])

    @property
    def is_active(self) -> bool:
        return self.switched_off_at is None

    @property
    def host(self) -> str:
        """The part of the address that holds no secret."""
        return urlsplit(self.url).netloc

    @property
    def event_codes(self) -> list[str]:
        return self.events.split()

    @property
    def event_names(self) -> list[str]:
        return [name_of_event(code) for code in self.event_codes]

    def secrets(self, now: datetime) -> list[str]:
        """The secrets that are valid: two while a new one is being introduced. Raises
        SecretLostError."""
        stored = [self.secret]
        if self.previous_until and now < self.previous_until:
            stored.append(self.previous_secret)
        return [signing.decrypt(one) for one in stored]


class DeliveryType(models.TextChoices):
    """What receivers tell messages apart by: never rename a value."""

    CHANGED = "portfolio.changed", "Changes"
    ALERTED = "portfolio.alerted", "Alerts"
    TEST = "webhook.test", "Test"


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def waiting(self) -> Self:
        return self.filter(sent_at=None, parked_at=None)

    def in_sending_order(self) -> Self:
        """A test first; the others in the order of the numbers of their change sets, and those that
        are sent again after what has waited longer."""
        is_test = Case(When(type=DeliveryType.TEST, then=0), default=1)
        since = Greatest(Coalesce("change_set__sealed_at", "queued_at"), "queued_at")
        return self.order_by(is_test, since, "change_set__number", "pk")


class WebhookDelivery(models.Model):
    """A message to a webhook, written in the transaction of what it tells of.

    ``payload`` is what the message says beside the number of the change set, which is not known
    before the transaction ends. ``moments`` identify events that are not tied to a change set, so
    that they are told once (oegen.alerts.events.Occurrence). The id is that of the message.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    change_set = models.ForeignKey(
        ChangeSet,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    type = models.CharField(max_length=40, choices=DeliveryType)
    payload: models.JSONField[Any, Any] = models.JSONField(default=dict)
    moments: models.JSONField[Any, Any] = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(default=timezone.now)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField("next try", default=timezone.now)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    sent_at = models.DateTimeField("sent", null=True, blank=True)
    parked_at = models.DateTimeField("parked", null=True, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    unaudited = "A queue: each message says itself what became of it."

    class Meta:
        default_permissions = ()
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(
                fields=["webhook"],
                condition=Q(sent_at=None, parked_at=None),
                name="webhookdelivery_waiting",
            ),
            models.Index(fields=["webhook", "-created_at"], name="webhookdelivery_newest"),
        ]
        constraints = [
            choices_constraint("webhookdelivery", "type", DeliveryType),
            models.UniqueConstraint(
                "webhook", "change_set", name="webhookdelivery_once_for_change_set"
            ),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(parked_at=None), name="webhookdelivery_sent_or_parked"
            ),
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def message_id(self) -> str:
        """The same at each attempt, so that receivers recognize a repetition."""
        return f"msg_{self.pk.hex}"

    @property
    def state(self) -> str:
        if self.sent_at:
            return "sent"
        return "parked" if self.parked_at else "waiting"

    @property
    def is_test(self) -> bool:
        return self.type == DeliveryType.TEST

    @property
    def event_names(self) -> list[str]:
        codes = dict.fromkeys(one["event"] for one in self.payload.get("events", []))
        return [name_of_event(code) for code in codes]

    def body(self) -> str:
        """The message as JSON, the same at each attempt."""
        number = self.change_set.number if self.change_set else None
        at = self.created_at.astimezone(UTC).isoformat(timespec="seconds")
        message = {
            "type": self.type,
            "timestamp": at.replace("+00:00", "Z"),
            "data": {"change_set": number, **self.payload},
        }
        return json.dumps(message, separators=(",", ":"))


def name_of_event(code: str) -> str:
    """The event's name; the code if this release does not have it."""
    if code == CHANGED:
        return CHANGED_LABEL
    return EVENTS[code].name if code in EVENTS else code
