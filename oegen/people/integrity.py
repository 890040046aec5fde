"""Integrity checks of accounts, groups, content types and security events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef

from oegen.audit import seals
from oegen.audit.integrity import register_check
from oegen.audit.integrity.chain import link_findings
from oegen.audit.integrity.finding import Finding, entry_name
from oegen.audit.integrity.reading import fault_findings, read
from oegen.people import accounts, security
from oegen.people.comments import Comment
from oegen.people.models import AccountRecord, GroupRecord, SecurityEvent, User
from oegen.people.models.access import CopiedModel

CHUNK = 1_000


@register_check("the security events")
def event_findings(counts: Counter) -> Iterator[Finding]:
    """Check the chain of security events."""
    number, seal = 0, seals.START
    for event, faults in read(SecurityEvent.objects.order_by("number")):
        counts["security events"] += 1
        yield from fault_findings(event, faults)
        if event.number is None:
            continue
        where = f"Security event {event.number}"
        seal_of = None if faults else partial(security.seal_of, event, seal)
        yield from link_findings(where, event, number, seal_of)
        number, seal = event.number, event.seal or ""


@register_check("accounts and groups")
def account_findings(counts: Counter) -> Iterator[Finding]:
    """Accounts and groups that differ from their copies in the history."""
    yield from _compare(User, AccountRecord, accounts.values_of_accounts)
    yield from _compare(Group, GroupRecord, accounts.values_of_groups)


def _compare(live_model, copies: type[CopiedModel], values_of) -> Iterator[Finding]:
    noun = str(copies._meta.verbose_name).capitalize()
    last = None
    while True:
        rows = live_model._base_manager.order_by("pk")
        chunk = list(read((rows.filter(pk__gt=last) if last is not None else rows)[:CHUNK]))
        if not chunk:
            break
        last = chunk[-1][0].pk
        for row, faults in chunk:
            yield from fault_findings(row, faults)
        live = [row for row, faults in chunk if not faults]
        newest = copies.objects.in_bulk([copies.id_of(row.pk) for row, _ in chunk])
        for key, values in values_of(live).items():
            copy = newest.get(copies.id_of(key))
            where = f"{noun} “{values.get('username') or values['name']}” ({key})"
            if copy is None:
                yield Finding(where, "it is here, and no entry of the history says so")
                continue
            for name, value in values.items():
                recorded = getattr(copy, name)
                if value != recorded:
                    yield _difference(copies, where, name, value, recorded)
    existing = live_model._base_manager.values("pk")
    for copy in copies.objects.exclude(**{f"{copies.KEY_FIELD}__in": existing}):
        where = f"{noun} “{copy}” ({getattr(copy, copies.KEY_FIELD)})"
        yield Finding(where, "it is gone, and no entry says who removed it")


def _difference(copies, where: str, name: str, value, recorded) -> Finding:
    field = copies._meta.get_field(name)
    what = "it was changed past the history"
    if name == "password_mark":
        return Finding(
            where, f"{what}: its stored password is another", evidence=f"{value} {recorded}"
        )
    return Finding(where, what, str(field.verbose_name), repr(value), repr(recorded))


@register_check("the kinds of record")
def kind_findings(counts: Counter) -> Iterator[Finding]:
    """Comments whose content type does not match their record: entries before seal format 2 have
    only the content type's id."""
    rows = Comment.history.model.objects
    for key in rows.order_by().values_list("content_type_id", flat=True).distinct():
        kind = ContentType.objects.filter(pk=key).first()
        model = kind and kind.model_class()
        if model is None or not hasattr(model, "history"):
            found = rows.filter(content_type_id=key)
        else:
            known = model.history.model.objects.filter(id=OuterRef("object_id"))
            found = rows.filter(~Exists(known), content_type_id=key)
        label = f"{kind.app_label}.{kind.model}" if kind else f"number {key}"
        for row, faults in read(found):
            if not faults:
                yield Finding(
                    entry_name(row),
                    f"it is about a record of the kind {label}, and there never was such a record",
                    evidence=row.digest,
                )
