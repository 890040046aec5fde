"""Conditions in SQL on the times at which facts are valid."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from oegen.core.sql import Values, adapted
from pipelines.facts.intervals import FOREVER


class Span(NamedTuple):
    """A condition on the times at which facts are valid."""

    sql: str
    params: Values


def valid_at(moment: datetime | None) -> Span:
    """The facts right before that time; None: the current ones."""
    if moment is None:
        return _span("valid_until = %s", FOREVER)
    return _span("valid_from < %s AND valid_until >= %s", moment, moment)


def begun_since(moment: datetime, until: datetime | None = None) -> Span:
    """The facts right before ``until``, or the current ones, that were not there right before the
    moment."""
    now = valid_at(until)
    return Span(f"valid_from >= %s AND {now.sql}", adapted(moment) + now.params)


def ended_since(moment: datetime, until: datetime | None = None) -> Span:
    """The facts right before the moment that are not there right before ``until``, or not
    current."""
    then = valid_at(moment)
    return Span(f"{then.sql} AND valid_until < %s", then.params + adapted(until or FOREVER))


def _span(sql: str, *moments: datetime) -> Span:
    return Span(sql, adapted(*moments))
