"""The cache in files that all processes of a host share."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.cache.backends.filebased import FileBasedCache

#: One write in so many counts the files and deletes some, if they are too many: with 5,000 of them
#: that takes eight times as long as the write itself.
WRITES_PER_CULL = 100


# The stubs have no types for its private methods.
class FileCache(FileBasedCache):
    """Django's cache in files, which deletes those that were not used for longest instead of any.

    Otherwise, what many pages read and no write changes would be lost to what was read only once.
    """

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        found = super().get(key, default, version)
        if found is not default:
            # Another process may have deleted it meanwhile.
            with suppress(FileNotFoundError):
                os.utime(self._key_to_file(key, version))  # type: ignore[attr-defined]
        return found

    def _cull(self) -> None:
        if random.randrange(WRITES_PER_CULL):  # noqa: S311
            return
        files: list[str] = self._list_cache_files()  # type: ignore[attr-defined]
        if len(files) <= self._max_entries:
            return
        for file in sorted(files, key=_used_at)[: len(files) // self._cull_frequency]:
            self._delete(file)  # type: ignore[attr-defined]


def _used_at(file: str) -> int:
    """When it was last read or written, in ns; 0 if it is gone."""
    try:
        return Path(file).stat().st_mtime_ns
    except FileNotFoundError:
        return 0
