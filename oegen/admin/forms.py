from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import models
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.text import capfirst

from oegen.admin import guard, problems
from oegen.alerts import mentions
from oegen.audit import questions
from oegen.audit.audited import AuditedModel
from oegen.audit.questions import Question, QuestionError
from oegen.core.days import INVALID_DAY
from oegen.core.fields import (
    ReasonFormField,
    TextFormField,
    choice_pairs,
    refuse_underscores,
)
from oegen.core.text import name_key
from oegen.pages.columns import truncate
from oegen.pages.comments import MENTIONS
from oegen.pages.forms import AnswersField, FieldErrors

REASON = "change_reason"

#: The fields of every guarded form that are not model fields.
OWN_FIELDS = ("guard", "save_anyway")


def and_join(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def has_reason(data) -> bool:
    """Whether a submitted form or table has a reason."""
    return bool(data.get(REASON, "").strip())


def set_error_messages(name: str, field: forms.Field) -> None:
    """Replace Django's default messages by ones that say what would be valid."""
    label = str(field.label or name.replace("_", " "))
    label = label if label.isupper() else label[:1].lower() + label[1:]
    messages = {"required": f"Give the {label}: it can't be empty."}
    match field:
        case forms.ModelChoiceField():
            messages["invalid_choice"] = f"That {label} is not on offer (any more): choose another."
        case forms.TypedChoiceField() | forms.ChoiceField():
            known = and_join([str(text) for value, text in choice_pairs(field) if value])
            messages["invalid_choice"] = f"“%(value)s” is none of {known}: choose one of these."
        case forms.DateField():
            messages["invalid"] = INVALID_DAY
        case forms.URLField():
            messages["invalid"] = "Give a web address, such as https://example.com."
        case forms.SlugField():
            messages["invalid"] = (
                f"Give the {label} in letters, digits, hyphens and underscores only, such as "
                "offshore-wind."
            )
        case forms.DecimalField():
            messages["invalid"] = "Give a number, such as 12.5."
        case forms.IntegerField():
            messages["invalid"] = "Give a whole number, such as 40."
    field.error_messages = {**field.error_messages, **messages}
    if isinstance(field, forms.IntegerField):  # The base of Django's other number fields.
        to_python = partial(_number_to_python, field, field.to_python)
        field.to_python = to_python  # type: ignore[method-assign]  # on this instance


def _number_to_python(field: forms.Field, to_python, value):
    refuse_underscores(value, field.error_messages["invalid"])
    return to_python(value)


class LoadedRecordField(forms.ModelChoiceField):
    """A choice that is not read again if it is among ``records``, by key."""

    records: Mapping[Any, models.Model] = {}

    def to_python(self, value):
        return self.loaded(value) or super().to_python(value)

    def loaded(self, value: Any) -> models.Model | None:
        try:
            key = self.queryset.model._meta.pk.to_python(value)  # type: ignore[union-attr]  # given
            return self.records.get(key)
        except forms.ValidationError:
            return None


class RecordSelect(AutocompleteSelect):
    """The autocomplete of a LoadedRecordField."""

    def optgroups(self, name, value, attr=None):
        field = self.choices.field
        # Rows that are not filled in have nothing to look up, for which Django builds a query.
        is_empty = all(one in field.empty_values for one in value)
        record = field.loaded(value[0]) if len(value) == 1 else None
        if record is None and not is_empty:
            return super().optgroups(name, value, attr)
        options = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        if record is not None:
            label = field.label_from_instance(record)
            options.append(self.create_option(name, record.pk, label, True, len(options)))
        return [(None, options, 0)]


def add_loaded_key(formset: forms.BaseModelFormSet, form: forms.ModelForm) -> None:
    """Replace the field with the key of a row by one that does not read the row again."""
    name = formset.model._meta.pk.name
    key = form.fields.get(name)
    if isinstance(key, forms.ModelChoiceField) and not form.instance._state.adding:
        form.fields[name] = loaded = LoadedRecordField(
            key.queryset, initial=key.initial, required=False, widget=key.widget
        )
        loaded.records = {form.instance.pk: form.instance}


class GuardedForm(forms.ModelForm):
    """A model form with the edit guard, for a record, a link row or a row of an editable list."""

    guard = forms.CharField(required=False, widget=forms.HiddenInput)
    save_anyway = AnswersField()

    #: Why the database refused a form that was valid.
    refusal = ""

    data: QueryDict

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.error_class = FieldErrors
        self._answered: list[tuple[AuditedModel, Question]] = []
        self.conflict: guard.Conflict | None = None
        self._guard_error: forms.ValidationError | None = None
        self._conflicting: list[str] = []
        self._touched: list[str] = []
        self._values_read = dict(self.instance.__dict__) if self._is_change else {}
        for name, field in self.fields.items():
            set_error_messages(name, field)
            linked = self.instance._state.fields_cache.get(name)
            if isinstance(field, LoadedRecordField) and linked is not None:
                field.records = {**field.records, linked.pk: linked}
            if self.prefix:
                # In a table only the column heading labels the field.
                widget = getattr(field.widget, "widget", None) or field.widget
                widget.attrs.setdefault("aria-label", self._accessible_label(field))
        if self._is_change:
            self.fields["guard"].initial = guard.token(self.guarded_rows())
        if self.is_bound:
            self._check_guard()

    @property
    def _is_change(self) -> bool:
        return not self.instance._state.adding

    def _accessible_label(self, field: forms.Field) -> str:
        return str(field.label)

    def _update_errors(self, errors):
        """Turn the model's errors about fields that are not in this form into non-field errors, and
        drop those about fields that have errors already: the model saw an empty value."""
        if hasattr(errors, "error_dict"):
            for name in errors.error_dict.keys() & self.errors.keys() - {NON_FIELD_ERRORS}:
                del errors.error_dict[name]
            for name in [name for name in errors.error_dict if name not in self.fields]:
                found = errors.error_dict.pop(name)
                if name != NON_FIELD_ERRORS:
                    label = capfirst(self._meta.model._meta.get_field(name).verbose_name)
                    found = [forms.ValidationError(f"{label}: {text}") for e in found for text in e]
                errors.error_dict.setdefault(NON_FIELD_ERRORS, []).extend(found)
        super()._update_errors(errors)  # type: ignore[misc]  # private to Django

    def guarded_rows(self) -> list[AuditedModel]:
        """The rows that the form may overwrite."""
        return [self.instance]

    def sources(self) -> dict[str, tuple[AuditedModel, str]]:
        """The row and attribute of each form field that shows a stored value."""
        own = {field.name: field.attname for field in self._meta.model._meta.concrete_fields}
        return {name: (self.instance, own[name]) for name in self.fields if name in own}

    def _check_guard(self) -> None:
        """Compare the current versions with those the form was opened on, and merge others'
        changes into untouched fields."""
        name = self.add_prefix("guard")
        text = self.data.get(name, "")
        if not text and not self._is_change:
            return
        try:
            opened = guard.parse_token(text)
        except forms.ValidationError as error:
            self._guard_error = error
            return
        rows = self.guarded_rows() if self._is_change else []
        self.conflict = guard.find_conflict(opened, rows)
        if not self.conflict:
            return
        self.data = self.data.copy()  # What was sent can't be changed.
        seen = {}
        for row in rows:
            version = opened.get(guard.key_of(row), row.version)
            seen[guard.key_of(row)] = (
                guard.seen_values(row, version) if version != row.version else row
            )
        for field_name, (row, attname) in self.sources().items():
            self._update_field(field_name, row, attname, seen.get(guard.key_of(row)) or row)
        if rows:
            self.data[name] = guard.token(rows)

    def _update_field(self, name: str, row, attname: str, seen) -> None:
        """Show the newer value in an untouched field, or record the conflict in a changed one."""
        field = self.fields[name]
        shown, newer = getattr(seen, attname), getattr(row, attname)
        typed = field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
        touched = not field.disabled and field.has_changed(shown, typed)
        if touched:
            self._touched.append(name)
        if shown == newer:
            return
        if touched:
            self._conflicting.append(name)
        else:
            guard.write_value(self, name, newer)

    def _post_clean(self):
        self.instance.values_read = self._values_read
        super()._post_clean()  # type: ignore[misc]  # private to Django
        del self.instance.values_read
        self.add_questions(self.instance, self.model_changes if self._is_change else None)

    def add_questions(
        self,
        record: AuditedModel,
        changed: list[str] | None,
        places: dict[str, str] | None = None,
    ) -> None:
        """Add the record's unanswered questions about the changed fields (None: all) as errors.
        ``places`` maps model fields to form fields that are named differently."""
        places = places or {}
        answers = set(self.cleaned_data.get("save_anyway", ()))
        unanswered, answered = questions.split(record, changed=changed, answers=answers)
        self._answered += [(record, question) for question in answered]
        for question in unanswered:
            names = [places.get(name, name) for name in question.fields]
            # Skip questions about invalid fields.
            if self.errors.keys().isdisjoint(names):
                place = names[0] if names[0] in self.fields else None
                self.add_error(place, QuestionError(question, self.add_prefix("save_anyway")))

    def record_answers(self) -> None:
        for record, question in self._answered:
            questions.record_answers(record, [question])

    def save(self, commit=True):
        self.record_answers()
        return super().save(commit=commit)

    @property
    def model_changes(self) -> list[str]:
        """The model's fields that this form would change."""
        return [
            name
            for name, (row, _) in self.sources().items()
            if row is self.instance and name in self.changed_data
        ]

    def clean(self):
        cleaned = super().clean()
        if self.refusal:
            raise forms.ValidationError(self.refusal, code="refused")
        if self._guard_error:
            raise self._guard_error
        if self.conflict:
            for name in self._conflicting:
                self.add_error(
                    name, "Others changed this too, see above. Saving again keeps your value."
                )
            raise forms.ValidationError(self.conflict.as_message(), code="conflict")
        return cleaned


class RowForm(GuardedForm):
    """A row of an editable list. An untouched row is neither validated nor saved, even if others
    changed it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Django then skips the validation of an unchanged form.
        self.empty_permitted = True

    def _accessible_label(self, field):
        return f"{field.label} of {truncate(self.instance, 80)}"

    def has_changed(self):
        return bool(self.model_changes)


class RecordForm(GuardedForm):
    """The form of one record, with a reason and a comment.

    Some changes require a reason: see ``AuditedModel.needs_reason_for``.
    """

    change_reason = ReasonFormField(
        label="Reason",
        required=False,
        help_text="Why you change it. Kept in the history, with your name and the time.",
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
    )
    new_comment = TextFormField(
        label="Add a comment",
        required=False,
        help_text="@ and a name tells that person.",
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField", **MENTIONS}),
    )

    def clean_new_comment(self):
        mentions.check_mentions(self.cleaned_data["new_comment"])
        return self.cleaned_data["new_comment"]

    def clean(self):
        cleaned = super().clean()
        if self._is_change and not has_reason(self.data):
            changed = self.instance.needs_reason_for(self.model_changes)
            if changed:
                labels = [str(self.fields[name].label) for name in changed]
                self.add_error(REASON, f"Say why: you changed {and_join(labels)}.")
        return cleaned


class TableFormSet(forms.BaseModelFormSet):
    """The rows of an editable list, with one reason for all of them."""

    refusal = ""

    #: The error of the reason.
    reason_problem = ""

    def problems(self) -> list[problems.Problem]:
        return problems.table_problems(self) if self.is_bound else []

    def add_fields(self, form, index):
        super().add_fields(form, index)
        add_loaded_key(self, form)

    def clean(self):
        super().clean()
        if self.refusal:
            raise forms.ValidationError(self.refusal, code="refused")
        if has_reason(self.data):
            return
        changed = {
            str(form.fields[name].label)
            for form in self.forms
            for name in form.instance.needs_reason_for(form.model_changes)
        }
        if changed:
            self.reason_problem = f"Say why: you changed {and_join(sorted(changed))}."
            raise forms.ValidationError(
                f"Say why in “Reason” below the table: you changed {and_join(sorted(changed))}."
            )


def is_removed(form: forms.Form) -> bool:
    """Whether the valid form is marked for deletion."""
    return bool(form.cleaned_data.get(DELETION_FIELD_NAME))


class LinkFormSet(forms.BaseInlineFormSet):
    """Some links of a record. Each form has the record as ``owner``."""

    def __init__(self, *args, links: list[AuditedModel], **kwargs):
        super().__init__(*args, **kwargs)
        self._links = links

    def get_queryset(self):
        return self._links

    @cached_property
    def empty_form(self) -> forms.ModelForm:
        """Made once, not each time that the admin asks for something of it."""
        return super().empty_form

    def _construct_form(self, i, **kwargs):
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]  # private to Django
        form.owner = self.instance
        return form

    def add_fields(self, form, index):
        super().add_fields(form, index)
        add_loaded_key(self, form)
        if deletion := form.fields.get(DELETION_FIELD_NAME):
            deletion.label = "Remove"
            deletion.widget.attrs["aria-label"] = "Remove this row"

    def remaining_forms(self) -> list[forms.ModelForm]:
        """The forms whose rows will exist after saving."""
        return [
            form
            for form in self.forms
            if not is_removed(form) and (form.has_changed() or form._is_change)
        ]

    @cached_property
    def link_fields(self) -> tuple[str, ...]:
        """The fields that are unique together with the foreign key to the record."""
        rule = next(
            constraint
            for constraint in self.model._meta.constraints
            if isinstance(constraint, models.UniqueConstraint) and self.fk.name in constraint.fields
        )
        return tuple(name for name in rule.fields if name != self.fk.name)

    def linked_records(self, form) -> tuple[models.Model | None, ...]:
        """The records that a row links, for each of ``link_fields``."""
        return tuple(form.cleaned_data.get(name) for name in self.link_fields)

    @staticmethod
    def key_of(linked: Iterable[models.Model]) -> tuple:
        """A key for comparing rows. An unsaved record is identified by its name."""
        return tuple(name_key(str(one)) if one._state.adding else one for one in linked)

    def validate_unique(self):
        """Replaces Django's check, whose message does not name the row."""
        rows: dict[tuple, int] = {}
        for number, form in enumerate(self.forms, 1):
            if is_removed(form) or not form.cleaned_data or form.conflict:
                continue
            linked = [one for one in self.linked_records(form) if one is not None]
            if len(linked) < len(self.link_fields):
                continue
            first = rows.setdefault(self.key_of(linked), number)
            if first != number:
                self.add_duplicate_error(form, f"is already in row {first}")

    def add_duplicate_error(self, form, problem: str) -> None:
        """Replace the row's non-field errors by a message about the duplicate."""
        linked = " as ".join(map(str, self.linked_records(form)))
        labels = [str(self.model._meta.get_field(n).verbose_name) for n in self.link_fields]
        form.errors[NON_FIELD_ERRORS] = self.error_class(
            [f"{linked} {problem}: choose another {' or '.join(labels)}, or remove this row."],
            error_class="nonfield",
            renderer=self.renderer,  # type: ignore[attr-defined]  # not in the stubs
        )
