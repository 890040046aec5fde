"""Several rows of one record: what a further row says otherwise than the first is asked."""

from __future__ import annotations

from collections.abc import Iterable

from oegen.imports.tables.asking import LEAVE_OUT, About, Asked, Option
from oegen.imports.tables.kinds import ImportField, ImportKind
from oegen.imports.tables.parts import RowPart
from oegen.imports.tables.plans import RowState
from oegen.imports.tables.records import is_same
from oegen.imports.tables.rows import RowReader, RowValues


class GroupComparer:
    """Compares further rows of a record with its first one."""

    def __init__(
        self,
        kind: ImportKind,
        reader: RowReader,
        own_fields: list[ImportField],
        row_parts: Iterable[RowPart],
        choices: dict[str, str],
        *,
        save_anyway: bool,
    ):
        self.kind = kind
        self.reader = reader
        self.own_fields = own_fields
        self.row_parts = [one for one in row_parts if one.part.is_single]
        self.choices = choices
        self.save_anyway = save_anyway

    def compare(self, row: RowValues, first: RowValues) -> None:
        """What a further row of a group says otherwise than the first is asked; a part of which
        there is one, as a whole."""
        for one in self.own_fields:
            self._compare_field(row, first, one, [one.name])
        by_field = self.reader.by_field
        for part in self.row_parts:
            mapped = [by_field[name].field for name in part.names if name in by_field]
            mapped.sort(key=lambda one: one.name != part.name_field)
            for one in mapped:
                self._compare_field(row, first, one, part.names)

    def _compare_field(
        self, row: RowValues, first: RowValues, one: ImportField, together: list[str]
    ) -> None:
        """Leave the field to the first row if both say the same of it, or that is the answer;
        ``together`` are the fields that go with it then."""
        if not row.has(one.name):
            return
        value = row.values.get(one.name)
        if one.name == self.kind.name_field or is_same(first.values.get(one.name), value):
            row.drop([one.name])
            return
        if not first.has(one.name):
            # The first row says nothing of it: this one does, for those that follow.
            if one.name in row.values:
                first.values[one.name], first.texts[one.name] = value, row.texts[one.name]
            return
        asked = Asked(
            key=f"group:{row.number}:{one.name}",
            about=About.GROUP,
            text=f"{one.label} is “{row.texts.get(one.name, '')}” here and "
            f"“{first.texts.get(one.name, '')}” in row {first.number} of the same "
            f"{self.kind.model._meta.verbose_name}. Which one counts?",
            options=(
                Option("first", f"As in row {first.number}"),
                Option(LEAVE_OUT, "Leave this row out"),
            ),
            suggestion="first",
            row=row.number,
        )
        answer = asked.answer(self.choices)
        if answer == "first" or (not answer and self.save_anyway):
            row.drop(together)
        elif answer == LEAVE_OUT:
            row.plan.state = RowState.LEFT_OUT
        else:
            row.plan.asked.append(asked)
            row.drop(together)
