"""The facts that match filters are those of the pipelines that match them."""

from collections import Counter
from datetime import timedelta
from itertools import chain

import pytest
from django.http import QueryDict
from django.test import RequestFactory

from oegen.asof import as_of
from pipelines.filtered import select_pipelines
from pipelines.filters import PipelineFilter
from pipelines.models import Fact, Pipeline, PipelineFacility
from tests.support.builders import make_facility, make_pipeline
from tests.support.player import FIRST_DAY, Clock, Player

pytestmark = pytest.mark.django_db

LAST_DAY = FIRST_DAY + timedelta(days=6)

#: For each filter that facts are filtered by.
QUERIES = {
    "status": ["status=open", "status=design&status=on-hold", "status__not=construction"],
    "technology": ["technology=solar", "technology=none&technology__not=wind"],
    "rag": ["rag=red&rag=none", "rag__not=green"],
    "rtb": ["rtb=overdue", "rtb=due&rtb=on-course", "rtb__not=none"],
    "attention": ["attention=any", "attention=red&attention__not=no-capacity"],
    "country": ["country=ES", "country__not=GB"],
    "capacity_min": ["capacity_min=100&technology=solar"],
    "capacity_max": ["capacity_max=100.5"],
    "rtb_from": ["rtb_from=2026-03-05"],
    "rtb_to": ["rtb_to=2026-03-20"],
    "rtb_year": ["rtb_year=2026"],
    "late_days": ["late_days=1"],
    "not_confirmed": ["not_confirmed=2"],
    "since": [f"since={FIRST_DAY + timedelta(days=2)}"],
    "rag_was": [f"since={FIRST_DAY + timedelta(days=2)}&rag_was=none"],
    "stage_was": [f"since={FIRST_DAY + timedelta(days=2)}&stage_was=design"],
    "rag_moved": [f"since={FIRST_DAY + timedelta(days=2)}&rag_moved=worse"],
    "way": ["way=design:entered"],
}


def test_facts_match_filters_as_pipelines_do(monkeypatch, portfolio_manager):
    moments, player = Clock(monkeypatch), Player(11, portfolio_manager)
    for country, capacity in (("ES", 40), ("ES", 150), ("GB", 90)):
        facility = make_facility(country=country, capacity_mw=capacity)
        PipelineFacility.objects.create(pipeline=make_pipeline(), facility=facility)
    for number in range(6):
        moments.begin(FIRST_DAY + timedelta(days=number))
        for _ in range(6):
            player.write()
            moments.tick()
    moments.begin(LAST_DAY)
    request = RequestFactory().get("/")
    request.user = portfolio_manager
    assert QUERIES.keys() == set(PipelineFilter.of_facts)
    tells = Counter()
    for query in map(QueryDict, chain(*QUERIES.values())):
        tells[check(query, request)] += 1
        with as_of(FIRST_DAY + timedelta(days=3)):
            tells[check(query, request)] += 1
    assert tells[True] > tells[False]


def check(query, request) -> bool:
    """Returns whether some pipelines match, and some do not."""
    selected = select_pipelines(query, request)
    everything = Pipeline.objects.recorded()
    filters = PipelineFilter(query, queryset=everything, request=request)
    if not filters.is_valid():
        # A country that did not exist then.
        assert not selected.exists()
        return False
    assert selected.model is Fact
    matching = set(filters.qs.values_list("pk", flat=True))
    assert set(selected.values_list("pipeline_id", flat=True)) == matching, query
    assert set(selected.pipelines().values_list("pk", flat=True)) == matching, query
    return 0 < len(matching) < everything.count()
