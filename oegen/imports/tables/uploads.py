"""Files that people upload to be read by a job, in a private folder. Those that are a week old are
removed (``jobs``)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings

_CHUNK = 1 << 20


def upload_path(key: UUID) -> Path:
    """The uploaded file, while it is kept."""
    return Path(settings.IMPORT_FILES_DIR) / f"{key}"


def keep_upload(key: UUID, content: IO[bytes]) -> Path:
    """Copy the content into the private folder, which only this site can read; returns its path."""
    path = upload_path(key)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        shutil.copyfileobj(content, file, _CHUNK)
    return Path(file.name).replace(path)
