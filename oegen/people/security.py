"""The log of security events: sign-ins, failures, delays, sign-outs, changed passwords, downloads,
access tokens, webhooks, reporting.

Events form a hash chain. Each is sealed in a short transaction under a separate lock. Unknown
usernames are stored as keyed digests only, because users type passwords there by mistake. The
address is stored separately for ADDRESS_RETENTION and not covered by the seal.

Failures of one kind for one username from one address, with no pause longer than RUN_PAUSE, are one
run. It is sealed at 1, 10, 100 … failures and at its end, each time with the count so far, so that
most of a run can't be removed unnoticed.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import DatabaseError, models, transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from oegen.audit import seals
from oegen.core.database import lock_timeout, take_advisory_lock
from oegen.people.client import UnknownClientError, client_address
from oegen.people.models import FailureRun, SecurityAddress, SecurityEvent, User

logger = logging.getLogger(__name__)

Kind = SecurityEvent.Kind

ADDRESS_RETENTION = timedelta(days=90)

#: A failure after a longer pause starts a new run.
RUN_PAUSE = timedelta(minutes=10)

#: Kinds whose repetitions are counted in a run.
COUNTED_KINDS = frozenset({Kind.FAILURE, Kind.DELAY})

#: PostgreSQL's advisory lock around the numbering of events; not the one of change sets.
LOCK = 0x0E6E_5EA2

#: How long a request waits for SQLite to record an event.
LOCK_TIMEOUT = timedelta(seconds=2)

_request: ContextVar[HttpRequest | None] = ContextVar("oegen_request", default=None)


@contextmanager
def use_request(request: HttpRequest) -> Iterator[None]:
    """Use the request's address and user for events that are recorded in the block."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


@dataclass(frozen=True)
class Facts:
    kind: str
    account_id: int | None
    username: str
    username_digest: str
    address: str
    at: datetime
    details: dict[str, str | int] = field(default_factory=dict)


def record_security_event(
    kind: str,
    *,
    account: User | None = None,
    username: str = "",
    request: HttpRequest | None = None,
    details: dict[str, str | int] | None = None,
) -> None:
    """Record an event of SecurityEvent.Kind; inside a transaction, after its commit.

    ``account`` defaults to the account with the typed ``username``, if there is one, else to the
    signed-in user. ``request`` defaults to the current one. ``details`` is sealed and visible to
    administrators: it must not contain secrets or addresses.

    A DatabaseError is logged and not raised, so that it does not keep anybody from signing in.
    Sign-ins, sign-outs and wrong passwords are recorded by Django's signals, delays by
    oegen.people.sign_in, changed passwords by oegen.people.accounts, downloads by oegen.exports,
    what becomes of access tokens and webhooks by oegen.api.
    """
    request = request or _request.get()
    now = timezone.now()
    facts = {
        name: value if isinstance(value, int) else str(value)
        for name, value in (details or {}).items()
    }

    def write() -> None:
        _record(kind, account, username, request, facts, now)

    if transaction.get_connection().in_atomic_block:
        transaction.on_commit(write, robust=True)
    else:
        write()


def address_of(request: HttpRequest | None) -> str:
    """The client's address; empty if it is unknown or there is no request."""
    if request is None:
        return ""
    try:
        return client_address(request)
    except UnknownClientError:
        return ""


def digest_of_username(username: str) -> str:
    """A digest of the normalized username, keyed with SECRET_KEY."""
    normalized = unicodedata.normalize("NFKC", username).casefold().strip()
    return salted_hmac("oegen.people.security", normalized, algorithm="sha256").hexdigest()


def _record(kind, account, username, request, details, now) -> None:
    try:
        if account is None and username and "\x00" not in username:
            account = User.objects.filter(username=username[:151]).first()
        elif account is None and not username:
            user = getattr(request, "user", None)
            account = user if user is not None and user.is_authenticated else None
        if kind == Kind.EXPORT and request is not None:
            details["query"] = request.META.get("QUERY_STRING", "")[:1_000]
        name = account.get_username() if account is not None else ""
        typed = name or username
        facts = Facts(
            kind=Kind(kind),
            account_id=account.pk if account is not None else None,
            username=name,
            username_digest=digest_of_username(typed) if typed else "",
            address=address_of(request),
            at=now,
            details=details,
        )
        with lock_timeout(seconds=LOCK_TIMEOUT.total_seconds()):
            if facts.kind in COUNTED_KINDS:
                _count(facts)
            else:
                _seal(facts)
    except DatabaseError:
        logger.exception("A security event (%s) could not be recorded.", kind)


