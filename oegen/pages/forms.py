"""Form fields shared by the admin and the pages."""

from django import forms
from django.forms.utils import ErrorList

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

    def get_context(self):
        found = [(error, sentence) for error in self.as_data() for sentence in error]
        lines = [
            {"text": sentence, "tick": error if isinstance(error, QuestionError) else None}
            for error, sentence in found
        ]
        return {**super().get_context(), "lines": lines}
