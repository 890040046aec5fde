"""Access permissions of the files that the site writes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)

_OTHERS = 0o077

#: The private files in VAR_DIR. The static files are public.
_PRIVATE = (
    "secret-key",
    "demo-logins",
    "run.lock",
    "rejects",
    "rejects/*",
    "import-files",
    "import-files/*",
    "*.sqlite3",
    "*.sqlite3-*",
)


def make_private() -> None:
    """Remove the permissions of group and others from files that were written before the umask was
    set. Files that belong to another user are logged."""
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
    found = [path for pattern in _PRIVATE for path in folder.glob(pattern)]
    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        name = str(database["NAME"])
        found += [Path(name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]
    is_shared = folder.is_dir() and folder.stat().st_mode & 0o1000  # as /tmp is
    if found and not is_shared and len(folder.resolve().parts) > 2:
        yield folder
    yield from (path for path in dict.fromkeys(found) if not path.is_symlink())
