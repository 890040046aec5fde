"""Conditions on what facts hold of pipelines."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from math import ceil, floor
from operator import or_
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.db.models import (
    Aggregate,
    BooleanField,
    ExpressionWrapper,
    FloatField,
    Q,
    QuerySet,
    Sum,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from oegen.core import clock
from pipelines import attention, baselines
from pipelines.choices import RAG, Reason
from pipelines.querysets.codes import (
    ANY_FINDING,
    ANY_REASON,
    BETTER,
    IN_TIME,
    NO_DATE,
    NO_FACILITY,
    ON_COURSE,
    OPEN,
    OVERDUE,
)
from pipelines.querysets.exact import KILO
from pipelines.querysets.facility import Keys, of_technology
from pipelines.querysets.state import (
    IS_COMPLETED,
    IS_OPEN,
    is_overdue,
    not_confirmed_since,
    status_of,
)
from pipelines.stays import pipelines_with_result_sql

if TYPE_CHECKING:
    from pipelines.querysets.pipeline import PipelineQuerySet


class ConditionsQuerySet(QuerySet[Any]):
    """Pipelines, or the facts of the effective day, one of each pipeline: both have the columns of
    pipelines.querysets.state."""

    #: The column with the pipeline's key.
    pipeline_key = "pk"

    def _in(self, keys: Keys) -> dict[str, Keys]:
        """The lookup for pipelines with one of the keys."""
        return {f"{self.pipeline_key}__in": keys}

    def _among(self, keys: Keys) -> Self:
        return self.filter(**self._in(keys))

    def pipelines(self) -> PipelineQuerySet:
        """The pipelines with these rows."""
        raise NotImplementedError

    def pipeline_keys(self) -> QuerySet[Any, Any]:
        """The keys of these pipelines, each once, as rows."""
        return self.order_by().values_list(self.pipeline_key).distinct()

    def with_sold_ready(self) -> Self:
        """Adds ``is_sold_ready`` to each row: whether it was sold on or after its RTB date, and was
        not overdue on the day of the sale."""
        raise NotImplementedError

    def open(self) -> Self:
        """Outcome active, stage not terminal, not on hold."""
        return self.filter(IS_OPEN)

    def with_status(self) -> Self:
        """Adds ``status`` to each row: a stage's code, ``HELD``, or the outcome that ended it."""
        return self.annotate(status=status_of())

    def of_status(self, *codes: str) -> Self:
        """Any of the codes that ``with_status`` gives, and ``OPEN``."""
        if codes == (OPEN,):
            return self.open()
        condition = Q(status__in=[code for code in codes if code != OPEN])
        return self.with_status().filter(condition | IS_OPEN if OPEN in codes else condition)

    def with_overdue(self, today: date | None = None) -> Self:
        """Adds ``is_overdue`` to each row."""
        return self.annotate(is_overdue=ExpressionWrapper(is_overdue(today), BooleanField()))

    def of_rtb(self, *codes: str, today: date | None = None) -> Self:
        """Any of the codes ``OVERDUE``, ``IN_TIME``, ``NO_DATE`` and ``ON_COURSE``. The last stands
        for RTB dates reached or scheduled: open and not overdue, completed with a date in the past,
        or sold when ready to build."""
        dated = Q(rtb_date__isnull=False)
        in_time = dated & Q(is_overdue=False)
        done = IS_COMPLETED & Q(rtb_date__lte=today or clock.today())
        conditions = {
            OVERDUE: Q(is_overdue=True),
            IN_TIME: in_time,
            ON_COURSE: IS_OPEN & in_time | done | Q(is_sold_ready=True),
            NO_DATE: ~dated,
        }
        found = self.with_overdue(today)
        if ON_COURSE in codes:
            found = found.with_sold_ready()
        return found.filter(reduce(or_, [conditions[code] for code in codes]))

    def later_than_baseline(self, days: int) -> Self:
        """With an RTB date at least so many days after its baseline."""
        late = baselines.dated_facts().filter(days_late__gte=days)
        return self._among(late.values("pipeline_id"))

    def open_on(self, day: date, rag: str | None = None, stage: str = "") -> Self:
        """Open at the end of that day and, with ``rag``, of that rating then ("": not rated), with
        ``stage`` in the stage with that code."""
        facts = self._open_facts(day)
        if stage:
            facts = facts.filter(stage__code=stage)
        if rag is not None:
            facts = facts.filter(rag_status=rag)
        return self._among(facts.values("pipeline_id"))

    def re_rated(self, since: date, direction: str) -> Self:
        """Open now and at the end of that day, and rated ``WORSE`` or ``BETTER`` than then."""
        order = [RAG.GREEN, RAG.AMBER, RAG.RED]
        if direction == BETTER:
            order.reverse()
        moved = reduce(
            or_,
            (
                Q(
                    rag_status=rag,
                    **self._in(
                        self._open_facts(since)
                        .filter(rag_status__in=order[:place])
                        .values("pipeline_id")
                    ),
                )
                for place, rag in enumerate(order)
                if place
            ),
        )
        return self.open().filter(moved)

    @staticmethod
    def _open_facts(day: date) -> QuerySet[Any]:
        facts: QuerySet[Any] = apps.get_model("pipelines", "Fact").objects.at(clock.end_of(day))
        return facts.filter(IS_OPEN, is_first=True).order_by()

    @staticmethod
    def _facts() -> QuerySet[Any]:
        """The facts of the effective day. What they hold of facilities is read here, because on a
        past day the tables of links and facilities would be made first."""
        facts: QuerySet[Any] = apps.get_model("pipelines", "Fact").objects.now()
        return facts.order_by()

    def of_technology(self, *codes: str) -> Self:
        """With a facility of any of the technologies, see the function ``of_technology``; the code
        ``NO_FACILITY`` stands for pipelines without a facility."""
        technologies = (
            apps.get_model("pipelines", "Technology")
            .objects.order_by()
            .filter(of_technology(*(code for code in codes if code != NO_FACILITY), path=""))
        )
        # Their keys, of which PostgreSQL knows how many facts have them, as it does not of codes.
        condition = Q(technology__in=list(technologies.values_list("pk", flat=True)))
        if NO_FACILITY in codes:
            condition |= Q(facility_id=None)
        return self._with_fact(condition)

    def _with_fact(self, condition: Q) -> Self:
        """Pipelines with a fact that meets the condition."""
        return self._among(self._facts().filter(condition).values("pipeline_id"))

    def _where_facts(self, condition: Q, **aggregates: Aggregate) -> Self:
        """Pipelines of whose facts these aggregates meet the condition."""
        found = self._facts().values("pipeline_id").alias(**aggregates).filter(condition)
        return self._among(found)

    def with_stage_result(self, stage: str, result: str) -> Self:
        """Pipelines with this result in the stage with this code; see stays.py."""
        return self._among(RawSQL(pipelines_with_result_sql(result), [stage]))  # noqa: S611

    def in_country(self, *codes: str) -> Self:
        """With a facility in one of the countries."""
        return self._with_fact(Q(country__in=codes))

    def not_confirmed_since(self, moment: datetime) -> Self:
        """Open, with a rating that nobody has set or confirmed from ``moment`` on."""
        return self.filter(not_confirmed_since(moment))

    def needing_attention(self, *reasons: str) -> Self:
        """Open, with one of the reasons, codes of pipelines.choices.Reason; ``ANY_REASON`` stands
        for all of them."""
        sql, params = attention.attention_sql()
        wanted = attention.has_any(Reason if ANY_REASON in reasons else map(Reason, reasons))
        keys = f"SELECT pipeline_id FROM ({sql}) AS attention WHERE {wanted}"  # noqa: S608
        return self._among(RawSQL(keys, params))  # noqa: S611

    def with_findings_of(self, *kinds: str) -> Self:
        """Of which a public register says something of these kinds otherwise, codes of
        pipelines.choices.FindingKind; ``ANY_FINDING`` stands for all of them."""
        found = self._findings()
        if ANY_FINDING not in kinds:
            found = found.filter(kind__in=kinds)
        return self._among(found.order_by().values("pipeline_id"))

    @staticmethod
    def _findings() -> QuerySet[Any]:
        found: QuerySet[Any] = apps.get_model("pipelines", "RegisterFinding").objects.now()
        return found

    def of_capacity(self, at_least: Decimal | None = None, at_most: Decimal | None = None) -> Self:
        """By ``capacity_mw`` of ``with_capacity``; an unknown capacity is in no range."""
        condition = Q()
        if at_least is not None:
            condition &= Q(capacity__gte=ceil(at_least * KILO))
        if at_most is not None:
            condition &= Q(capacity__lte=floor(at_most * KILO))
        # As floating point, which adds whole numbers exactly, because PostgreSQL adds BIGINT up to
        # NUMERIC, which takes twice as long.
        return self._where_facts(condition, capacity=Sum(Cast("kw", FloatField())))
