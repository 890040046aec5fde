"""What the form of the columns page says, as a mapping.

Columns are named by their place (``field-3``), formats by the field that needs them
(``order:rtb_date``, as the keys of questions), values by the field and the text of the file. A
second field of a column is chosen once (``also-column``, ``also-field``), and is then one of it.
"""

from __future__ import annotations

from dataclasses import fields, replace

from django.http import QueryDict

from oegen.core.text import clean_line
from oegen.imports.tables.asking import LEAVE_OUT
from oegen.imports.tables.headings import heading_key
from oegen.imports.tables.kinds import ImportKind
from oegen.imports.tables.mapping import MappedColumn, Mapping, column_names
from oegen.imports.tables.reading import Table
from oegen.imports.tables.readings import Reading
from oegen.imports.tables.vocabularies import vocabulary_of

#: The choice of a value that is not decided: its rows are refused.
UNDECIDED = "?"

#: The parts of a reading that the form has.
FORMATS = tuple(one.name for one in fields(Reading))


def read_draft(data: QueryDict, table: Table, kind: ImportKind, before: Mapping) -> Mapping:
    """The mapping of the form. What ``before`` says of columns that the file lacks, and of values
    that it does not have, stays, unless another column is their field now."""
    names = column_names(table.columns)
    known = {(heading_key(one.heading), one.field): one for one in before.columns}
    columns: list[MappedColumn] = []
    left_out: list[str] = []
    for head, name in zip(table.columns, names, strict=True):
        chosen_fields = data.getlist(f"field-{head.place}")
        if data.get("also-column") == str(head.place):
            chosen_fields.append(data.get("also-field", ""))
        for chosen in dict.fromkeys(chosen_fields):
            if chosen == LEAVE_OUT:
                left_out.append(name)
            elif chosen in kind.fields:
                old = known.get((heading_key(name), chosen))
                columns.append(_column(data, kind, name, chosen, old))
    constants = _constants(data, kind)
    here = {heading_key(name) for name in names}
    given = {one.field for one in columns} | constants.keys()
    dropped = {heading_key(name) for name in data.getlist("without")}
    columns += [
        one
        for one in before.columns
        if heading_key(one.heading) not in here | dropped and one.field not in given
    ]
    return Mapping(
        columns=tuple(columns),
        left_out=tuple(
            dict.fromkeys(
                [*left_out, *(one for one in before.left_out if heading_key(one) not in here)]
            )
        ),
        constants=constants,
        source=clean_line(data.get("source", ""))[:80],
        grouping=data.get("grouping", ""),
    )


def _column(
    data: QueryDict, kind: ImportKind, name: str, field: str, old: MappedColumn | None
) -> MappedColumn:
    given = {part: data.get(f"{part}:{field}", "") for part in FORMATS}
    values = dict(old.values) if old else {}
    if vocabulary_of(kind.fields[field].reads) is not None:
        texts = [text.replace("\r\n", "\n") for text in data.getlist(f"text:{field}")]
        for text, value in zip(texts, data.getlist(f"value:{field}"), strict=False):
            values.pop(text, None)
            if value != UNDECIDED:
                values[text] = value
    return MappedColumn(name, field, Reading.from_json(given), values)


def _constants(data: QueryDict, kind: ImportKind) -> dict[str, str]:
    pairs = zip(data.getlist("constant-field"), data.getlist("constant-text"), strict=False)
    return {name: text.strip() for name, text in pairs if name in kind.fields and text.strip()}


def leave_out(mapping: Mapping, names: list[str]) -> Mapping:
    return replace(mapping, left_out=tuple(dict.fromkeys([*mapping.left_out, *names])))
