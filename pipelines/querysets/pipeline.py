from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from math import ceil, floor
from operator import or_
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import (
    BooleanField,
    Case,
    Count,
    DateField,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat

from oegen import audit, search
from oegen.asof import table
from oegen.core import clock, sql
from pipelines import attention, baselines
from pipelines.choices import RAG, CapacityBasis, Outcome, Reason
from pipelines.querysets.capacity import FIGURES, SUMS_OF_FIGURES, Capacity
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
from pipelines.querysets.facility import FacilityQuerySet, Keys, of_technology
from pipelines.querysets.shares import SharesQuerySet, probability_of
from pipelines.querysets.state import (
    IS_ACTIVE,
    IS_COMPLETED,
    IS_ON_HOLD,
    IS_OPEN,
    is_overdue,
    is_past_rtb,
    is_sold_ready,
    not_confirmed_since,
    state_of,
    status_of,
)
from pipelines.stays import pipelines_with_result_sql

if TYPE_CHECKING:
    from oegen.audit.audited import AuditedModel


class PipelineQuerySet(SharesQuerySet):
    def active(self) -> Self:
        """Not withdrawn, refused or sold; may be on hold or completed."""
        return self.filter(IS_ACTIVE)

    def open(self) -> Self:
        """Outcome active, stage not terminal, not on hold."""
        return self.filter(IS_OPEN)

    def on_hold(self) -> Self:
        return self.filter(IS_ON_HOLD)

    def completed(self) -> Self:
        return self.filter(IS_COMPLETED)

    def with_state(self) -> Self:
        """Adds ``state`` to each row: ``OPEN``, ``HELD``, ``DONE`` or ``ENDED``."""
        return self.annotate(state=state_of())

    def with_probability(self, today: date | None = None) -> Self:
        """Adds ``probability``, in %, to each row: its own until that expires, else its stage's,
        which may be None."""
        return self.annotate(probability=probability_of(today=today))

    def overdue(self, today: date | None = None) -> Self:
        """Open, RTB date before ``today``, and the stage still before Construction."""
        return self.filter(is_overdue(today))

    def with_overdue(self, today: date | None = None) -> Self:
        """Adds ``is_overdue`` to each row."""
        return self.annotate(is_overdue=ExpressionWrapper(is_overdue(today), BooleanField()))

    def with_past_rtb(self) -> Self:
        """Adds ``is_past_rtb`` to each row: whether it is in Construction or later."""
        return self.annotate(
            is_past_rtb=ExpressionWrapper(is_past_rtb(), output_field=BooleanField())
        )

    def _history(self) -> QuerySet[Any]:
        model: type[AuditedModel] = self.model
        history: QuerySet[Any] = audit.history_model(model).objects.all()
        return history

    def with_first_dates(self) -> Self:
        """Adds ``first_rtb_date`` and ``first_cod_date`` to each row: the first that were
        recorded."""
        return self.annotate(
            **{f"first_{name}": self._first_recorded(name) for name in ("rtb_date", "cod_date")}
        )

    def _first_recorded(self, name: str) -> Subquery:
        known = self._history().filter(id=OuterRef("pk"), **{f"{name}__isnull": False})
        return Subquery(known.order_by("history_date", "history_id").values(name)[:1])

    def with_baseline(self) -> Self:
        """Adds ``rtb_baseline`` and ``rtb_days_late`` to each row, see pipelines/baselines.py; None
        without an RTB date."""
        facts = baselines.dated_facts().filter(pipeline_id=OuterRef("pk"), is_first=True)
        return self.annotate(
            rtb_baseline=Subquery(facts.values("baseline")[:1]),
            rtb_days_late=Subquery(facts.values("days_late")[:1]),
        )

    def later_than_baseline(self, days: int) -> Self:
        """With an RTB date at least so many days after its baseline."""
        late = baselines.dated_facts().filter(days_late__gte=days)
        return self.filter(pk__in=late.values("pipeline_id"))

    def with_status(self) -> Self:
        """Adds ``status`` to each row: a stage's code, ``HELD``, or the outcome that ended it."""
        return self.annotate(status=status_of())

    def of_status(self, *codes: str) -> Self:
        """Any of the codes that ``with_status`` gives, and ``OPEN``."""
        if codes == (OPEN,):
            return self.open()
        condition = Q(status__in=[code for code in codes if code != OPEN])
        return self.with_status().filter(condition | IS_OPEN if OPEN in codes else condition)

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

    def on_course(self, today: date | None = None) -> Self:
        return self.of_rtb(ON_COURSE, today=today)

    def with_sold_ready(self) -> Self:
        """Adds ``is_sold_ready`` to each row: whether it was sold on or after its RTB date, and was
        not overdue on the day of the sale."""
        sales = self.model.transitions.rel.related_model.objects.filter(
            pipeline=OuterRef("pk"), outcome=Outcome.SOLD
        )
        sale = sales.order_by("-effective_on", "-recorded_at", "-pk").values("effective_on")[:1]
        # The Case keeps the subquery from running for projects that were not sold.
        sold_on = Case(When(outcome=Outcome.SOLD, then=Subquery(sale)), output_field=DateField())
        return self.alias(_sold_on=sold_on).annotate(
            is_sold_ready=ExpressionWrapper(is_sold_ready("_sold_on"), BooleanField())
        )

    def open_on(self, day: date, rag: str | None = None, stage: str = "") -> Self:
        """Open at the end of that day and, with ``rag``, of that rating then ("": not rated), with
        ``stage`` in the stage with that code."""
        facts = self._open_facts(day)
        if stage:
            facts = facts.filter(stage__code=stage)
        if rag is not None:
            facts = facts.filter(rag_status=rag)
        return self.filter(pk__in=facts.values("pipeline_id"))

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
                    pk__in=self._open_facts(since)
                    .filter(rag_status__in=order[:place])
                    .values("pipeline_id"),
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
        condition = of_technology(*(code for code in codes if code != NO_FACILITY))
        if NO_FACILITY in codes:
            condition |= Q(facility_id=None)
        return self.filter(pk__in=self._facts().filter(condition).values("pipeline_id"))

    def with_stage_result(self, stage: str, result: str) -> Self:
        """Pipelines with this result in the stage with this code; see stays.py."""
        return self.filter(pk__in=RawSQL(pipelines_with_result_sql(result), [stage]))  # noqa: S611

    def in_country(self, *codes: str) -> Self:
        """With a facility in one of the countries."""
        return self.filter(pk__in=self._facts().filter(country__in=codes).values("pipeline_id"))

    def in_region(self, text: str) -> Self:
        """With a facility whose region contains the text."""
        links = self.model.facilities.through.objects.filter(pipeline=OuterRef("pk"))
        return self.filter(Exists(links.filter(facility__region__icontains=text)))

    def matching(self, text: str) -> Self:
        """Search: with every word of the text in one of SEARCH_FIELDS, or in the name of a
        facility or counterparty."""
        return search.matching(self, text, names_of=("facilities", "counterparties"))

    def with_search_facts(self) -> Self:
        return (
            self.select_related("stage").with_capacity().prefetch_related("facilities__technology")
        )

    def count_by(self, bucket: str) -> dict[Any, int]:
        """The number of pipelines by the value of a field or annotation."""
        return dict(self.order_by().values_list(bucket).annotate(Count("pk")))

    def capacity_by(self, bucket: str) -> dict[str, Capacity]:
        """Capacity by the value of a field or annotation that is never null. Each facility counts
        once in every group it belongs to."""
        figures = [f"facility_links__facility__{name}" for name in FIGURES]
        facilities = self.order_by().filter(facility_links__isnull=False).distinct()
        columns = facilities.values_list(bucket, "facility_links__facility_id", *figures)
        try:
            figures_sql, params = columns.query.sql_with_params()
        except EmptyResultSet:
            return {}
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                f"""
                WITH figures (bucket, facility, mw, mwh, basis, is_storage) AS ({figures_sql})
                SELECT bucket, {SUMS_OF_FIGURES} FROM figures GROUP BY bucket
                """,  # noqa: S608 - SQL of our own
                params,
            )
            return {group: self.capacity_of(sums) for group, *sums in cursor.fetchall()}

    def not_confirmed_since(self, moment: datetime) -> Self:
        """Open, with a rating that nobody has set or confirmed from ``moment`` on."""
        return self.filter(not_confirmed_since(moment))

    def with_unconfirmed(self, moment: datetime) -> Self:
        """Adds ``is_unconfirmed`` to each row: whether ``not_confirmed_since`` includes it."""
        condition = ExpressionWrapper(not_confirmed_since(moment), BooleanField())
        return self.annotate(is_unconfirmed=condition)

    def needing_attention(self, *reasons: str) -> Self:
        """Open, with one of the reasons, codes of pipelines.choices.Reason; ``ANY_REASON`` stands
        for all of them."""
        query, params = attention.attention_sql()
        wanted = attention.has_any(Reason if ANY_REASON in reasons else map(Reason, reasons))
        keys = f"SELECT pipeline_id FROM ({query}) AS attention WHERE {wanted}"  # noqa: S608
        return self.filter(pk__in=RawSQL(keys, params))  # noqa: S611

    def with_reasons(self) -> Self:
        """Adds ``reason_codes`` to each row: codes of pipelines.choices.Reason, separated by
        spaces; empty or null if the pipeline needs no attention."""
        query, params = attention.attention_sql(pipeline=f"{table(self.model)}.id")
        codes = f"SELECT {attention.REASONS} FROM ({query}) AS attention"  # noqa: S608
        return self.annotate(reason_codes=RawSQL(f"({codes})", params, output_field=TextField()))  # noqa: S611

    def with_findings(self) -> Self:
        """Adds ``finding_texts`` to each row, what public registers say otherwise, in sentences,
        and ``finding_sources``, the attributions that their licences ask for; null if nothing."""
        licence = Concat("attribution", Value(" "), "licence_url", output_field=TextField())
        found = self._findings().annotate(licence=licence)
        return self.annotate(
            finding_texts=self._joined(found.order_by("pk").values("pipeline_id", "text"), "text"),
            finding_sources=self._joined(
                found.order_by().values("pipeline_id", "licence").distinct(), "licence"
            ),
        )

    def with_findings_of(self, *kinds: str) -> Self:
        """Of which a public register says something of these kinds otherwise, codes of
        pipelines.choices.FindingKind; ``ANY_FINDING`` stands for all of them."""
        found = self._findings()
        if ANY_FINDING not in kinds:
            found = found.filter(kind__in=kinds)
        return self.filter(pk__in=found.order_by().values("pipeline_id"))

    @staticmethod
    def _findings() -> QuerySet[Any]:
        found: QuerySet[Any] = apps.get_model("pipelines", "RegisterFinding").objects.now()
        return found

    def _joined(self, findings: QuerySet[Any], column: str) -> RawSQL:
        """The texts of the column of each pipeline's findings, one after the other."""
        query, params = findings.query.sql_with_params()
        texts = f"SELECT {sql.joined(column)} FROM ({query}) AS findings"  # noqa: S608
        return RawSQL(  # noqa: S611
            f"({texts} WHERE findings.pipeline_id = {table(self.model)}.id)",
            params,
            output_field=TextField(),
        )

    def facilities(self) -> FacilityQuerySet:
        found = self._facilities()
        query = self.query
        if not query.has_filters() and not query.is_sliced and not query.combinator:
            return found.in_any_pipeline()
        return found.in_pipelines(self._keys())

    def _facilities(self) -> FacilityQuerySet:
        return self.model._meta.get_field("facilities").related_model.objects

    def capacity(self) -> Capacity:
        """The total capacity: a facility in two of these pipelines counts once."""
        return self.facilities().capacity()

    def capacity_sums(self, keys: Keys) -> FacilityQuerySet:
        """One row with the sums of the pipelines with these keys, for ``capacity_of``."""
        return self._facilities().in_pipelines(keys)._in_one_row()

    capacity_of = staticmethod(FacilityQuerySet.capacity_of)

    def with_capacity(self) -> Self:
        """Adds ``capacity_mw`` to each row: its facilities' sum, mixed bases, None if unknown.

        For showing and sorting rows. Never add these up, because facilities can be shared.
        """
        return self.annotate(capacity_mw=self._own_capacity())

    def with_capacity_by_basis(self) -> Self:
        """Adds ``capacity_dc``, ``capacity_ac`` and ``storage_mwh`` to each row: the sums of its
        facilities, None if unknown."""
        dc = Q(facility__technology__capacity_basis=CapacityBasis.DC)
        return self.annotate(
            capacity_dc=self._own_sum("capacity_mw", dc),
            capacity_ac=self._own_sum("capacity_mw", ~dc),
            storage_mwh=self._own_sum("storage_mwh"),
        )

    def of_capacity(self, at_least: Decimal | None = None, at_most: Decimal | None = None) -> Self:
        """By ``capacity_mw`` of ``with_capacity``; an unknown capacity is in no range."""
        found = self._facts().values("pipeline_id").annotate(capacity=Sum("kw"))
        if at_least is not None:
            found = found.filter(capacity__gte=ceil(at_least * KILO))
        if at_most is not None:
            found = found.filter(capacity__lte=floor(at_most * KILO))
        return self.filter(pk__in=found.values("pipeline_id"))

    def with_storage(self) -> Self:
        """Adds ``storage_mw`` to each row: the storage part of its MW (AC)."""
        is_storage = Q(
            facility__technology__is_storage=True,
            facility__technology__capacity_basis=CapacityBasis.AC,
        )
        return self.annotate(storage_mw=self._own_sum("capacity_mw", is_storage))
