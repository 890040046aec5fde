"""The files of the basemap, which ``collectstatic`` collects like any others."""

import json
import shutil
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.storage import FileSystemStorage
from django.templatetags.static import static

from oegen.core import basemap

#: Below STATIC_URL.
FOLDER = "basemap"


@cache
def built() -> Path:
    """The folder of the pieces. They are cut, which takes some seconds, when this atlas or this
    code is new."""
    code = Path(basemap.__file__)
    version = sha256((settings.ATLAS_DIR / "package.json").read_bytes() + code.read_bytes())
    folder = settings.BASEMAP_DIR / version.hexdigest()[:12]
    if not folder.is_dir():
        _build(folder)
    return folder


def _build(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(mkdtemp(dir=folder.parent))
    for detail in basemap.DETAILS:
        topology = json.loads((settings.ATLAS_DIR / f"countries-{detail.name}.json").read_text())
        for name, content in basemap.pieces(detail, topology):
            text = json.dumps(content, separators=(",", ":"))
            (unfinished / f"{name}.json").write_text(text)
    try:
        unfinished.rename(folder)
    except OSError:  # Another process was faster.
        shutil.rmtree(unfinished)
        if not folder.is_dir():
            raise


@cache
def urls() -> str:
    """The URLs of all pieces, for oegen/basemap.js; each has the piece's name as its file name."""
    return " ".join(static(f"{FOLDER}/{path.name}") for path in sorted(built().iterdir()))


class PieceStorage(FileSystemStorage):
    prefix = FOLDER


class BasemapFinder(BaseFinder):
    def list(self, ignore_patterns):
        storage = PieceStorage(built())
        for path in built().iterdir():
            if not matches_patterns(path.name, ignore_patterns):
                yield path.name, storage

    def find(self, path, find_all=False, **kwargs):
        folder, _, name = path.partition("/")
        if folder != FOLDER or not (built() / name).is_file():
            return []
        found = str(built() / name)
        return [found] if find_all else found
