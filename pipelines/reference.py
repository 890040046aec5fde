"""The reference rows that every installation starts with, and the ids by which code and constraints
know them. Ids are derived from the code, so they are the same everywhere."""

from typing import Any

from oegen.audit.seeding import reference_id

LEAD_DEVELOPER = "lead-developer"
LEAD_DEVELOPER_ID = reference_id("counterpartyrole", LEAD_DEVELOPER)

DISCOVERY = "discovery"
CONSTRUCTION = "construction"
COMPLETED = "completed"

STAGES = [
    # code, name, order (in tens, so that there is room for more between them), is_terminal
    (DISCOVERY, "Discovery", 10, False),
    ("design", "Design", 20, False),
    ("procurement", "Procurement", 30, False),
    (CONSTRUCTION, "Construction", 40, False),
    ("commissioning", "Commissioning", 50, False),
    (COMPLETED, "Completed", 60, True),
]

RTB = "rtb"
COD = "cod"
RTB_ID = reference_id("milestonekind", RTB)
COD_ID = reference_id("milestonekind", COD)

#: The kinds of milestones whose day stands on the pipeline, with the field that has it.
FIELD_OF_KIND = {RTB_ID: "rtb_date", COD_ID: "cod_date"}

MILESTONE_KINDS = [
    ("site-secured", "Site secured"),
    ("grid-application", "Grid application"),
    ("grid-offer", "Grid offer accepted"),
    ("environmental-survey", "Environmental survey"),
    ("planning-submitted", "Planning submitted"),
    ("planning-granted", "Planning granted"),
    (RTB, "RTB"),
    ("fid", "Financial investment decision"),
    ("notice-to-proceed", "Notice to proceed"),
    ("energisation", "Energisation"),
    (COD, "COD"),
]

GATE_SETS = [
    # code, name, technology (None: any), the kinds of milestones
    ("any-project", "Any project", None, ("site-secured", "grid-offer", "planning-granted")),
    ("wind", "Wind", "wind",
     ("site-secured", "grid-offer", "environmental-survey", "planning-granted")),
]  # fmt: skip

COUNTERPARTY_ROLES = [
    (LEAD_DEVELOPER, "Lead developer"),
    ("co-developer", "Co-developer"),
    ("owner", "Owner"),
    ("investor", "Investor"),
    ("offtaker", "Offtaker"),
    ("epc", "EPC"),
    ("o-and-m", "O&M"),
    ("landowner", "Landowner"),
    ("grid-operator", "Grid operator"),
]

TECHNOLOGIES = [
    # code, name, aliases, parent, unit, basis, is_storage, icon, colour, dark colour, is_active
    ("solar", "Solar", "Solar PV\nPV\nPhotovoltaics\nSolar Photovoltaics\nSolar Energy",
     None, "MWp", "dc", False, "sun", "#E69F00", "#F2B530", True),
    ("wind", "Wind", "Wind Energy\nWind Power",
     None, "MW", "ac", False, "wind", "#0072B2", "#4DA3DB", True),
    ("onshore-wind", "Onshore wind", "Wind Onshore\nOnshore",
     "wind", "MW", "ac", False, "wind", "#0072B2", "#4DA3DB", True),
    ("offshore-wind", "Offshore wind", "Wind Offshore\nOffshore",
     "wind", "MW", "ac", False, "ripple", "#56B4E9", "#7CC7F2", True),
    ("bess", "BESS", "Battery Storage\nBattery\nBatteries\nBattery Energy Storage",
     None, "MW", "ac", True, "battery-3", "#009E73", "#2FC79B", True),
    ("hydro", "Hydro", "Hydropower\nSmall Hydro\nLarge Hydro",
     None, "MW", "ac", False, "droplet", "#7A6FBE", "#A79FE0", False),
    ("hydrogen", "Hydrogen", "Electrolysis",
     None, "MW", "ac", False, "atom", "#CC79A7", "#E39CC4", False),
    ("tidal", "Tidal", "Tidal Stream\nTidal Lagoon",
     None, "MW", "ac", False, "ripple", "#4B7F86", "#7FB6BE", False),
]  # fmt: skip

TECHNOLOGY_FIELDS = [
    "code",
    "name",
    "aliases",
    "parent_id",
    "unit_label",
    "capacity_basis",
    "is_storage",
    "icon",
    "colour",
    "colour_dark",
    "is_active",
]


def stage_rows() -> list[dict[str, Any]]:
    return [
        {"code": code, "name": name, "order": order, "is_terminal": is_terminal}
        for code, name, order, is_terminal in STAGES
    ]


def counterparty_role_rows() -> list[dict[str, Any]]:
    return [
        {"code": code, "name": name, "order": order}
        for order, (code, name) in enumerate(COUNTERPARTY_ROLES, start=1)
    ]


def milestone_kind_rows() -> list[dict[str, Any]]:
    return [
        {"code": code, "name": name, "order": 10 * place}
        for place, (code, name) in enumerate(MILESTONE_KINDS, start=1)
    ]


def gate_set_rows() -> list[dict[str, Any]]:
    return [
        {
            "code": code,
            "name": name,
            "order": order,
            "technology_id": reference_id("technology", technology) if technology else None,
        }
        for order, (code, name, technology, _) in enumerate(GATE_SETS, start=1)
    ]


def gate_rows() -> list[dict[str, Any]]:
    return [
        {
            "id": reference_id("gate", f"{code}:{kind}"),
            "gate_set_id": reference_id("gateset", code),
            "kind_id": reference_id("milestonekind", kind),
        }
        for code, _, _, kinds in GATE_SETS
        for kind in kinds
    ]


def technology_rows() -> list[dict[str, Any]]:
    rows = []
    for order, values in enumerate(TECHNOLOGIES, start=1):
        row: dict[str, Any] = dict(zip(TECHNOLOGY_FIELDS, values, strict=True), order=order)
        if parent := row["parent_id"]:
            row["parent_id"] = reference_id("technology", parent)
        rows.append(row)
    return rows
