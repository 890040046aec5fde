"""The form by which a file is given as an edition of a register."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.timezone import localdate

from oegen.core.days import DayField, DayInput
from oegen.pages.importing.forms import TableFileField
from pipelines.registers.adapters.links import named_day
from pipelines.registers.models import Register


class EditionForm(forms.Form):
    """A register, a file, and the day of the edition unless the file's name has it: then
    ``cleaned_data["edition"]`` is that day."""

    register = forms.ModelChoiceField(
        Register.objects.active(),
        to_field_name="code",
        empty_label="Choose one",
        widget=forms.Select(attrs={"class": "form-select"}),
        error_messages={
            "required": "Choose the register that the file is of.",
            "invalid_choice": "There is no such register any more. Choose another one.",
        },
    )
    file = TableFileField()
    edition = DayField(
        label="Day of the edition",
        required=False,
        widget=DayInput(attrs={"class": "form-control"}),
    )

    def __init__(self, data: Any = None, files: Any = None):
        super().__init__(data, files, auto_id="edition_%s")

    def clean_edition(self) -> date | None:
        day: date | None = self.cleaned_data["edition"]
        if day is not None and day > localdate():
            raise ValidationError(
                "This day is still to come. Give the day up to which the file says what there is."
            )
        return day

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        file = data.get("file")
        if file and "edition" in data and data["edition"] is None:
            data["edition"] = named_day(file.name)
            if data["edition"] is None:
                self.add_error(
                    "edition",
                    f"The name “{file.name}” does not say of which day the edition is. Give its "
                    "day, and choose the file again.",
                )
        return data
