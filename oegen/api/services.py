"""Making and revoking access tokens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from oegen.api.digests import make_secret
from oegen.api.models import ApiToken, parse_networks
from oegen.api.scopes import Scope
from oegen.people.models import SecurityEvent, User
from oegen.people.security import record_security_event


@transaction.atomic
def make_token(
    *,
    person: User,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime,
    networks: str = "",
) -> tuple[ApiToken, str]:
    """Make a token. Returns it with its secret, which nobody can find out afterwards.

    Raises ValidationError for a rule of the model that it breaks.
    """
    made = make_secret()
    chosen = set(scopes)
    token = ApiToken(
        person=person,
        name=name,
        key=made.key,
        digest=made.digest,
        pepper_version=made.pepper_version,
        scopes=" ".join(scope for scope in Scope if scope in chosen),
        networks=" ".join(parse_networks(networks)),
        expires_at=expires_at,
    )
    token.full_clean()
    token.save(force_insert=True)
    record_security_event(
        SecurityEvent.Kind.TOKEN_MADE,
        account=person,
        details={"token": token.name, "scopes": token.scopes},
    )
    return token, made.secret


@transaction.atomic
def revoke_token(token: ApiToken, *, by: User) -> bool:
    """Revoke a token for good. False, and nothing is changed, if it was revoked before."""
    now = timezone.now()
    if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        return False
    record_security_event(
        SecurityEvent.Kind.TOKEN_REVOKED,
        account=by,
        details={"token": token.name, "of": token.person.get_username()},
    )
    return True