def _count(facts: Facts) -> None:
    """Add a failure to its run, or start one."""
    with transaction.atomic():
        key = {
            "kind": facts.kind,
            "username_digest": facts.username_digest,
            "address": facts.address,
        }
        FailureRun.objects.get_or_create(
            **key, defaults={"first_at": facts.at, "last_at": facts.at}
        )
        run = FailureRun.objects.select_for_update().get(**key)
        if run.count and run.last_at < facts.at - RUN_PAUSE:
            _close(run)
            run = FailureRun(**key, first_at=facts.at)
        run.account_id, run.username = facts.account_id, facts.username
        run.count += 1
        run.last_at = max(run.last_at or facts.at, facts.at)
        if _is_step(run.count):
            _seal_run(run)
        run.save()


def _is_step(count: int) -> bool:
    return count == 10 ** (len(str(count)) - 1)


def _close(run: FailureRun) -> None:
    if run.count > run.sealed_count:
        _seal_run(run)
    run.delete()


def _seal_run(run: FailureRun) -> None:
    run.sealed_count = run.count
    _seal(
        Facts(
            run.kind, run.account_id, run.username, run.username_digest, run.address, run.last_at
        ),
        run=run,
    )


def _seal(facts: Facts, run: FailureRun | None = None) -> None:
    """Number and seal an event; this blocks other events until the end of the transaction."""
    with transaction.atomic():
        take_advisory_lock(LOCK)
        number, seal = newest_seal()
        event = SecurityEvent(
            number=number + 1,
            kind=facts.kind,
            account_id=facts.account_id,
            username=facts.username,
            username_digest=facts.username_digest,
            first_at=run.first_at if run else facts.at,
            last_at=facts.at,
            count=run.count if run else 1,
            run=run.pk if run else None,
            details=facts.details,
        )
        event.seal = seal_of(event, seal)
        event.save(force_insert=True)
        if facts.address:
            SecurityAddress.objects.create(
                event=event, address=facts.address, expires_at=facts.at + ADDRESS_RETENTION
            )


def newest_seal() -> tuple[int, str]:
    newest = SecurityEvent.objects.order_by("-number").values_list("number", "seal").first()
    return newest or (0, seals.START)


def seal_of(event: SecurityEvent, previous: str) -> str:
    """The event's seal, given the previous one."""
    return seals.hash_of(
        [
            previous,
            event.number,
            str(event.kind),
            event.account_id,
            event.username,
            event.username_digest,
            *(one.astimezone(UTC).isoformat() for one in (event.first_at, event.last_at)),
            event.count,
            str(event.run) if event.run else None,
            event.details,
            event.sealed_at.astimezone(UTC).isoformat(),
        ]
    )


def tidy(now: datetime | None = None) -> None:
    """Seal runs that have ended, and delete expired addresses."""
    now = now or timezone.now()
    ended = models.Q(last_at__lt=now - RUN_PAUSE)
    for key in list(FailureRun.objects.filter(ended).values_list("pk", flat=True)):
        # One transaction per run, so that the chain is locked only briefly.
        with transaction.atomic():
            locked = FailureRun.objects.select_for_update(skip_locked=True).filter(ended, pk=key)
            for run in locked:
                _close(run)
    SecurityAddress.objects.filter(expires_at__lt=now).delete()


@receiver(user_logged_in, dispatch_uid="oegen.security.sign_in")
def _signed_in(sender, request, user, **kwargs) -> None:
    record_security_event(Kind.SIGN_IN, account=user, request=request)


@receiver(user_logged_out, dispatch_uid="oegen.security.sign_out")
def _signed_out(sender, request, user, **kwargs) -> None:
    if user is not None:
        record_security_event(Kind.SIGN_OUT, account=user, request=request)


@receiver(user_login_failed, dispatch_uid="oegen.security.failure")
def _failed(sender, credentials, request=None, **kwargs) -> None:
    username = str(credentials.get(User.USERNAME_FIELD) or "")
    record_security_event(Kind.FAILURE, username=username, request=request)
