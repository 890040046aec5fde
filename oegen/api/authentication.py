"""Who asks by which access token, and what it may be used for.

Whatever serves programs calls ``authenticate`` and ``count_request``, then ``check_access`` for
what it is about to do, and writes inside ``acting_by``. A token gives no permission of its own: it
narrows those of its person.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager

from django.conf import settings
from django.db import models
from django.utils.formats import date_format

from oegen import audit
from oegen.api import digests, usage
from oegen.api.models import ApiToken, State
from oegen.api.scopes import Scope
from oegen.audit.context import Origin
from oegen.core.words import count
from oegen.people.client import network_of
from oegen.people.models import SecurityEvent
from oegen.people.security import record_security_event

logger = logging.getLogger(__name__)

#: The permission to make access tokens, and to go on using them.
USE_TOKENS = "oegen.add_apitoken"

#: The scheme of the header Authorization.
BEARER = "Bearer"

REMEDY = "Make a new one on your page “Access tokens”."


class Reason(models.TextChoices):
    """Why a request was refused; security events store these values."""

    UNKNOWN = "unknown"
    REVOKED = "revoked"
    EXPIRED = "expired"
    INACTIVE = "inactive-person"
    NO_TOKENS = "person-without-tokens"
    NETWORK = "network"
    SCOPE = "scope"
    PERMISSION = "permission"
    TOO_MANY = "too-many-requests"


#: Reasons for which the token itself does not count; any other refuses what was asked by it.
_UNAUTHORIZED = {Reason.UNKNOWN, Reason.REVOKED, Reason.EXPIRED, Reason.INACTIVE}


class TokenRefusedError(Exception):
    """A request was refused; the text answers the program's developer.

    ``status`` is 401, 403 or 429; ``headers`` belong to the answer.
    """

    def __init__(self, reason: Reason, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.headers = dict(headers or {})
        if reason == Reason.TOO_MANY:
            self.status = 429
        elif reason in _UNAUTHORIZED:
            self.status = 401
            self.headers["WWW-Authenticate"] = 'Bearer realm="OEGen pipeline"'
        else:
            self.status = 403


def bearer_secret(authorization: str) -> str | None:
    """The access token in a header Authorization; None if that has another scheme."""
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == BEARER.lower() else None


def authenticate(secret: str, address: str) -> ApiToken:
    """The token with this secret, which is noted as used.

    ``address`` as oegen.people.client gives it; empty if it is not known. Raises TokenRefusedError.
    """
    token = _find(secret)
    if token is None:
        raise _unknown(address)
    if refused := _refusal(token, address):
        raise _recorded(token, refused)
    usage.mark_used(token)
    return token


def count_request(token: ApiToken) -> usage.RateLimit:
    """Count a request, whose answer gets the headers of what this returns. Raises
    TokenRefusedError, with these headers, if there were too many in this minute."""
    rate = usage.count_request(token)
    if rate.is_exceeded:
        raise _recorded(
            token,
            TokenRefusedError(
                Reason.TOO_MANY,
                f"This access token made more than {count(rate.limit, 'request')} in a minute. "
                f"Try again in {count(rate.seconds_left, 'second')}.",
                rate.headers,
            ),
        )
    return rate


def check_access(token: ApiToken, scope: Scope, permission: str = "") -> None:
    """Raises TokenRefusedError unless the token has the scope, and its person the permission."""
    if scope not in token.scope_list:
        raise _recorded(
            token,
            TokenRefusedError(
                Reason.SCOPE,
                f"This access token is not for this: it lacks the scope “{scope.value}”. Make one "
                "that has it on your page “Access tokens”.",
            ),
        )
    if permission and not token.person.has_perm(permission):
        raise _recorded(
            token,
            TokenRefusedError(
                Reason.PERMISSION,
                "You may not do this yourself, so your access token may not either. Ask an "
                "administrator.",
            ),
        )


def acting_by(token: ApiToken) -> AbstractContextManager[Origin]:
    """Changes in the block are those of the token's person, and their change sets name it."""
    mark = audit.TokenMark(token.pk, token.name)
    return audit.acting(token.person, audit.Source.API, mark)


def _find(secret: str) -> ApiToken | None:
    key = digests.key_of(secret)
    token = ApiToken.objects.select_related("person").filter(key=key).first() if key else None
    if token is None:
        return None
    try:
        is_right = digests.is_secret_of(secret, token.digest, token.pepper_version)
    except LookupError:
        logger.error(
            "The access token “%s” can't be checked: API_TOKEN_PEPPERS lacks version %s. Add it, "
            "or tell its person to make another token.",
            token.start_of_secret,
            token.pepper_version,
        )
        return None
    return token if is_right else None


def _refusal(token: ApiToken, address: str) -> TokenRefusedError | None:
    if token.state == State.REVOKED:
        return TokenRefusedError(Reason.REVOKED, f"This access token was revoked. {REMEDY}")
    if token.state == State.EXPIRED:
        day = date_format(token.last_day)
        return TokenRefusedError(Reason.EXPIRED, f"This access token was valid to {day}. {REMEDY}")
    if not token.person.is_active:
        return TokenRefusedError(
            Reason.INACTIVE,
            "The account of this access token can no longer be used. Ask an administrator.",
        )
    if not token.person.has_perm(USE_TOKENS):
        return TokenRefusedError(
            Reason.NO_TOKENS, "You may no longer use access tokens. Ask an administrator."
        )
    if not token.is_allowed_from(address):
        return TokenRefusedError(
            Reason.NETWORK,
            f"This access token is not for use from {address or 'an unknown address'}. Use it from "
            "one of its networks, or make one for this network.",
        )
    return None


def _recorded(token: ApiToken, refused: TokenRefusedError) -> TokenRefusedError:
    """Record the refusal of a known token, once an hour for each reason."""
    if usage.is_first_refusal(token, refused.reason):
        logger.warning(
            "Access token “%s” of “%s” refused: %s. Further refusals in this hour are not logged.",
            token.start_of_secret,
            token.person.get_username(),
            refused.reason.value,
        )
        record_security_event(
            SecurityEvent.Kind.TOKEN_REFUSED,
            account=token.person,
            details={"token": token.name, "reason": refused.reason.value},
        )
    return refused


def _unknown(address: str) -> TokenRefusedError:
    """Count a token that nobody has, by address and minute; it is recorded at 1, 10, 100 …"""
    counted = usage.count_unknown(network_of(address) if address else "")
    number, limit = counted.number, settings.API_UNKNOWN_PER_MINUTE
    if number == 10 ** (len(str(number)) - 1):
        logger.warning(
            "Unknown access token from %s, number %s in this minute.",
            address or "an unknown address",
            number,
        )
        record_security_event(SecurityEvent.Kind.TOKEN_UNKNOWN, details={"in this minute": number})
    if number > limit:
        return TokenRefusedError(
            Reason.TOO_MANY,
            "There were too many unknown access tokens from your address, so this one is refused, "
            f"too. Wait {count(counted.seconds_left, 'second')}, then send one that is right.",
            {"Retry-After": str(counted.seconds_left)},
        )
    return TokenRefusedError(
        Reason.UNKNOWN,
        "This access token is not known. Check that it was copied as a whole: it begins with "
        f"{digests.PREFIX} and has {digests.SECRET_LENGTH} characters.",
    )
