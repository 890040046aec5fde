"""The list of errors above an invalid form of the admin, with links to the fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django import forms
from django.contrib.admin.helpers import InlineAdminFormSet
from django.utils.text import Truncator, capfirst


@dataclass(frozen=True)
class Problem:
    """An error. ``place`` is the label of the field; ``target`` the id of its element."""

    place: str
    target: str
    sentence: str


def form_problems(form: forms.ModelForm, inlines: Iterable[InlineAdminFormSet]) -> list[Problem]:
    """The errors of a record's form and its inlines, in the order of the page, without the form's
    non-field errors, which are shown at the top."""
    found = list(_field_problems(form, ""))
    for inline in inlines:
        noun = capfirst(inline.opts.verbose_name)
        for sentence in inline.formset.non_form_errors():
            plural = capfirst(inline.opts.verbose_name_plural)
            found.append(Problem(plural, f"{inline.formset.prefix}-group", str(sentence)))
        for number, row in enumerate(inline.formset.forms, 1):
            place = f"{noun} {number}"
            found += [Problem(place, row.prefix, str(one)) for one in row.non_field_errors()]
            found += _field_problems(row, place)
    return found


def table_problems(formset: forms.BaseModelFormSet) -> list[Problem]:
    """The errors of the rows of an editable list."""
    found = []
    for row in formset.forms:
        place = Truncator(row.instance).chars(80)
        first = next((bound.id_for_label for bound in row.visible_fields()), "")
        found += [Problem(place, first, str(one)) for one in row.non_field_errors()]
        found += _field_problems(row, place)
    return found


def _field_problems(form: forms.ModelForm, place: str) -> Iterable[Problem]:
    for bound in form:
        for sentence in bound.errors:
            label = str(bound.label)
            if place:
                label = label[:1].lower() + label[1:] if label[1:2].islower() else label
                label = f"{place}, {label}"
            yield Problem(label, bound.id_for_label, str(sentence))
