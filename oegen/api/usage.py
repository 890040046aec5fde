"""How often and when access tokens are used: in the shared cache, never in the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from oegen.api.models import ApiToken
from oegen.core import counters

#: The window of all limits, in seconds.
MINUTE = 60
HOUR = 3600

#: The last use is stored at most this often.
USE_PRECISION = timedelta(minutes=1)


@dataclass(frozen=True)
class RateLimit:
    """The requests of a token in the current minute."""

    limit: int
    number: int
    seconds_left: int

    @property
    def is_exceeded(self) -> bool:
        return self.number > self.limit

    @property
    def headers(self) -> dict[str, str]:
        """RateLimit headers (draft-ietf-httpapi-ratelimit-headers), and Retry-After if exceeded."""
        remaining = max(self.limit - self.number, 0)
        found = {
            "RateLimit-Policy": f'"token";q={self.limit};w={MINUTE}',
            "RateLimit": f'"token";r={remaining};t={self.seconds_left}',
        }
        return found | ({"Retry-After": str(self.seconds_left)} if self.is_exceeded else {})


def count_request(token: ApiToken) -> RateLimit:
    counted = counters.increment(f"token-requests:{token.pk}", MINUTE)
    return RateLimit(settings.API_REQUESTS_PER_MINUTE, counted.number, counted.seconds_left)


def is_first_refusal(token: ApiToken, reason: str) -> bool:
    """Count a refusal; whether it is the first of this token and reason in this hour."""
    return counters.increment(f"token-refused:{token.pk}:{reason}", HOUR).number == 1


def count_unknown(network: str) -> counters.Count:
    """Count a token that nobody has, in the current minute, of a network as one client."""
    return counters.increment(f"token-unknown:{network}", MINUTE)


def mark_used(token: ApiToken) -> None:
    counters.note_time(_used_key(token.pk), at_most_every=USE_PRECISION)


def last_uses(tokens: Iterable[ApiToken]) -> dict[UUID, datetime]:
    """When tokens were last used, for those of which it is known."""
    keys = {_used_key(token.pk): token.pk for token in tokens}
    return {keys[key]: time for key, time in counters.times_of(list(keys)).items()}


def _used_key(key: UUID) -> str:
    return f"token-used:{key}"
