"""The pages of a pipeline and of a facility."""

from collections import defaultdict
from itertools import chain
from typing import Any

from django.utils.functional import cached_property

from counterparties.models import Counterparty, CounterpartyContact
from oegen.core import clock
from oegen.core.compiled import compiled, keep_related, one_of
from oegen.core.words import plain
from oegen.pages.records import RecordPage
from oegen.search.ordering import natural
from pipelines.choices import UNCONFIRMED_DAYS
from pipelines.milestones import MAY_EDIT_MILESTONES, milestones_of
from pipelines.models import Facility, Pipeline, PipelineCounterparty, StageTransition
from pipelines.querysets.capacity import Capacity


class PipelinePage(RecordPage):
    model = Pipeline
    section = "pipelines"

    def read(self, key):
        for pipeline in _pipeline(key=key):
            keep_related(pipeline, "facilities", _facilities(key=key))
            return pipeline
        return None

    @cached_property
    def counterparty_links(self):
        links = _counterparty_links(key=self.object.pk)
        people = defaultdict(list)
        for role in _roles_today(keys={link.counterparty_id for link in links}):
            people[role.counterparty_id].append(role)
        for link in links:
            link.counterparty.people = people[link.counterparty_id]
        return links

    @property
    def capacity(self):
        sums = _capacity(keys=[self.object.pk])
        return Pipeline.objects.all().capacity_of(sums[0]) if sums else Capacity()

    @cached_property
    def points(self):
        return _points(key=self.object.pk)

    @cached_property
    def milestones(self):
        return milestones_of(self.object)

    @cached_property
    def moves(self):
        return _moves(key=self.object.pk)

    def known_records(self):
        linked = [(link.counterparty, link.role) for link in self.counterparty_links]
        kinds = [*(row.kind for row in self.milestones.rows), *self.milestones.others]
        stages = [self.object.stage, *(move.stage for move in self.moves)]
        known = [*stages, *self.object.facilities.all(), *chain(*linked), *kinds]
        return [*super().known_records(), *known, *self.points]

    def get_context_data(self, **kwargs):
        pipeline = self.object
        return super().get_context_data(**kwargs) | {
            "unconfirmed_days": UNCONFIRMED_DAYS,
            "capacity": self.capacity,
            "points": self.points,
            "points_meta": pipeline.information_points.model._meta,
            "counterparty_links": self.counterparty_links,
            "places": places_of(pipeline.facilities.all()),
            "milestones": self.milestones,
            "may_edit_milestones": self.request.user.has_perms(MAY_EDIT_MILESTONES)
            and not clock.past_day(),
            "moves": self.moves,
        }


class FacilityPage(RecordPage):
    queryset = Facility.objects.select_related("technology")
    section = "facilities"

    def get_context_data(self, **kwargs):
        pipelines = self.object.pipelines.select_related("stage").with_capacity().with_overdue()
        return super().get_context_data(**kwargs) | {
            "pipelines": pipelines.order_by(natural("project_name")),
            "places": places_of([self.object]),
        }


def places_of(facilities) -> list[dict]:
    """The facilities with coordinates, for the small map of oegen/records.js."""
    return [
        {
            "name": facility.name,
            "size": _size(facility),
            "latitude": float(facility.latitude),
            "longitude": float(facility.longitude),
            "url": facility.get_absolute_url(),
        }
        for facility in facilities
        if facility.latitude is not None
    ]


def _size(facility) -> str:
    if facility.capacity_mw is None:
        return ""
    return f"{plain(facility.capacity_mw)} {facility.technology.unit_label}"


# What the pages ask -----------------------------------------------------------------------------


@compiled
def _pipeline(*, key):
    pipelines = Pipeline.objects.filter(pk=key).select_related("stage", "responsible")
    pipelines = pipelines.with_unconfirmed(clock.days_ago(UNCONFIRMED_DAYS))
    return pipelines.with_overdue().with_past_rtb().with_first_dates()


@compiled
def _facilities(*, key):
    """Ordered by technology, so that templates can group them."""
    facilities = Facility.objects.filter(pipelines=key).select_related("technology")
    return facilities.with_pipeline_count().order_by("technology__order", natural("name"))


@compiled
def _capacity(*, keys):
    return Pipeline.objects.capacity_sums(one_of(keys, Pipeline))


@compiled
def _counterparty_links(*, key):
    links = PipelineCounterparty.objects.filter(pipeline=key)
    return links.select_related("counterparty", "role").order_by(
        "role__order", natural("counterparty__name")
    )


@compiled
def _roles_today(*, keys):
    roles = CounterpartyContact.objects.current().select_related("contact", "role")
    return roles.filter(counterparty__in=one_of(keys, Counterparty))


@compiled
def _points(*, key):
    points: Any = Pipeline._meta.get_field("information_points")
    return points.related_model.objects.filter(pipelines=key).by_rating()


@compiled
def _moves(*, key):
    moves = StageTransition.objects.filter(pipeline=key)
    return moves.select_related("stage").order_by("-recorded_at", "pk")
