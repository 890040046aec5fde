"""The lookups: everything that an answer is made of is read by one of these nine.

::

    findings = Findings()
    asker = Asker(request.user, as_of=clock.past_day(), page="/?technology=solar")
    found = run("metric", {"name": "open-capacity", "filters": "rag=red"}, asker, findings)
    found.figures[0].text   # "412 MW", found.figures[0].ref == "f1"
    found.as_json()         # for a model or a program
    findings["f1"].link     # opens the records behind it

``run`` takes the arguments as plain data, from a form, a model or a program: filters as the query
of an address or as an object of parameters. It raises LookupRefusedError, whose text says what
would be right, for an unknown lookup, an unknown or invalid argument, and what the asker may not
read. Nothing is written, whatever the arguments: a lookup has no request that could.

``tools(asker)`` describes the lookups with strict JSON schemas, with the choices of today and what
the asker may read. Only with ``Asker(may_read_personal=True)`` are contacts, comments, entries of
the history and people's names given.

``run`` reads as of ``asker.as_of``, and of ``as_of`` among the arguments if that is given. It may
be called inside ``asof.as_of``, as a page of a past day does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.ask.findings import Findings, Found
from dashboard.ask.lookups import (
    attention,
    defining,
    finding,
    listing,
    metric,
    record,
    registers,
    screen,
    walk,
)
from dashboard.ask.lookups.base import Asker, Lookup, LookupRefusedError, Schema

LOOKUPS: dict[str, Lookup] = {
    one.LOOKUP.name: one.LOOKUP
    for one in (metric, listing, walk, attention, finding, record, screen, defining, registers)
}


def run(name: str, arguments: Mapping[str, Any], asker: Asker, findings: Findings) -> Found:
    """Do one lookup. Raises LookupRefusedError."""
    lookup = LOOKUPS.get(name)
    if lookup is None:
        raise LookupRefusedError(f"There is no lookup “{name}”; there are: {', '.join(LOOKUPS)}.")
    return lookup.read(lookup.arguments(dict(arguments)).cleaned(), asker, findings)


def tools(asker: Asker) -> list[dict[str, Any]]:
    """Name, description and JSON schema (``parameters``) of each lookup."""
    return [
        {
            "name": one.name,
            "description": one.description,
            "parameters": one.schema(asker),
        }
        for one in LOOKUPS.values()
    ]


__all__ = [
    "LOOKUPS",
    "Asker",
    "Lookup",
    "LookupRefusedError",
    "Schema",
    "run",
    "tools",
]
