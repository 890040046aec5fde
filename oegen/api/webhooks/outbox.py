"""Writes the messages to webhooks, in the transaction of what they tell of. Imported in
``AppConfig.ready``."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from django.dispatch import receiver

from oegen.alerts.events import SILENT_SOURCES, Occurrence
from oegen.alerts.signals import alerts_written
from oegen.api.rest.registry import readable_by, route_of
from oegen.api.webhooks.models import CHANGED, DeliveryType, Webhook, WebhookDelivery
from oegen.api.webhooks.sending import enqueue_sending
from oegen.audit.audited import AuditedModel
from oegen.core.compiled import compiled

if TYPE_CHECKING:
    from oegen.audit.changesets import ChangeSet

#: The number of events, and of records, that a message names; the feed has them all.
MAX_NAMED = 100

Named = dict[str, str]


class Written:
    """The records that a change set wrote."""

    def __init__(self, change_set: ChangeSet | None):
        written = change_set.written if change_set else {}
        self._keys = {history.instance_type: keys for history, keys in written.items()}

    @property
    def models(self) -> AbstractSet[type[AuditedModel]]:
        return self._keys.keys()

    def named(self, readable: Iterable[type[AuditedModel]]) -> list[Named]:
        """The records of the models, up to one more than a message names."""
        found: list[Named] = []
        for model in sorted(self.models & set(readable), key=lambda one: one._meta.label):
            keys = heapq.nsmallest(MAX_NAMED + 1 - len(found), self._keys[model])
            found += ({"kind": route_of(model), "id": str(key)} for key in keys)
        return found


@receiver(alerts_written, dispatch_uid="oegen.api.webhooks.outbox")
def write_deliveries(
    sender: object,
    change_set: ChangeSet | None,
    occurrences: Sequence[Occurrence],
    **kwargs: object,
) -> None:
    """Write a message for each webhook that is to be told, and ask for the jobs that send them.

    Queries: none for a change set of a set-up or the sample, else one if no webhook is active.
    """
    if change_set is not None and change_set.source in SILENT_SOURCES:
        return
    if change_set is None and not occurrences:
        return
    if not _some_active():
        return
    written = Written(change_set)
    for webhook in Webhook.objects.in_use():
        if delivery := _delivery(webhook, change_set, occurrences, written):
            delivery.save(force_insert=True)
            enqueue_sending(webhook)


@compiled
def _some_active():
    return Webhook.objects.active().order_by().values_list("pk")[:1]


def _delivery(
    webhook: Webhook,
    change_set: ChangeSet | None,
    occurrences: Iterable[Occurrence],
    written: Written,
) -> WebhookDelivery | None:
    """The message for a webhook; None if there is nothing that it asked for and its owner may
    read."""
    about = {one.model for one in occurrences}
    readable = readable_by(webhook.owner, among=about | written.models)
    codes = set(webhook.event_codes)
    told = [
        one
        for one in occurrences
        if one.event.code in codes
        and one.model in readable
        and (one.people is None or webhook.owner_id in one.people)
    ]
    moments = {id(one): _moment(one) for one in told if one.moment}
    if moments:
        known = _known_moments(webhook)
        told = [one for one in told if moments.get(id(one)) not in known]
    records = written.named(readable) if CHANGED in codes else []
    if not (told or records):
        return None
    return WebhookDelivery(
        webhook=webhook,
        change_set=change_set,
        type=DeliveryType.CHANGED if records else DeliveryType.ALERTED,
        payload={
            "events": [_event(one) for one in told[:MAX_NAMED]],
            "records": records[:MAX_NAMED],
            "complete": max(len(told), len(records)) <= MAX_NAMED,
        },
        moments=[moments[id(one)] for one in told if one.moment],
    )


def _event(occurrence: Occurrence) -> dict[str, Any]:
    kind = route_of(occurrence.model)
    return {"event": occurrence.event.code, "kind": kind, "id": str(occurrence.key)}


def _moment(occurrence: Occurrence) -> str:
    return f"{occurrence.moment}:{occurrence.key}"


def _known_moments(webhook: Webhook) -> set[str]:
    """The moments in messages that were not forgotten yet, which is long before they come again for
    the last time."""
    rows = webhook.deliveries.exclude(moments=[]).order_by().values_list("moments", flat=True)
    return {moment for moments in rows for moment in moments}
