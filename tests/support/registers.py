"""Small invented editions of public registers."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from oegen import audit
from pipelines.registers.editions.ingesting import Ingested, Origin, ingest_file
from pipelines.registers.models import Register

#: The headings of REPD that the tests fill.
REPD_HEADINGS = (
    *("Old Ref ID", "Ref ID", "Record Last Updated (dd/mm/yyyy)", "Operator (or Applicant)"),
    *("Site Name", "Technology Type", "Storage Type", "Storage Co-location REPD Ref ID"),
    *("Installed Capacity (MWelec)", "Development Status", "Development Status (short)"),
    *("Are they re-applying (New REPD Ref)", "Address", "County", "Region", "Country"),
    *("Post Code", "X-coordinate", "Y-coordinate", "Planning Application Reference"),
    *("Planning Application Submitted", "Planning Permission Refused", "Appeal Granted"),
    *("Planning Permission Granted", "Planning Permission Expired", "Under Construction"),
    *("Operational", "Heat Network Ref"),
)

#: A row in which nothing is odd.
USUAL = {
    "Ref ID": "101",
    "Operator (or Applicant)": "Larch Energy Ltd",
    "Site Name": "Kestrel Moor Solar Farm",
    "Technology Type": "Solar Photovoltaics",
    "Installed Capacity (MWelec)": "40.00",
    "Development Status (short)": "Application Submitted",
    "Address": "Kestrel Moor, Otley",
    "County": "West Yorkshire",
    "Region": "Yorkshire and Humber",
    "Country": "England",
    "Post Code": "LS21 1AA",
    "X-coordinate": "420000",
    "Y-coordinate": "445000",
    "Planning Application Submitted": "14/03/2023",
}


def write_table(
    path: Path,
    rows: Iterable[Mapping[str, str]],
    headings: Iterable[str] = REPD_HEADINGS,
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
    end: str = "\n",
) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(
            file, list(headings), restval="", delimiter=delimiter, lineterminator=end
        )
        writer.writeheader()
        writer.writerows(rows)
    return path


def repd_rows(*changes: Mapping[str, str]) -> list[dict[str, str]]:
    """Rows that differ from the usual one by these values."""
    return [{**USUAL, **one} for one in changes]


def ingest_repd(on: date, *changes: Mapping[str, str], register: str = "repd") -> Ingested:
    """An edition of REPD, or of another register that is read like it, with rows that differ from
    the usual one by these values."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_table(Path(folder) / "repd.csv", repd_rows(*changes))
        return ingest_file(
            Register.objects.get(code=register),
            path,
            on=on,
            origin=Origin(path.name),
            source=audit.Source.COMMAND,
        )
