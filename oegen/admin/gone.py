"""The input of a form whose record was removed in the meantime."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.text import capfirst

from oegen import audit
from oegen.admin import guard
from oegen.admin.forms import OWN_FIELDS, REASON
from oegen.audit.audited import AuditedModel
from oegen.core.fields import CountryFormField, choice_pairs, country_name

#: An upper limit for the number of rows in a request.
MAX_ROWS = 1000


def changed_values(model_admin, request, record: AuditedModel) -> Iterator[tuple[str, str]]:
    """(label, formatted value) of each field that the user changed.

    ``record``: the removed record, with its last values.
    """
    record = _as_opened(request, record)
    form = model_admin.get_form(request, record, change=True)(instance=record)
    yield from _changed_values(form, request)
    for formset, _ in model_admin.get_formsets_with_inlines(request, record):
        prefix = formset.get_default_prefix()
        noun = capfirst(formset.model._meta.verbose_name)
        total = request.POST.get(f"{prefix}-TOTAL_FORMS", "")
        for number in range(min(int(total), MAX_ROWS) if total.isdecimal() else 0):
            key = request.POST.get(f"{prefix}-{number}-id", "")
            row = formset.form(
                instance=_removed_link(formset.model, key), prefix=f"{prefix}-{number}"
            )
            for label, value in _changed_values(row, request):
                yield f"{noun} {number + 1}: {label}", value


def _as_opened(request, record: AuditedModel) -> AuditedModel:
    """The record at the version that the form was opened on, if its guard token is readable."""
    try:
        version = guard.parse_token(request.POST.get("guard", "")).get(guard.key_of(record))
    except ValidationError:
        version = None
    seen = guard.seen_values(record, version) if version else None
    return _mark_saved(seen.instance if seen else record)


def _removed_link(model: type[AuditedModel], key: str) -> AuditedModel | None:
    """A link as it was before it was removed with its record; None for a new row."""
    try:
        row = model.history.filter(id=key, history_type=audit.REMOVED).first() if key else None
    except ValidationError:
        return None
    return _mark_saved(row.instance) if row else None


def _mark_saved(record: AuditedModel) -> AuditedModel:
    """Mark the instance as saved, so that its form shows its values."""
    record._state.adding = False
    return record


def _changed_values(form: forms.ModelForm, request) -> Iterator[tuple[str, str]]:
    for name, field in form.fields.items():
        if name in OWN_FIELDS or field.disabled:
            continue
        typed = field.widget.value_from_datadict(request.POST, request.FILES, form.add_prefix(name))
        if field.has_changed(form.get_initial_for_field(field, name), typed):
            label = "Reason" if name == REASON else field.label or capfirst(name.replace("_", " "))
            yield str(label), _format_value(field, typed)


def _format_value(field: forms.Field, typed) -> str:
    try:
        value = field.to_python(typed)
    except ValidationError:
        is_choice = isinstance(field, forms.ModelChoiceField)
        return "something that is not on offer any more" if is_choice else str(typed)
    if isinstance(field, CountryFormField):
        value = country_name(value or "")
    match value:
        case None | "":
            return "nothing: you emptied it"
        case bool():
            return "ticked" if value else "not ticked"
        case date():
            return formats.date_format(value, "DATE_FORMAT")
    if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
        return str(dict(choice_pairs(field)).get(value, value))
    return str(value)
