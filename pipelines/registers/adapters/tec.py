"""The Transmission Entry Capacity register: the queue for Great Britain's transmission grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

from pipelines.registers.adapters.base import Adapter, Entry, Row, Unreadable
from pipelines.registers.adapters.links import find_in_catalogue
from pipelines.registers.adapters.operators import shown_operator
from pipelines.registers.adapters.tables import Source, read_rows
from pipelines.registers.choices import RegisterOutcome as Outcome

_NAME, _CUSTOMER, _SITE = "Project Name", "Customer Name", "Connection Site"
_STAGE, _STATUS, _ID, _NUMBER = "Stage", "Project Status", "Project ID", "Project Number"
_CONNECTED, _CHANGE = "MW Connected", "MW Increase / Decrease"
_FROM, _PLANT, _HOST = "MW Effective From", "Plant Type", "HOST TO"

_HEADINGS = (
    *(_NAME, _CUSTOMER, _SITE, _STAGE, _CONNECTED, _CHANGE, "Cumulative Total Capacity (MW)"),
    *(_FROM, _STATUS, "Agreement Type", _HOST, _PLANT, _ID, _NUMBER),
)

_TECHNOLOGIES: Mapping[str, str] = {
    "pv array (photo voltaic/solar)": "solar",
    "wind onshore": "onshore-wind",
    "wind offshore": "offshore-wind",
    "energy storage system": "bess",
    "hydro": "hydro",
    "pump storage": "hydro",
    "tidal": "tidal",
}
#: What no plant is named after.
_BESIDE = frozenset({"demand", "reactive compensation"})
_STORAGE = "energy storage system"

_STATUSES: Mapping[str, tuple[str, Outcome]] = {
    "scoping": ("discovery", Outcome.ACTIVE),
    "awaiting consents": ("design", Outcome.ACTIVE),
    "consents approved": ("procurement", Outcome.ACTIVE),
    "under construction/commissioning": ("construction", Outcome.ACTIVE),
    "built": ("completed", Outcome.BUILT),
}


def read(path: Path, on: date) -> Iterator[Row]:
    """A project has a row for each of its stages. The project and the stage are the key; where
    these are not enough, its status belongs to it, too."""
    required = (_ID, _NAME, _STATUS)
    usual = Counter(_key(one) for one in read_rows(path, _HEADINGS, required) if not one.error)
    used: Counter[str] = Counter()
    for source in read_rows(path, _HEADINGS, required):
        if source.error:
            yield Unreadable(source.row, source.error, source.as_text())
            continue
        if not source.get(_ID):
            reason = f"The row has no {_ID}, so nothing says which project it is."
            yield Unreadable(source.row, reason, source.as_text(frozenset({_CUSTOMER})))
            continue
        key = _key(source)
        if usual[key] > 1:
            key = f"{key}/{source.get(_STATUS)}"
            source.remark("Two rows of the edition are of the same stage of the project.")
        used[key] += 1
        if used[key] > 1:
            key = f"{key}#{used[key]}"
        yield _entry(source, key)


def _key(source: Source) -> str:
    stage = source.get(_STAGE)
    return f"{source.get(_ID)}/{stage}" if stage else source.get(_ID)


def _entry(source: Source, key: str) -> Entry:
    operator = shown_operator(source.known(_CUSTOMER))
    grid = source.day(_FROM)
    stage, outcome = _stage(source)
    return Entry(
        key=key,
        row=source.row,
        name=source.get(_NAME) or source.get(_SITE) or key,
        operator=operator.text,
        aliases=operator.aliases,
        technology=_technology(source.get(_PLANT)),
        raw_technology=source.get(_PLANT),
        capacity_mw=_capacity(source),
        basis="ac",
        country="GB",
        region=source.get(_HOST),
        place=source.get(_SITE),
        raw_status=source.get(_STATUS),
        stage=stage,
        outcome=outcome,
        dates={"grid": grid} if grid else {},
        identifiers={
            name: text
            for name, text in (
                ("project_id", source.get(_ID)),
                ("project_number", source.known(_NUMBER)),
                ("project_stage", source.get(_STAGE)),
            )
            if text
        },
        remarks=tuple(source.remarks),
        raw=source.kept(frozenset({_CUSTOMER, _NAME, _STATUS})),
        is_private=operator.is_private,
    )


def _capacity(source: Source) -> Decimal | None:
    """What is connected and what the stage adds. The cumulative column would count twice."""
    parts = [source.number(_CONNECTED), source.number(_CHANGE)]
    given = [part for part in parts if part is not None]
    total = sum(given, Decimal()) if given else None
    if total is not None and total < 0:
        source.remark(f"The stage takes {-total:f} MW away from the project.")
    return total


def _technology(plant: str) -> str:
    """The plant of the set that is neither storage nor demand; with several of these, none."""
    kinds = [kind.strip().casefold() for kind in plant.split(";")]
    plants = [kind for kind in kinds if kind not in _BESIDE]
    generating = [kind for kind in plants if kind != _STORAGE] or plants
    return _TECHNOLOGIES.get(generating[0], "") if len(generating) == 1 else ""


def _stage(source: Source) -> tuple[str, Outcome]:
    found = _STATUSES.get(source.get(_STATUS).casefold())
    if found is None:
        source.remark(
            f"The status “{source.get(_STATUS)}” is not known here, so the project has no stage."
        )
        return "", Outcome.ACTIVE
    return found


TEC = Adapter(
    code="tec",
    name="Transmission Entry Capacity register",
    publisher="National Energy System Operator",
    country="GB",
    licence_name="NESO Open Data Licence",
    licence_url="https://www.neso.energy/data-portal/neso-open-licence",
    attribution="Supported by National Energy SO Open Data",
    changes_note=(
        "The capacity of a stage is what is connected and what it adds; names of private "
        "individuals are left out."
    ),
    read=read,
    index_url=(
        "https://api.neso.energy/api/3/action/datapackage_show"
        "?id=transmission-entry-capacity-tec-register"
    ),
    find_newest=find_in_catalogue,
)
