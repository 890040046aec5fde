"""What a workbook says of itself: its sheets and its custom properties."""

from __future__ import annotations

from dataclasses import dataclass

from oegen.imports.tables.reading.package import Package, local_attribute, local_name


@dataclass(frozen=True)
class SheetPart:
    name: str
    part: str
    is_hidden: bool


def read_sheets(package: Package) -> list[SheetPart]:
    """The worksheets in their order, without charts and macros. Raises UnreadableFileError."""
    workbook = package.target("", "officeDocument")
    if not package.has(workbook):
        raise package.error(f"the archive is no Excel workbook. {_advice(package)}")
    if not workbook.endswith(".xml"):
        raise package.error("the file is a binary workbook. Save it as an Excel workbook (.xlsx).")
    targets = package.targets(workbook)
    sheets = []
    for element in package.parse(workbook).iter():
        if local_name(element) != "sheet":
            continue
        kind, part = targets.get(local_attribute(element, "id"), ("", ""))
        if kind == "worksheet" and package.has(part):
            is_hidden = element.get("state", "visible") != "visible"
            sheets.append(SheetPart(element.get("name", ""), part, is_hidden))
    if not any(not sheet.is_hidden for sheet in sheets):
        raise package.error("the workbook has no visible sheet. Show the one with the table.")
    return sheets


def shared_strings(package: Package) -> str:
    """The part with the texts to which cells refer, empty if there is none."""
    part = package.target(package.target("", "officeDocument"), "sharedStrings")
    return part if package.has(part) else ""


def read_properties(package: Package) -> dict[str, str]:
    """The custom properties of the document that are texts."""
    part = package.target("", "custom-properties")
    if not package.has(part):
        return {}
    return {
        one.get("name", ""): "".join(one.itertext())
        for one in package.parse(part)
        if local_name(one) == "property"
    }


def has_macros(package: Package) -> bool:
    return any(name.endswith("vbaProject.bin") for name in package.names())


def _advice(package: Package) -> str:
    if package.has("content.xml"):
        return "It is of LibreOffice: save it as an Excel workbook (.xlsx)."
    return "Unpack it and import the file inside, or save the table as an Excel workbook (.xlsx)."
