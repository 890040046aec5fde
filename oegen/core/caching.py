"""Keys of what is computed from records and cached."""

from hashlib import sha256

#: How long results are cached that depend on records.
CACHE_SECONDS = 3600


def cache_key(*conditions: object) -> str:
    """A key that is the same only for the same conditions.

    A digest, because SQL and filters may contain characters and lengths that keys must not have.
    """
    return sha256(":".join(map(str, conditions)).encode()).hexdigest()
