"""Keeps what the site writes to its folder from other users of the machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)

_OTHERS = 0o077

#: What VAR_DIR holds that is nobody else's business. The static files are everybody's.
_OURS = (
    "secret-key",
    "demo-logins",
    "run.lock",
    "rejects",
    "rejects/*",
    "*.sqlite3",
    "*.sqlite3-*",
)


def make_private() -> None:
    """Take from others the rights to files that were written before the umask was set. What can't
    be mended, because it is somebody else's, is told in the log."""
    for path in _files():
        try:
            mode = path.stat().st_mode
            if mode & _OTHERS:
                path.chmod(mode & 0o7777 & ~_OTHERS)
        except FileNotFoundError:
            continue  # SQLite's own files come and go.
        except PermissionError:
            logger.warning(
                "%s can be read by others on this machine, and this process may not change that. "
                "Run: chmod go= %s",
                path,
                path,
            )


def _files() -> Iterator[Path]:
    folder: Path = settings.VAR_DIR
    found = [path for pattern in _OURS for path in folder.glob(pattern)]
    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        name = str(database["NAME"])
        found += [Path(name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]
    is_shared = folder.is_dir() and folder.stat().st_mode & 0o1000  # as /tmp is
    if found and not is_shared and len(folder.resolve().parts) > 2:
        yield folder
    yield from (path for path in dict.fromkeys(found) if not path.is_symlink())
