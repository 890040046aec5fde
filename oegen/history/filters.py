"""The filters of the audit page."""

import django_filters
from django.core.exceptions import ValidationError
from django.utils.text import capfirst

from oegen import audit
from oegen.audit.changesets import ChangeSet
from oegen.history.trail import THE_SYSTEM, Trail
from oegen.pages.filters import DayFilter, FilterForm, NameFilter, PageFilterSet, WholeNumberFilter
from oegen.pages.selection import NOTHING, Selection, SelectionFilter
from oegen.people.models import User

ACTIONS = {"added": audit.CREATED, "changed": audit.CHANGED, "removed": audit.REMOVED}


def person_choices() -> list[tuple[str, str]]:
    """The users who have changed anything, by name."""
    people = User.objects.filter(pk__in=ChangeSet.objects.recorded().order_by().values("person"))
    named = sorted(((str(one.pk), str(one)) for one in people), key=lambda choice: choice[1])
    return [(THE_SYSTEM, "The system"), *named]


def type_choices() -> list[tuple[str, str]]:
    return [
        (str(model._meta.model_name), capfirst(str(model._meta.verbose_name_plural)))
        for model in audit.tracked_models()
    ]


def field_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """The fields, grouped by model; values are such as “pipeline.stage”."""
    return [
        (
            capfirst(str(model._meta.verbose_name_plural)),
            [
                (f"{model._meta.model_name}.{field.name}", capfirst(str(field.verbose_name)))
                for field in model._meta.concrete_fields
                if field.name not in model.BOOKKEEPING
            ],
        )
        for model in audit.tracked_models()
    ]


def model_by_name(name: str):
    return next(model for model in audit.tracked_models() if model._meta.model_name == name)


#: Filters that include entries of migrations, which are excluded by default: on a new site they
#: would hide the others.
INCLUDE_SET_UP = {"set_up", "source", "type", "field", "name", "change_set"}


class AuditForm(FilterForm):
    def clean(self):
        values = super().clean()
        kinds, field = values.get("type"), values.get("field")
        if kinds and field and not kinds.allows(field.partition(".")[0]):
            plural = model_by_name(field.partition(".")[0])._meta.verbose_name_plural
            self.add_error(
                "field",
                ValidationError(f"That is a field of {plural}: choose these as type, or any type."),
            )
        return values


class AuditFilter(PageFilterSet):
    """Filters a Trail instead of a queryset, because each model has its own history table."""

    primary = ("name", "person", "type", "since", "until")
    ranges = (("since", "until"),)
    form_class = AuditForm

    name = NameFilter("Record name")
    person = SelectionFilter("Person", person_choices, empty_label="Anybody", has_counts=False)
    type = SelectionFilter("Type", type_choices, empty_label="Any type", has_counts=False)
    since = DayFilter("since", "gte", "From")
    until = DayFilter("until", "lte", "Until")
    action = SelectionFilter(
        "Action",
        [(name, capfirst(name)) for name in ACTIONS],
        empty_label="Any action",
        has_counts=False,
    )
    field = django_filters.ChoiceFilter(
        label="Field changed", choices=field_choices, empty_label="Any field"
    )
    source = SelectionFilter(
        "Source",
        [(value, capfirst(label)) for value, label in audit.Source.choices],
        empty_label="Any source",
        has_counts=False,
    )
    set_up = django_filters.ChoiceFilter(
        label="Set-up of the database", choices=[("shown", "Shown")], empty_label="Left out"
    )
    reason = NameFilter("Reason")
    change_set = WholeNumberFilter("change_set", "exact", "Change set", example=12)

    class Meta:
        model = ChangeSet
        fields: list[str] = []

    @property
    def qs(self) -> Trail:
        if not self.is_bound:
            return Trail(without_set_up=True)
        values = {name: value for name, value in self.form.cleaned_data.items() if value}
        kind, _, field = values.get("field", "").partition(".")
        kinds = Selection((kind,)) if kind else values.get("type", NOTHING)
        models = tuple(
            model for model in audit.tracked_models() if kinds.allows(str(model._meta.model_name))
        )
        action = values.get("action", NOTHING)
        # Including and excluding the same action matches nothing.
        allowed = tuple(kind for name, kind in ACTIONS.items() if action.allows(name) and models)
        return Trail(
            models=models or None,
            field=field,
            kinds=allowed if action or not models else None,
            people=values.get("person", NOTHING),
            sources=values.get("source", NOTHING),
            since=values.get("since"),
            until=values.get("until"),
            reason=values.get("reason", ""),
            name=values.get("name", ""),
            without_set_up=not values.keys() & INCLUDE_SET_UP,
            number=int(values["change_set"]) if "change_set" in values else None,
        )

    @staticmethod
    def value_label(bound, value: str) -> str:
        if bound.name == "field":
            labels = {
                code: f"{label} of {group.lower()}"
                for group, choices in field_choices()
                for code, label in choices
            }
            return labels.get(value, value)
        return PageFilterSet.value_label(bound, value)
