"""The parts of an XLSX file, which is a ZIP archive of XML, checked before any is parsed."""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from oegen.imports.tables.reading.errors import UnreadableFileError
from oegen.imports.tables.reading.limits import FREE_RATIO, MAX_RATIO, MAX_UNPACKED

#: Bytes unpacked at a time.
CHUNK = 1 << 18

#: The fixed part of the header before each part's data.
_LOCAL_HEADER = 30

_DAMAGED = "The file is damaged: open it in Excel or LibreOffice and save it again."


class _PlainTree(TreeBuilder):
    """Refuses a document type, which no workbook declares."""

    def doctype(self, *declared: object) -> None:
        raise ParseError("a document type is declared")


class Package:
    """An open archive. The constructor raises UnreadableFileError if it is too large unpacked, is
    encrypted, or its directory doesn't tell the truth about the sizes."""

    def __init__(self, path: Path, name: str):
        self.name = name
        self._file = path.open("rb")
        try:
            self._zip = zipfile.ZipFile(self._file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            self._file.close()
            raise self.error(f"the workbook can't be opened ({error}). {_DAMAGED}") from error
        try:
            self._check(path.stat().st_size)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._zip.close()
        self._file.close()

    def error(self, problem: str) -> UnreadableFileError:
        return UnreadableFileError(f"{self.name}: {problem}")

    def has(self, part: str) -> bool:
        return part in self._zip.NameToInfo

    def names(self) -> list[str]:
        return self._zip.namelist()

    def chunks(self, part: str) -> Iterator[bytes]:
        """The unpacked content of the part, which is no longer than its directory says."""
        info = self._zip.NameToInfo.get(part)
        if info is None:
            raise self.error(f"the part “{part}” is missing. {_DAMAGED}")
        yield from self._unpack(info)

    def parse(self, part: str) -> Element:
        """The XML of a small part. Entities are refused, so that it can't grow."""
        # Entities could only be declared in a document type, and sizes are limited.
        parser = XMLParser(target=_PlainTree())  # noqa: S314
        try:
            for chunk in self.chunks(part):
                parser.feed(chunk)
            root: Element = parser.close()
        except ParseError as error:
            raise self.error(f"the part “{part}” is no XML ({error}). {_DAMAGED}") from error
        return root

    def targets(self, part: str) -> dict[str, tuple[str, str]]:
        """By their id, the kind and the name of the parts to which the part refers; those of the
        archive itself for an empty name."""
        folder, file = posixpath.split(part)
        relations = posixpath.join(folder, "_rels", f"{file}.rels")
        if not self.has(relations):
            return {}
        found = {}
        for relation in self.parse(relations):
            target = posixpath.normpath(posixpath.join("/", folder, relation.get("Target", "")))
            kind = posixpath.basename(relation.get("Type", ""))
            found[relation.get("Id", "")] = (kind, target.lstrip("/"))
        return found

    def target(self, part: str, kind: str) -> str:
        """The first part of that kind to which the part refers, empty if there is none."""
        return next((name for one, name in self.targets(part).values() if one == kind), "")

    def _check(self, packed: int) -> None:
        parts = self._zip.infolist()
        size = sum(part.file_size for part in parts)
        if size > MAX_UNPACKED:
            raise self.error(
                f"the workbook has {size / 1e6:,.0f} MB unpacked, and no more than "
                f"{MAX_UNPACKED // 1_000_000} MB can be read. Divide the table into several files, "
                "and leave out pictures."
            )
        if size > max(FREE_RATIO, MAX_RATIO * packed):
            raise self.error(
                f"the workbook is {size / packed:,.0f} times as large unpacked, and no more than "
                f"{MAX_RATIO} times can be read. Copy the values into a new workbook."
            )
        if any(part.flag_bits & 1 for part in parts):
            raise self.error("the file is protected by a password. Save it without one.")
        # Readers differ in which of two they take.
        if len({part.filename.casefold() for part in parts}) < len(parts):
            raise self.error(f"two parts of the workbook have the same name. {_DAMAGED}")
        for part in parts:
            for _ in self._unpack(part):
                pass

    def _unpack(self, part: zipfile.ZipInfo) -> Iterator[bytes]:
        """Unpacks by itself, since ``zipfile`` believes the size that the directory gives."""
        wrong = self.error(f"the part “{part.filename}” is not as its directory says. {_DAMAGED}")
        self._file.seek(part.header_offset)
        header = self._file.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or part.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):
            raise wrong
        names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        self._file.seek(names, 1)
        left, size, position = part.compress_size, 0, self._file.tell()
        is_stored = part.compress_type == zipfile.ZIP_STORED
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        while True:
            packed = b""
            if is_stored or not inflate.unconsumed_tail:
                # The consumer may have read another part meanwhile.
                self._file.seek(position)
                packed = self._file.read(min(left, CHUNK))
                left -= len(packed)
                position += len(packed)
            try:
                chunk = packed if is_stored else self._inflate(inflate, packed)
            except zlib.error as error:
                raise wrong from error
            size += len(chunk)
            if size > part.file_size:
                raise wrong
            if chunk:
                yield chunk
            elif not packed:
                break
        if size != part.file_size:
            raise wrong

    @staticmethod
    def _inflate(inflate, packed: bytes) -> bytes:
        return inflate.decompress(inflate.unconsumed_tail + packed, CHUNK)


_NAMESPACE = re.compile(r"\{[^}]*\}")


def local_name(element: Element) -> str:
    """The element's name without its namespace, of which there are two for workbooks."""
    return _NAMESPACE.sub("", element.tag)


def local_attribute(element: Element, name: str) -> str:
    """The attribute in whatever namespace, empty if it is missing."""
    return next(
        (value for key, value in element.items() if _NAMESPACE.sub("", key) == name),
        "",
    )
