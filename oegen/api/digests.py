"""The secrets of access tokens, and what is stored of them.

A secret is ``oegen_KEY_RANDOM``. The key is public and finds the token; of the whole only a digest
is stored, keyed with a pepper that is not in the database: a copy of the table authenticates
nobody. Version 0 of the pepper is derived from SECRET_KEY, the others are API_TOKEN_PEPPERS.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass

from django.conf import settings
from django.utils.crypto import salted_hmac

PREFIX = "oegen_"

KEY_LENGTH = 12
RANDOM_LENGTH = 40
SECRET_LENGTH = len(PREFIX) + KEY_LENGTH + 1 + RANDOM_LENGTH

_ALPHABET = string.ascii_letters + string.digits
_SECRET = re.compile(
    rf"{PREFIX}(?P<key>[A-Za-z0-9]{{{KEY_LENGTH}}})_[A-Za-z0-9]{{{RANDOM_LENGTH}}}"
)


@dataclass(frozen=True)
class NewSecret:
    """``secret`` is for the person only, the rest is stored."""

    secret: str
    key: str
    digest: str
    pepper_version: int


def make_secret() -> NewSecret:
    key = _random_text(KEY_LENGTH)
    secret = f"{PREFIX}{key}_{_random_text(RANDOM_LENGTH)}"
    version = max(settings.API_TOKEN_PEPPERS, default=0)
    return NewSecret(secret, key, _digest(secret, _pepper(version)), version)


def key_of(secret: str) -> str | None:
    """The key in a secret; None for what is no secret of ours."""
    found = _SECRET.fullmatch(secret)
    return found["key"] if found else None


def is_secret_of(secret: str, digest: str, pepper_version: int) -> bool:
    """Whether the digest is that of the secret. Raises LookupError if the pepper is gone."""
    return hmac.compare_digest(_digest(secret, _pepper(pepper_version)), digest)


def _digest(secret: str, pepper: bytes) -> str:
    return hmac.new(pepper, secret.encode(), hashlib.sha256).hexdigest()


def _pepper(version: int) -> bytes:
    if version == 0:
        return salted_hmac("oegen.api.digests", "pepper", algorithm="sha256").digest()
    pepper: str = settings.API_TOKEN_PEPPERS[version]
    return pepper.encode()


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
