import csv
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.dashboard.demo_import import DEMO


class Folder:
    """A private copy of the demo's files, and the import of it."""

    def __init__(self, path: Path, rejects: Path):
        self.path = path
        self._rejects = rejects

    def load(self, **options) -> str:
        """Import and return the output of the command. A CommandError has it as ``output``."""
        out = StringIO()
        try:
            call_command("import_demo_csv", self.path, stdout=out, **options)
        except CommandError as error:
            error.output = out.getvalue()
            raise
        return out.getvalue()

    def apply(self, **options) -> str:
        return self.load(apply=True, **options)

    def refused(self, **options) -> CommandError:
        with pytest.raises(CommandError) as caught:
            self.load(**options)
        return caught.value

    def rows(self, name: str) -> list[list[str]]:
        with (self.path / name).open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    def write(self, name: str, rows: list[list]) -> None:
        with (self.path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)

    def set(self, name: str, line: int, **cells) -> list[str]:
        """Change cells of the row with that number, the header being 0."""
        rows = self.rows(name)
        for column, value in cells.items():
            rows[line][rows[0].index(column)] = value
        self.write(name, rows)
        return rows[line]

    def append(self, name: str, **cells) -> list[str]:
        """A copy of the last row with some cells changed."""
        rows = self.rows(name)
        self.write(name, [*rows, list(rows[-1])])
        return self.set(name, len(rows), **cells)

    def rejects(self, name: str) -> list[list[str]]:
        """The rows of the rejects of a file, without the header."""
        (path,) = self._rejects.glob(f"*-{name}")
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))[1:]


@pytest.fixture
def demo(tmp_path, settings, db):
    settings.VAR_DIR = tmp_path / "var"
    path = tmp_path / "demo-files"
    shutil.copytree(DEMO, path)
    return Folder(path, settings.VAR_DIR / "rejects")
