from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self

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
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat

from oegen import audit, search
from oegen.asof import table
from oegen.core import sql
from pipelines import attention, baselines
from pipelines.choices import CapacityBasis, Outcome
from pipelines.querysets.capacity import FIGURES, SUMS_OF_FIGURES, Capacity
from pipelines.querysets.codes import (
    ON_COURSE,
)
from pipelines.querysets.conditions import ConditionsQuerySet
from pipelines.querysets.facility import FacilityQuerySet, Keys
from pipelines.querysets.shares import SharesQuerySet, probability_of
from pipelines.querysets.state import (
    IS_ACTIVE,
    IS_COMPLETED,
    IS_ON_HOLD,
    is_overdue,
    is_past_rtb,
    is_sold_ready,
    not_confirmed_since,
    state_of,
)

if TYPE_CHECKING:
    from oegen.audit.audited import AuditedModel


class PipelineQuerySet(SharesQuerySet, ConditionsQuerySet):  # type: ignore[override]  # as_manager
    def pipelines(self) -> Self:
        return self

    def active(self) -> Self:
        """Not withdrawn, refused or sold; may be on hold or completed."""
        return self.filter(IS_ACTIVE)

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

    def in_region(self, text: str) -> Self:
        """With a facility whose region contains the text."""
        links = self.model.facilities.through.objects.filter(pipeline=OuterRef("pk"))
        return self.filter(Exists(links.filter(facility__region__icontains=text)))

    def matching(self, text: str) -> Self:
        """Search: with every word of the text in one of SEARCH_FIELDS, or in the name of a
        facility or counterparty."""
        return search.matching(self, text, names_of=("facilities", "counterparties"))

    def with_search_facts(self) -> Self:
        facilities = self._facilities().prefetch_related("technology")
        return (
            self.select_related("stage")
            .with_capacity()
            .prefetch_related(Prefetch("facilities", facilities, to_attr="listed_facilities"))
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

    def with_unconfirmed(self, moment: datetime) -> Self:
        """Adds ``is_unconfirmed`` to each row: whether ``not_confirmed_since`` includes it."""
        condition = ExpressionWrapper(not_confirmed_since(moment), BooleanField())
        return self.annotate(is_unconfirmed=condition)

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

    def capacity_sums(self, keys: Keys) -> QuerySet[Any, Any]:
        """One row with the sums of the pipelines with these keys, for ``capacity_of``."""
        return self._facilities().in_pipelines(keys).in_one_row()

    capacity_of = staticmethod(FacilityQuerySet.capacity_of)

    def with_capacity(self) -> Self:
        """Adds ``capacity_mw`` to each row: its facilities' sum, mixed bases, None if unknown.

        For showing and sorting rows. Never add these up, because facilities can be shared.
        """
        return self.annotate(capacity_mw=self._own_capacity())

    def with_storage(self) -> Self:
        """Adds ``storage_mw`` to each row: the storage part of its MW (AC)."""
        is_storage = Q(
            facility__technology__is_storage=True,
            facility__technology__capacity_basis=CapacityBasis.AC,
        )
        return self.annotate(storage_mw=self._own_sum("capacity_mw", is_storage))
