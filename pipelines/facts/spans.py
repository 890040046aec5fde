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


def begun_since(moment: datetime) -> Span:
    """The current facts that were not there right before that time."""
    return _span("valid_from >= %s AND valid_until = %s", moment, FOREVER)


def ended_since(moment: datetime) -> Span:
    """The facts right before that time that are not current."""
    return _span(
        "valid_from < %s AND valid_until >= %s AND valid_until < %s", moment, moment, FOREVER
    )


def _span(sql: str, *moments: datetime) -> Span:
    return Span(sql, adapted(*moments))
