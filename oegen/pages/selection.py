"""Filters with several choices, each of which can be included or excluded.

In the query string each choice is one parameter: ``?status=design&status=construction``;
``?status__not=completed`` excludes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import EmptyResultSet, ValidationError
from django.db import connections
from django.db.models import Exists, OuterRef, QuerySet
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString

#: The suffix of the parameter for excluded choices.
NOT = "__not"

#: The code of the choice that includes all others, for pages with a default filter.
ALL = "all"

#: The maximum number of values that are read for one filter.
MAX_VALUES = 300


@dataclass(frozen=True)
class Selection:
    """The chosen codes: a record must match one of ``included``, unless that is empty, and none of
    ``excluded``. Falsy if both are empty."""

    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.included or self.excluded)

    def allows(self, code: str) -> bool:
        return (not self.included or code in self.included) and code not in self.excluded

    @classmethod
    def from_data(cls, data, name: str) -> Selection:
        return cls(values_of(data, name), values_of(data, f"{name}{NOT}"))


#: The empty selection.
NOTHING = Selection()


def values_of(data, name: str) -> tuple[str, ...]:
    """The non-empty values of a parameter, in order and without duplicates."""
    values = data.getlist(name) if hasattr(data, "getlist") else [data.get(name)]
    return tuple(dict.fromkeys(value for value in values[:MAX_VALUES] if value))


@dataclass(frozen=True)
class Choice:
    """A choice in a filter's panel. ``group`` is its heading. ``parts`` are the codes of choices
    that it comprises: ticking one of them replaces it."""

    code: str
    label: str
    group: str = ""
    parts: tuple[str, ...] = ()
    is_included: bool = False
    is_excluded: bool = False


class SelectionWidget(forms.Widget):
    """A button that opens a panel with two check boxes per choice: include and exclude."""

    template_name = "oegen/parts/selection.html"
    field: SelectionField

    def value_from_datadict(self, data, files, name) -> Selection:
        return Selection.from_data(data, name)

    def render(self, name, value, attrs=None, renderer=None) -> SafeString:
        return _render_panel(
            self.template_name,
            name=name,
            id=(attrs or {}).get("id", f"id_{name}"),
            is_wrong="aria-invalid" in (attrs or {}),
            has_counts=self.field.has_counts,
            summary=self.field.summary(value),
            choices=tuple(
                replace(
                    one,
                    is_included=one.code in value.included,
                    is_excluded=one.code in value.excluded,
                )
                for one in self.field.choices
            ),
        )


@lru_cache(maxsize=200)
def _render_panel(template_name: str, *, name: str, **context: Any) -> SafeString:
    """Most panels are the same on every page, and rendering them takes a tenth of a list's time."""
    context |= {"name": name, "not_name": f"{name}{NOT}", "all": ALL}
    return render_to_string(template_name, context)


class SelectionField(forms.Field):
    """A field that is cleaned to a Selection.

    ``choices`` is a list of Choices or of (code, label), or a function that returns one. As in
    Django, (heading, list of pairs) makes a group.
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
        self.widget.field = self

    @cached_property
    def choices(self) -> list[Choice]:
        choices = self._given_choices
        return list(_as_choices(choices() if callable(choices) else choices))

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
        """The label of the button: the chosen choices."""
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
    """Filters records by several choices.

    ``select`` is the name of a queryset method that filters by some of the codes; ``pick`` is that
    of a filter set method with the arguments (records, codes). Without them, the model field of the
    filter's name holds the code.

    ``group_by`` is a lookup path to the codes, or an annotation that ``annotate`` adds (arguments:
    records, filter set): with it all choices are counted in one query, except those for which
    ``is_combined`` is true. ``buckets`` are the values at the path of codes that differ from them.
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
        annotate: Callable[[QuerySet, Any], QuerySet] = lambda records, filters: records,
        buckets: Mapping[str, Any] | None = None,
        is_combined: Callable[[str], bool] = lambda code: False,
        **kwargs,
    ):
        self._select = select
        self._pick = pick
        self._group_by = group_by
        self._annotate = annotate
        self._buckets = buckets or {}
        self._is_combined = is_combined
        super().__init__(label=label, choices=choices, **kwargs)

    def filter(self, queryset, selection: Selection | None):
        if not selection:
            return queryset
        if selection.included and ALL not in selection.included:
            queryset = self.pick(queryset, selection.included)
        if selection.excluded:
            others = self.pick(queryset.model._default_manager.order_by(), selection.excluded)
            # Not NOT IN, whose list PostgreSQL may scan once per row.
            queryset = queryset.filter(~Exists(others.filter(pk=OuterRef("pk"))))
        return queryset

    def pick(self, records: QuerySet, codes: Iterable[str]) -> QuerySet:
        """The records with one of the codes."""
        if self._select:
            return getattr(records, self._select)(*codes)
        if self._pick:
            return getattr(self.parent, self._pick)(records, codes)
        return records.filter(**{f"{self.field_name}__in": codes})

    def counts(self, records: QuerySet, codes: Iterable[str]) -> dict[str, int]:
        """The number of records for each code. The number of queries depends only on the codes."""
        records = records.order_by()
        grouped = self._grouped(records) if self._group_by else None
        counts = {}
        for code in codes:
            if code == ALL:
                counts[code] = records.count()
            elif grouped is None or self._is_combined(code):
                counts[code] = self.pick(records, [code]).count()
            else:
                counts[code] = grouped.get(self._buckets.get(code, code), 0)
        return counts

    def _grouped(self, records: QuerySet) -> dict[Any, int]:
        """The number of records by the value at ``group_by``."""
        pairs = self._annotate(records, self.parent).values_list(self._group_by, "pk").distinct()
        try:
            sql, params = pairs.query.sql_with_params()
        except EmptyResultSet:
            return {}
        with connections[records.db].cursor() as cursor:
            # For COUNT(DISTINCT), PostgreSQL would sort the rows.
            cursor.execute(
                f"""
                WITH pairs (bucket, record) AS ({sql})
                SELECT bucket, COUNT(*) FROM pairs GROUP BY bucket
                """,  # noqa: S608 - SQL of our own
                params,
            )
            return dict(cursor.fetchall())
