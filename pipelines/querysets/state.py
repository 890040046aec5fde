"""Expressions for the state of a pipeline or of a fact: both have the columns ``stage``,
``outcome``, ``on_hold``, ``rtb_date`` and ``rag_confirmed_at``."""

from __future__ import annotations

from datetime import date, datetime

from django.apps import apps
from django.db.models import (
    Case,
    CharField,
    Expression,
    F,
    Func,
    IntegerField,
    Q,
    Subquery,
    Value,
    When,
)

from oegen.core import clock
from pipelines.choices import Outcome
from pipelines.querysets.codes import DONE, ENDED, HELD, NO_DATE, OPEN, OVERDUE
from pipelines.reference import CONSTRUCTION

IS_ACTIVE = Q(outcome=Outcome.ACTIVE)
IS_COMPLETED = IS_ACTIVE & Q(stage__is_terminal=True)
IS_ON_HOLD = IS_ACTIVE & Q(stage__is_terminal=False, on_hold=True)
IS_OPEN = IS_ACTIVE & Q(stage__is_terminal=False, on_hold=False)


class _Year(Func):
    """The year of a date as text. Django's ExtractYear calls Python for each row on SQLite."""

    function = "to_char"
    template = "%(function)s(%(expressions)s, 'YYYY')"
    output_field = CharField()

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(
            compiler, connection, template="substr(%(expressions)s, 1, 4)", **context
        )


def as_number(condition: Q) -> Expression:
    """1 where the condition holds, else 0: SQLite and PostgreSQL differ in their booleans."""
    if not condition:
        return Value(1, output_field=IntegerField())
    return Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField())


def not_confirmed_since(moment: datetime) -> Q:
    """Open, with a rating that was last confirmed before ``moment``, or never."""
    return IS_OPEN & (Q(rag_confirmed_at=None) | Q(rag_confirmed_at__lt=moment))


def state_of() -> Case:
    """``OPEN``, ``HELD``, ``DONE`` or ``ENDED``."""
    return Case(
        When(IS_OPEN, then=Value(OPEN)),
        When(IS_ON_HOLD, then=Value(HELD)),
        When(IS_COMPLETED, then=Value(DONE)),
        default=Value(ENDED),
        output_field=CharField(),
    )


def status_of() -> Case:
    """A stage's code, ``HELD``, or the outcome that ended the project."""
    return Case(
        When(~Q(outcome=Outcome.ACTIVE), then=F("outcome")),
        When(on_hold=True, stage__is_terminal=False, then=Value(HELD)),
        default=F("stage__code"),
        output_field=CharField(),
    )


def rtb_bucket_of(today: date | None = None) -> Case:
    """``OVERDUE``, ``NO_DATE`` or the year as text."""
    return Case(
        When(rtb_date=None, then=Value(NO_DATE)),
        When(is_overdue(today), then=Value(OVERDUE)),
        default=_Year("rtb_date"),
        output_field=CharField(),
    )


def is_overdue(today: date | None = None) -> Q:
    """Open, RTB date before ``today``, and the stage still before Construction."""
    return IS_OPEN & Q(
        rtb_date__isnull=False,
        rtb_date__lt=today or clock.today(),
        stage__order__lt=_order_of_construction(),
    )


def is_past_rtb(prefix: str = "") -> Q:
    """In Construction or later; ``prefix`` is a lookup that leads to the pipeline."""
    return Q(**{f"{prefix}stage__order__gte": _order_of_construction()})


def is_sold_ready(sold_on: str) -> Q:
    """Sold on the day in the column ``sold_on``, on or after the RTB date, and not overdue then."""
    in_time = Q(rtb_date=F(sold_on)) | is_past_rtb()
    return Q(outcome=Outcome.SOLD, rtb_date__lte=F(sold_on)) & in_time


def _order_of_construction() -> Subquery:
    stages = apps.get_model("pipelines", "Stage").objects
    return Subquery(stages.filter(code=CONSTRUCTION).values("order")[:1])
