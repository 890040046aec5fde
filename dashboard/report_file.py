"""A committee report as a file: a sheet with the figures, and one with the projects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dashboard.report_content import GROUPS, Content
from oegen.exports import (
    DAY_WIDTH,
    ID_WIDTH,
    NAME_WIDTH,
    NUMBER_WIDTH,
    TEXT_WIDTH,
    Block,
    FileColumn,
    Sheet,
    export_value,
    number_format,
)

_AMOUNTS = {
    "Pipelines": "pipelines",
    "MWp DC": "mwp_dc",
    "MW AC": "mw_ac",
    "Of which storage, MW": "storage_mw",
    "Storage, MWh": "storage_mwh",
    "Together, MW, mixed": "mw",
}
_PROJECTS = {
    FileColumn("Pipeline", NAME_WIDTH): "name",
    FileColumn("Stage"): "stage",
    FileColumn("RAG"): "rag_label",
    FileColumn("Capacity, MW/MWp", NUMBER_WIDTH, number_format(places=1)): "mw",
    FileColumn("RTB date", DAY_WIDTH): "rtb_date",
    FileColumn("Responsible"): "responsible",
    FileColumn("Next step", TEXT_WIDTH): "next_step",
    FileColumn("Next step due", DAY_WIDTH): "next_step_on",
    FileColumn("ID", ID_WIDTH): "id",
}


def report_sheet(title: str, content: Content, facts: Sequence[tuple[str, Any]]) -> Sheet:
    """Of a drawable content; ``facts`` are about the file."""
    filters = [(f"Filter: {one['label']}", one["text"]) for one in content["filters"]]
    sentence = content["sentence"]
    return Sheet(
        title="Open projects",
        file_title=title,
        facts_title="Figures",
        columns=list(_PROJECTS),
        rows=(
            [export_value(row[name]) for name in _PROJECTS.values()] for row in content["projects"]
        ),
        facts=[
            ("Day", content["day"]),
            ("Compared with", content["since"]),
            *facts,
            *(filters or [("Filters", "none, all pipelines")]),
            *([("Projects left out", content["others"])] if content["others"] else []),
            ("Now", ", ".join(part["text"] for part in sentence["now"])),
            ("Since then", ", ".join(part["text"] for part in sentence["moves"]) or "no change"),
        ],
        blocks=list(_blocks(content)),
    )


def _blocks(content: Content) -> Iterator[Block]:
    for group, title in GROUPS.items():
        rows = content["figures"][group]
        yield Block(
            title,
            list(_AMOUNTS),
            [[row["label"], *(row.get(name) for name in _AMOUNTS.values())] for row in rows],
        )
    walk = content["walk"]
    yield Block(
        walk["title"],
        ["Facilities", "MW, mixed"],
        [[row["label"], row["facilities"], row["mw"]] for row in walk["rows"]],
    )
    yield Block(
        "RAG then, and now",
        [f"{word}, pipelines" for word in ("Green", "Amber", "Red")],
        [
            [row["label"], *(cell["total"]["pipelines"] for cell in row["cells"])]
            for row in content["rag_rows"]
        ],
    )
    attention = content["attention"]
    yield Block(
        f"Needs attention: {len(attention['rows'])} of {attention['pipelines']}",
        ["RAG", "Capacity, MW/MWp", "Reasons", "RAG comment"],
        [
            [
                row["name"],
                row["rag_label"],
                row["mw"],
                ", ".join(reason["label"] for reason in row["reasons"]),
                row["comment"],
            ]
            for row in attention["rows"]
        ],
    )
