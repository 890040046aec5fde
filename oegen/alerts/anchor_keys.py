"""The key of this site that signs anchors (oegen.alerts.anchors); it and signatures as base64.

``cryptography`` is imported where it is used, because it takes 3 MB of each process.
"""

from __future__ import annotations

import base64
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )


class AnchorError(Exception):
    """A file is not an anchor, or can't be written; the text is shown to the user."""


def encoded(key: Ed25519PublicKey) -> str:
    from cryptography.hazmat.primitives import serialization

    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def is_signed(text: bytes, signature: str, key: str) -> bool:
    """Whether it is the signature of the text with that public key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key))
        public.verify(base64.b64decode(signature), text)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def signing_key() -> Ed25519PrivateKey:
    """ANCHOR_KEY, or the key file in VAR_DIR, which is created if it is missing.

    Raises AnchorError.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = settings.VAR_DIR / "anchor-key"
    try:
        text = settings.ANCHOR_KEY or _key_file(path)
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except OSError as error:
        raise AnchorError(f"{path} can't be read or made: {error.strerror}.") from error
    except (ValueError, TypeError) as error:
        raise AnchorError(f"{'ANCHOR_KEY' if settings.ANCHOR_KEY else path} is no key.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise AnchorError("The anchor's key is no Ed25519 key.")
    return key


def _key_file(path: Path) -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)  # Readable by its owner only.
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pem)
            # If several processes do this at once, the first one wins.
            os.link(name, path)
        except FileExistsError:
            pass
        finally:
            Path(name).unlink()
    return path.read_text()
