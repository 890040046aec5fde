"""Form fields shared by the admin and the pages."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms.utils import ErrorList
from django.http import QueryDict

from oegen.audit.questions import QuestionError


class AnswersField(forms.MultipleChoiceField):
    """The keys of the questions that were answered with "save anyway" (oegen.audit.questions).

    It is hidden and preserves the answers when the form is shown again for another reason.
    """

    widget = forms.MultipleHiddenInput

    def __init__(self):
        super().__init__(required=False)

    def valid_value(self, value):
        """Any key is valid; unknown ones have no effect."""
        return True

    def has_changed(self, initial, data):
        """An answer alone does not change the record."""
        return False


class FieldErrors(ErrorList):
    """An error list in which each question has a check box to save the value anyway."""

    template_name = template_name_ul = "oegen/forms/errors.html"

    def render(self, *args, **kwargs):
        """Empty without its template, which takes a tenth of a form's time."""
        return super().render(*args, **kwargs) if self else ""

    # Django names its own method by these.
    __str__ = __html__ = render

    def get_context(self):
        found = [(error, sentence) for error in self.as_data() for sentence in error]
        lines = [
            {"text": sentence, "tick": error if isinstance(error, QuestionError) else None}
            for error, sentence in found
        ]
        return {**super().get_context(), "lines": lines}


class DialogForm(forms.Form):
    """The base of forms that a script shows in a dialog; ``prefix_of_ids`` begins their ids."""

    prefix_of_ids: ClassVar[str]

    def __init__(self, data: QueryDict | None = None, *, initial: dict[str, Any] | None = None):
        auto_id = f"{self.prefix_of_ids}_%s"
        super().__init__(data, initial=initial, auto_id=auto_id, error_class=FieldErrors)
        for field in self.fields.values():
            if isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs["class"] = "form-check-input"
            elif not isinstance(field.widget, forms.RadioSelect):
                is_choice = isinstance(field.widget, forms.Select)
                field.widget.attrs["class"] = "form-select" if is_choice else "form-control"

    def add_errors_of(self, error: ValidationError) -> None:
        """Add the errors to their fields; those of other fields to the form as a whole."""
        for name, errors in error.error_dict.items():
            is_here = name in self.fields and name != NON_FIELD_ERRORS
            self.add_error(name if is_here else None, errors)
