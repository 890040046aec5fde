"""Widgets are the same HTML as from Django templates."""

from datetime import UTC, datetime

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.test.html import parse_html

from oegen.core.rendering import FormRenderer
from tests.support.readers import HOSTILE

CHOICES = [("", "–"), ("a&b", HOSTILE), ("Group <b>", [(1, "One"), (None, "None")])]
ATTRS = {"id": "id_x", "required": True, "disabled": False, "title": HOSTILE, "maxlength": 10_000}


@pytest.mark.parametrize(
    ("widget", "value"),
    [
        *((widget(), HOSTILE) for widget in (forms.TextInput, forms.Textarea, forms.HiddenInput)),
        (forms.TextInput(), None),
        (forms.NumberInput(), 12_345.5),
        (forms.DateInput(), "2026-11-28"),
        (forms.CheckboxInput(), True),
        (forms.PasswordInput(), HOSTILE),
        (forms.ClearableFileInput(), None),
        (forms.Select(choices=CHOICES), "a&b"),
        (forms.SelectMultiple(choices=CHOICES), ["a&b", 1]),
        (forms.RadioSelect(choices=CHOICES), 1),
        (forms.CheckboxSelectMultiple(choices=CHOICES), [1]),
        (forms.MultipleHiddenInput(), [HOSTILE, "b"]),
        (forms.SplitDateTimeWidget(), datetime(2026, 11, 28, 12, tzinfo=UTC)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, forms.Widget) else "",
)
def test_widget_is_the_same_as_from_django_templates(widget, value):
    ours, djangos = (
        widget.render("x", value, ATTRS, renderer=renderer())
        for renderer in (FormRenderer, DjangoTemplates)
    )
    assert parse_html(ours) == parse_html(djangos)
    assert HOSTILE not in ours


class LabelledForm(forms.Form):
    day = forms.DateField(label=HOSTILE)


@pytest.mark.parametrize("attrs", [None, {"class": HOSTILE}])
def test_label_is_the_same_as_from_django_templates(attrs):
    ours, djangos = (
        LabelledForm(renderer=renderer())["day"].label_tag(attrs=attrs)
        for renderer in (FormRenderer, DjangoTemplates)
    )
    assert parse_html(ours) == parse_html(djangos)
    assert HOSTILE not in ours


class CountForm(forms.Form):
    total = forms.IntegerField(widget=forms.HiddenInput, initial=3)


@pytest.mark.parametrize("data", [None, {"total": HOSTILE}], ids=["unbound", "with errors"])
def test_form_of_hidden_fields_is_the_same_as_from_django_templates(data):
    ours, djangos = (
        CountForm(data, renderer=renderer()).render()
        for renderer in (FormRenderer, DjangoTemplates)
    )
    assert parse_html(ours) == parse_html(djangos)
    assert HOSTILE not in ours
