"""Workbooks as other programs write them, and LibreOffice to open and save them with."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

NAMES = ["soffice", "libreoffice"]
REMEDY = "install Debian's package `libreoffice-calc`, or set SOFFICE to the path of its program"

_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ),
    "xl/workbook.xml": (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        f'xmlns:r="{_RELATIONS}"><sheets><sheet name="Data" sheetId="1" r:id="r1"/></sheets>'
        "</workbook>"
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>"
    ),
}


def write_raw_workbook(path: Path, rows: str, **others: str) -> Path:
    """A workbook of one sheet with these rows of XML, and other parts by name."""
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{rows}</sheetData></worksheet>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in (_PARTS | {"xl/worksheets/sheet1.xml": sheet} | others).items():
            file.writestr(name, content)
    return path


def save_with_libreoffice(path: Path, folder: Path) -> Path:
    """The workbook, opened and saved once without a user interface. Skips the test if there is no
    LibreOffice, unless REQUIRE_SOFFICE is 1."""
    program = os.environ.get("SOFFICE") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        if os.environ.get("REQUIRE_SOFFICE") == "1":
            pytest.fail(f"There is no LibreOffice: {REMEDY}.")
        pytest.skip(f"There is no LibreOffice: {REMEDY}.")
    command = [program, f"-env:UserInstallation=file://{folder}/profile", "--headless"]
    command += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", f"{folder}/saved", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "saved" / path.name
