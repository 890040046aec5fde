"""What every lookup has: who asks, how arguments are read, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.formats import date_format

from dashboard.ask.findings import Findings, Found
from oegen import asof
from oegen.core import clock
from oegen.models import User
from oegen.pages.filters import PageFilterSet

#: The JSON schema of an object.
Schema = dict[str, Any]


class LookupRefusedError(Exception):
    """A lookup can't be done as asked; the text says why and what would be right."""


@dataclass(frozen=True)
class Asker:
    """Who asks, and from where. ``as_of`` is the past day of the page, None for today; ``page`` is
    the address of the page. Only with ``may_read_personal`` do lookups give contacts, comments and
    people's names."""

    person: User
    as_of: date | None = None
    page: str = ""
    may_read_personal: bool = False

    def request(self, query: str | QueryDict = "") -> HttpRequest:
        """A request of the person, for filter sets and list pages. It is a GET without a session:
        nothing can be written through it."""
        request = HttpRequest()
        request.method = "GET"
        request.user = self.person
        request.GET = QueryDict(query) if isinstance(query, str) else query
        return request

    @contextmanager
    def reading(self, day: date | None = None) -> Iterator[None]:
        """Read as of the day, by default the page's."""
        day = day or self.as_of
        if day is None or day == clock.today():
            yield
            return
        if day == timezone.localdate() and clock.past_day() is None:
            yield
            return
        with asof.as_of(day):
            yield

    def require_personal(self, what: str) -> None:
        """Raises LookupRefusedError unless the asker may read what names people."""
        if not self.may_read_personal:
            raise LookupRefusedError(
                f"{what} name people, and this access has no scope for personal data."
            )


class AnyOrNone(forms.Field):
    """The filters: a query string, or an object of parameters and values; None for none."""

    def clean(self, value: Any) -> QueryDict:
        if value in (None, ""):
            return QueryDict()
        if isinstance(value, str):
            return QueryDict(value.lstrip("?"))
        if isinstance(value, QueryDict):
            return value
        if not isinstance(value, Mapping):
            raise ValidationError("Give the filters as an object, or as the query of an address.")
        query = QueryDict(mutable=True)
        for name, given in value.items():
            values = given if isinstance(given, list | tuple) else [given]
            query.setlist(str(name), [str(one) for one in values if one not in (None, "")])
        return query


class Arguments(forms.Form):
    """The arguments of a lookup. Empty texts and nulls are those that were left out."""

    def cleaned(self) -> dict[str, Any]:
        """Raises LookupRefusedError with the first problem."""
        unknown = [name for name in self.data if name not in self.fields]
        if unknown:
            known = ", ".join(self.fields) or "none"
            raise LookupRefusedError(
                f"There is no argument “{unknown[0]}” here; there are: {known}."
            )
        if not self.is_valid():
            name, [problem, *_] = next(iter(self.errors.items()))
            raise LookupRefusedError(f"{name}: {problem}")
        return self.cleaned_data


class PastDayField(forms.DateField):
    """A day up to today, in ISO form."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            required=False,
            input_formats=["%Y-%m-%d"],
            error_messages={"invalid": "Give a day as year-month-day, such as 2027-03-14."},
            **kwargs,
        )

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and not asof.FIRST_DAY <= value <= timezone.localdate():
            raise ValidationError(
                f"Give a day from {date_format(asof.FIRST_DAY)} to "
                f"{date_format(timezone.localdate())}."
            )


@dataclass(frozen=True)
class Lookup:
    """``read`` takes the cleaned arguments, the asker and the findings to number on. ``schema``
    gives the JSON schema of the arguments, with the choices that there are today."""

    name: str
    description: str
    arguments: type[Arguments]
    read: Callable[[dict[str, Any], Asker, Findings], Found]
    schema: Callable[[Asker], Schema] = field(repr=False)


def valid_filters(
    filterset_class: type[PageFilterSet],
    query: QueryDict,
    asker: Asker,
    queryset: Any,
    others: Iterable[str] = (),
) -> PageFilterSet:
    """The filter set of the query. ``others`` are further parameters that it may have. Raises
    LookupRefusedError for a parameter or value that the page would not take."""
    filterset = filterset_class(query, queryset=queryset, request=asker.request(query))
    known = {*filterset.parameters, *others}
    for name in query:
        if name not in known:
            raise LookupRefusedError(
                f"There is no filter “{name}” here; there are: {', '.join(sorted(known))}."
            )
    if not filterset.is_valid():
        name, [problem, *_] = next(iter(filterset.errors.items()))
        raise LookupRefusedError(f"{name}: {problem}")
    return filterset


def sorted_query(query: QueryDict | Mapping[str, list[str]]) -> str:
    """The parameters in alphabetical order, as readings have them."""
    pairs = query.lists() if isinstance(query, QueryDict) else query.items()
    found = QueryDict(mutable=True)
    for name, values in sorted(pairs):
        found.setlist(name, values)
    return found.urlencode(safe=",~: ").replace(" ", "+")


def in_words(filterset: PageFilterSet) -> str:
    """The filters as the page's chips have them: “Technology Solar, Country Spain”."""
    return ", ".join(f"{chip.label} {chip.text}" for chip in filterset.chips())


def plain_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The cleaned arguments as they can be stored, without those that were left out."""
    plain: dict[str, Any] = {}
    for name, value in arguments.items():
        if isinstance(value, QueryDict):
            value = value.urlencode()
        elif isinstance(value, tuple):
            value = ",".join(value)
        elif isinstance(value, date):
            value = str(value)
        if value:
            plain[name] = value
    return plain
