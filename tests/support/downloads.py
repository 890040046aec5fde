"""Readers of downloaded CSV and XLSX files."""

import csv
import io
import zipfile
from xml.etree import ElementTree

from django.urls import reverse

SPACE = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def body(response) -> bytes:
    return b"".join(response.streaming_content)


def csv_rows(client, name: str, **query) -> list[list[str]]:
    response = client.get(reverse(name), {"download": "csv", **query})
    raw = body(response)
    assert raw.startswith(b"\xef\xbb\xbf"), "spreadsheets know UTF-8 by this mark"
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def xlsx_file(client, name: str, **query) -> zipfile.ZipFile:
    response = client.get(reverse(name), {"download": "xlsx", **query})
    return zipfile.ZipFile(io.BytesIO(body(response)))


def xlsx_cells(client, name: str, **query) -> dict[str, tuple[str, str]]:
    """The type and text of each cell of the sheet of rows, by reference, such as B2."""
    return cells_of(xlsx_file(client, name, **query), "sheet2")


def cells_of(file: zipfile.ZipFile, sheet: str) -> dict[str, tuple[str, str]]:
    """The type and text of each cell of a sheet, by reference, such as B2."""
    sheet = file.read(f"xl/worksheets/{sheet}.xml")
    assert b"<f>" not in sheet, "no cell is a formula"
    cells = {}
    for cell in ElementTree.fromstring(sheet).iterfind(".//s:c", SPACE):  # noqa: S314 - ours
        text = cell.find(".//s:t", SPACE)
        value = text if text is not None else cell.find("s:v", SPACE)
        if value is not None:
            cells[cell.get("r")] = (cell.get("t", "n"), value.text)
    return cells
