"""Form parts that the admin's forms and those of pages share."""

from django import forms
from django.forms.utils import ErrorList

from oegen.audit.questions import QuestionError


class AnswersField(forms.MultipleChoiceField):
    """The keys of the questions that a person answered with "save anyway" (oegen.audit.questions).

    Hidden, it carries the answers on while the form comes back for another reason.
    """

    widget = forms.MultipleHiddenInput

    def __init__(self):
        super().__init__(required=False)

    def valid_value(self, value):
        """A key that no question has answers none."""
        return True

    def has_changed(self, initial, data):
        """An answer by itself is no change of the record."""
        return False


class FieldErrors(ErrorList):
    """Errors, of which each question has a tick: with it, the value is saved anyway."""

    template_name = template_name_ul = "oegen/forms/errors.html"

    def get_context(self):
        found = [(error, sentence) for error in self.as_data() for sentence in error]
        lines = [
            {"text": sentence, "tick": error if isinstance(error, QuestionError) else None}
            for error, sentence in found
        ]
        return {**super().get_context(), "lines": lines}
