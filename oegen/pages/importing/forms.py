"""The form that starts an import, and the name that a mapping is kept under."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.text import capfirst

from oegen.core.text import clean_line
from oegen.imports.tables.kinds import ImportKind
from oegen.imports.tables.models import ImportMapping
from oegen.imports.tables.reading.limits import MAX_UNPACKED

#: The characters of a pasted block: the server takes no more than 2.5 MB of a form's text.
MAX_BLOCK = 1_000_000

#: Files of this many bytes and more are read by a job. Those of workbooks are compressed.
LONG, LONG_WORKBOOK = 1_000_000, 150_000

KIND, MAPPING = "kind", "mapping"


def is_long(name: str, size: int) -> bool:
    """Whether a file of that many bytes is read by a job, because a request would take too long."""
    is_workbook = PurePath(name).suffix.lower() in (".xlsx", ".xlsm")
    return size >= (LONG_WORKBOOK if is_workbook else LONG)


class TableFileField(forms.FileField):
    """A file of a size that can be read."""

    widget = forms.ClearableFileInput(
        attrs={"class": "form-control", "accept": ".csv,.tsv,.txt,.xlsx,.xlsm"}
    )
    default_error_messages = {
        "required": "Choose a file.",
        "empty": "The file is empty. Its first row should name the columns.",
        "max_length": "The name of the file has more than 255 characters. Give it a shorter one.",
    }

    def __init__(self, **kwargs: Any):
        super().__init__(max_length=255, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        file = super().clean(data, initial)
        if file and file.size > MAX_UNPACKED:
            raise ValidationError(
                f"The file has {filesizeformat(file.size)}, and at most "
                f"{MAX_UNPACKED // 1_000_000} MB can be read. Divide it into several."
            )
        return file


class UploadForm(forms.Form):
    """A file or a pasted block, and what its rows are. ``cleaned_data["reads_as"]`` is a kind, a
    mapping, or None if the file has to say so."""

    file = TableFileField(required=False)
    block = forms.CharField(
        label="Or paste a block copied from Excel",
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"class": "form-control font-monospace", "rows": 4, "spellcheck": "false"}
        ),
    )

    def __init__(self, kinds: list[ImportKind], data: Any = None, files: Any = None, **kwargs: Any):
        super().__init__(data, files, auto_id="import_%s", **kwargs)
        self.kinds_by_name = {kind.name: kind for kind in kinds}
        saved = ImportMapping.objects.filter(kind__in=[kind.name for kind in kinds])
        self.saved = {f"{MAPPING}:{one.pk}": one for one in saved}
        choices: list[Any] = [
            ("", "As the file says"),
            ("Rows", [(f"{KIND}:{kind.name}", capfirst(kind.label)) for kind in kinds]),
        ]
        if self.saved:
            named = [
                (key, f"{one} ({self.kinds_by_name[one.kind].label})")
                for key, one in self.saved.items()
            ]
            choices.append(("Saved mappings", named))
        self.fields["reads_as"] = forms.ChoiceField(
            label="What its rows are",
            choices=choices,
            required=False,
            widget=forms.Select(attrs={"class": "form-select"}),
        )

    def clean_block(self) -> str:
        """Not by ``max_length``: a browser would cut the block without a word."""
        block = self.cleaned_data["block"]
        if len(block) > MAX_BLOCK:
            raise ValidationError(
                f"The block has {len(block):,} characters, and at most {MAX_BLOCK:,} can be "
                "pasted. Save the table as a file, and choose that."
            )
        return block

    def clean_reads_as(self) -> ImportKind | ImportMapping | None:
        chosen = self.cleaned_data["reads_as"]
        kind = self.kinds_by_name.get(chosen.removeprefix(f"{KIND}:"))
        return kind or self.saved.get(chosen)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "file" in data and "block" in data:
            has_block = bool(data["block"].strip())
            if data["file"] and has_block:
                self.add_error("block", "Give a file or a block, not both: empty one of them.")
            elif not (data["file"] or has_block):
                self.add_error("file", "Choose a file, or paste a block below.")
        return data

    @property
    def file_name(self) -> str:
        file = self.cleaned_data["file"]
        return file.name if file else f"Pasted {timezone.localtime():%Y-%m-%d %H.%M}.tsv"

    @property
    def is_long(self) -> bool:
        file = self.cleaned_data["file"]
        return bool(file) and is_long(file.name, file.size)


class KeepForm(forms.Form):
    """The name under which a mapping is kept for the next file of the kind. With ``replace`` it
    takes the place of one that has the name."""

    keep = forms.CharField(
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    replace = forms.BooleanField(
        required=False, widget=forms.CheckboxInput(attrs={"class": "form-check-input"})
    )

    def __init__(self, kind: ImportKind, data: Any = None):
        super().__init__(data, auto_id="mapping_%s")
        self.kind = kind

    @property
    def others(self) -> Any:
        return ImportMapping.objects.filter(kind=self.kind.name)

    def clean_keep(self) -> str:
        return clean_line(self.cleaned_data["keep"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        name = data.get("keep")
        if name and not data["replace"] and self.others.filter(name__iexact=name).exists():
            self.add_error(
                "keep",
                f"There is a mapping “{name}” already. Tick “Replace it”, or choose another name.",
            )
        return data
