"""The secrets of webhooks, and the signatures made with them (https://www.standardwebhooks.com).

Signing needs the secret itself, so it is stored encrypted, with keys that are not in the database:
the newest of API_TOKEN_PEPPERS encrypts, or a key derived from SECRET_KEY; each of them decrypts.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.crypto import salted_hmac
from standardwebhooks import Webhook as Signer

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

PREFIX = "whsec_"

SECRET_BYTES = 32

_SALT = "oegen.api.webhooks"


class SecretLostError(Exception):
    """The secret was encrypted with a key that the site no longer has."""

    def __init__(self) -> None:
        super().__init__(
            "The secret was stored with another SECRET_KEY or pepper than the site has now, so "
            "nothing can be signed. Make a new secret and give it to the receiver."
        )


def make_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def encrypt(secret: str) -> str:
    return _keys().encrypt(secret.encode()).decode()


def decrypt(stored: str) -> str:
    """Raises SecretLostError."""
    from cryptography.fernet import InvalidToken

    try:
        return _keys().decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise SecretLostError from error


def signed_headers(
    message_id: str, at: datetime, body: str, secrets: Iterable[str]
) -> dict[str, str]:
    """The headers of an attempt at ``at``, with a signature by each of the secrets."""
    at = at.astimezone(UTC)
    signatures = [Signer(secret).sign(message_id, at, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _keys() -> MultiFernet:
    # Not for the processes that sign nothing: it takes 3 MB.
    from cryptography.fernet import Fernet, MultiFernet

    peppers = settings.API_TOKEN_PEPPERS
    sources: list[str | None] = [peppers[version] for version in sorted(peppers, reverse=True)]
    sources.append(None)  # SECRET_KEY.
    derived = (
        salted_hmac(_SALT, "secrets", secret=source, algorithm="sha256").digest()
        for source in sources
    )
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
