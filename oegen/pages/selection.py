"""Filters that take several choices: any of some, and none of others.

In the address each choice is a parameter of its own, ``?status=design&status=construction``, and
``?status__not=completed`` leaves one out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString

#: What stands behind a filter's name for the choices that are left out.
NOT = "__not"

#: Code of the choice that stands for every other, for pages that start with fewer.
ALL = "all"

#: Values read of one filter; nobody ticks so many.
MOST_VALUES = 300


@dataclass(frozen=True)
class Selection:
    """Codes of choices: a record has to have one of the ``included``, if there are any, and none
    of the ``excluded``. False where nothing is chosen."""

    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.included or self.excluded)

    def allows(self, code: str) -> bool:
        return (not self.included or code in self.included) and code not in self.excluded

    @classmethod
    def from_data(cls, data, name: str) -> Selection:
        return cls(values_of(data, name), values_of(data, f"{name}{NOT}"))


#: Where nothing is chosen.
NOTHING = Selection()


def values_of(data, name: str) -> tuple[str, ...]:
    """The values of a parameter that are not empty, each once, in their order."""
    values = data.getlist(name) if hasattr(data, "getlist") else [data.get(name)]
    return tuple(dict.fromkeys(value for value in values[:MOST_VALUES] if value))


@dataclass(frozen=True)
class Choice:
    """A choice in a filter's panel. ``group`` is the heading it stands under; ``parts`` are the
    codes of choices that it includes, so that ticking one of them takes the place of it."""

    code: str
    label: str
    group: str = ""
    parts: tuple[str, ...] = ()
    is_included: bool = False
    is_excluded: bool = False


class SelectionWidget(forms.Widget):
    """A button that opens a panel of check boxes, two for each choice: it, and not it."""

    template_name = "oegen/parts/selection.html"
    field: SelectionField

    def value_from_datadict(self, data, files, name) -> Selection:
        return Selection.from_data(data, name)

    def render(self, name, value, attrs=None, renderer=None) -> SafeString:
        context = {
            "name": name,
            "not_name": f"{name}{NOT}",
            "id": (attrs or {}).get("id", f"id_{name}"),
            "is_wrong": "aria-invalid" in (attrs or {}),
            "all": ALL,
            "has_counts": self.field.has_counts,
            "summary": self.field.summary(value),
            "choices": [
                replace(
                    one,
                    is_included=one.code in value.included,
                    is_excluded=one.code in value.excluded,
                )
                for one in self.field.choices
            ],
        }
        return render_to_string(self.template_name, context)


class SelectionField(forms.Field):
    """Cleaned to a Selection.

    ``choices`` is a list of Choices or of (code, label), or a function that gives one; in the
    place of a label may stand a list of such pairs, under the heading that is its first.
    """

    widget = SelectionWidget
    is_selection = True
    default_error_messages = {
        "invalid_choice": "There is no “%(value)s” here: choose one from the list."
    }

    def __init__(self, *, choices, empty_label: str, has_counts: bool = True, **kwargs):
        self._given_choices = choices
        self.empty_label = empty_label
        self.has_counts = has_counts
        super().__init__(**{"initial": NOTHING, **kwargs})

    def __deepcopy__(self, memo):
        field = super().__deepcopy__(memo)  # type: ignore[misc]  # not in the stubs
        field.widget.field = field
        return field

    @cached_property
    def choices(self) -> list[Choice]:
        given = self._given_choices
        return list(_as_choices(given() if callable(given) else given))

    @cached_property
    def labels(self) -> dict[str, str]:
        return {one.code: one.label for one in self.choices}

    def clean(self, value: Selection) -> Selection:
        for code in (*value.included, *value.excluded):
            if code not in self.labels:
                raise ValidationError(
                    self.error_messages["invalid_choice"], "invalid_choice", {"value": code}
                )
        return value

    def summary(self, selection: Selection) -> str:
        """What is chosen, for the button that opens the panel."""
        words = [self.labels.get(code, code) for code in selection.included]
        words += [f"not {self.labels.get(code, code)}" for code in selection.excluded]
        return ", ".join(words) or self.empty_label


def _as_choices(given: Iterable, group: str = "") -> Iterator[Choice]:
    for one in given:
        if isinstance(one, Choice):
            yield one
        elif isinstance(one[1], str | Promise):
            yield Choice(str(one[0]), str(one[1]), group)
        else:
            yield from _as_choices(one[1], str(one[0]))


class SelectionFilter(django_filters.Filter):
    """Picks records by several choices.

    ``select`` names the queryset's method that narrows it to the records with one of the codes, and
    ``pick`` the filter set's where that has to know more; without either the field of the filter's
    name holds the code itself.

    ``group_by`` is a path whose values are codes, or an annotation that ``annotate`` adds: so all
    choices are counted in one grouping, but those of which ``is_combined`` is true.
    """

    field_class = SelectionField

    def __init__(
        self,
        label: str,
        choices,
        *,
        select: str = "",
        pick: str = "",
        group_by: str = "",
        annotate: Callable[[QuerySet], QuerySet] = lambda records: records,
        is_combined: Callable[[str], bool] = lambda code: False,
        **kwargs,
    ):
        self._select = select
        self._pick = pick
        self._group_by = group_by
        self._annotate = annotate
        self._is_combined = is_combined
        super().__init__(label=label, choices=choices, **kwargs)

    def filter(self, queryset, selection: Selection | None):
        if not selection:
            return queryset
        if selection.included and ALL not in selection.included:
            queryset = self.pick(queryset, selection.included)
        if selection.excluded:
            others = self.pick(queryset.model._default_manager.order_by(), selection.excluded)
            # Not NOT IN, whose list PostgreSQL may walk once for each row.
            queryset = queryset.filter(~Exists(others.filter(pk=OuterRef("pk"))))
        return queryset

    def pick(self, records: QuerySet, codes: Iterable[str]) -> QuerySet:
        """Those of the records with one of the codes, whether or not they have others too."""
        if self._select:
            return getattr(records, self._select)(*codes)
        if self._pick:
            return getattr(self.parent, self._pick)(records, codes)
        return records.filter(**{f"{self.field_name}__in": codes})

    def counts(self, records: QuerySet, codes: Iterable[str]) -> dict[str, int]:
        """How many of the records there are with each code, in a number of queries that depends
        on the codes alone."""
        records = records.order_by()
        grouped = None
        if self._group_by:
            rows = self._annotate(records).values_list(self._group_by)
            grouped = dict(rows.annotate(Count("pk", distinct=True)))
        counts = {}
        for code in codes:
            if code == ALL:
                counts[code] = records.count()
            elif grouped is None or self._is_combined(code):
                counts[code] = self.pick(records, [code]).count()
            else:
                counts[code] = grouped.get(code, 0)
        return counts
