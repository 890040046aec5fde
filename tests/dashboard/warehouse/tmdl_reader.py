"""A strict reader of TMDL, of the part of it that we write."""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Node(NamedTuple):
    """An object or a property of TMDL with what is indented under it."""

    description: str
    text: str
    children: list["Node"]
    #: The lines of an expression.
    expression: list[str]

    @property
    def name(self) -> str:
        found = re.fullmatch(r"(?:ref )?\w+ (?:'((?:[^']|'')*)'|(\w+))(?: =.*)?", self.text)
        assert found, self.text
        return (found[1] or found[2]).replace("''", "'")

    def all(self, kind: str) -> list["Node"]:
        return [one for one in self.children if one.text.startswith(f"{kind} ")]

    def value(self, name: str) -> str:
        [found] = [one.text for one in self.children if one.text.startswith(f"{name}:")]
        return found.partition(": ")[2]


#: What may stand at which place, and the properties of it.
GRAMMAR = {
    "": {"database", "model", "table", "relationship", "expression", "ref"},
    "database": {"compatibilityLevel"},
    "model": {
        *("culture", "defaultPowerBIDataSourceVersion", "discourageImplicitMeasures"),
        "sourceQueryCulture",
    },
    "table": {"dataCategory", "measure", "column", "partition"},
    "measure": {"formatString", "displayFolder"},
    "column": {"dataType", "formatString", "isKey", "isHidden", "summarizeBy", "sourceColumn"},
    "partition": {"mode", "source"},
    "relationship": {"fromColumn", "toColumn"},
    "expression": set(),
    "ref": set(),
}


def parse(text: str) -> Node:
    """Read TMDL strictly: tabs alone, one level at a time, expressions two levels deeper than their
    object, descriptions right before what they describe."""
    root = Node("", "", [], [])
    stack, description, takes = [root], [], None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.lstrip("\t")
        level = len(line) - len(stripped)
        assert stripped == stripped.strip(), (number, line)
        if not stripped:
            assert not description, number
            continue
        if takes and level >= takes[0] + 2:
            takes[1].expression.append("\t" * (level - takes[0] - 2) + stripped)
            continue
        assert not takes or takes[1].expression, (number, line)
        takes = None
        if stripped.startswith("/// "):
            description.append(stripped[4:])
            continue
        assert level < len(stack), (number, line)
        del stack[level + 1 :]
        kind = re.match(r"\w+", stripped)[0]
        parent = re.match(r"\w*", stack[-1].text)[0]
        assert kind in GRAMMAR[parent], (number, line)
        node = Node(" ".join(description), stripped, [], [])
        description = []
        stack[-1].children.append(node)
        stack.append(node)
        if stripped.endswith("="):
            takes = level, node
    return root


def references(dax: str) -> Iterator[tuple[str, str]]:
    """The tables and columns that the expression names."""
    yield from re.findall(r"'(\w+)'\[(\w+)\]", dax)
