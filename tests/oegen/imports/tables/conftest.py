"""Small files to import, and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from oegen.imports.tables.applying import apply_plan, try_plan
from oegen.imports.tables.kinds import KINDS
from oegen.imports.tables.mapping import Mapping
from oegen.imports.tables.planning import Request, plan
from oegen.imports.tables.plans import Plan
from oegen.imports.tables.reading import open_table


class Importing:
    """Plans and applies CSV texts."""

    def __init__(self, folder: Path):
        self.folder = folder

    def plan(self, kind: str, text: str, mapping: dict | None = None, **options) -> Plan:
        path = self.folder / f"{kind}.csv"
        path.write_text(text, encoding="utf-8")
        request = Request(
            kind=KINDS[kind],
            mapping=Mapping.from_json(mapping or {}),
            **{"namespace": uuid4(), **options},
        )
        found = plan(open_table(path, path.name), request)
        if not found.questions:
            try_plan(found, person=request.person, reason="Preview")
        return found

    def apply(self, kind: str, text: str, mapping: dict | None = None, **options):
        found = self.plan(kind, text, mapping, **options)
        assert (found.questions, list(found.problems())) == ((), [])
        return apply_plan(found, person=options.get("person"), reason="Import")


@pytest.fixture
def importing(tmp_path):
    return Importing(tmp_path)


def changed(found: Plan) -> dict[str, int]:
    """The counts that are not zero."""
    return {state: number for state, number in found.counts.items() if number}
