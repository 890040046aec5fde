"""The contents of the sample portfolio."""

from collections import Counter
from itertools import pairwise
from math import cos, hypot, radians

import pytest
from django.apps import apps
from django.db.models import Count, F

from counterparties.models import Contact, Counterparty, CounterpartyContact
from dashboard.sample.tables import PLACES
from infopoints.models import InformationPoint
from oegen import audit
from oegen.alerts.mentions import usernames_in
from oegen.models import Comment, User
from oegen.search import keys
from pipelines.models import Facility, Pipeline, PipelineCounterparty
from tests.dashboard.sample.conftest import TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample")]


def test_it_has_the_promised_size(sample):
    assert Pipeline.objects.count() == sample["pipelines"] == 60
    assert Counterparty.objects.count() == sample["counterparties"] == 25
    assert 70 <= Contact.objects.count() <= 90
    assert InformationPoint.objects.count() == 40


@pytest.mark.heavy
@pytest.mark.parametrize("model", audit.tracked_models(), ids=lambda model: model._meta.model_name)
def test_every_record_keeps_every_rule(model):
    for record in model._base_manager.all():
        record.full_clean()


def test_sizes_fit_the_technology():
    spans = {
        "solar": (5, 400),
        "onshore-wind": (10, 250),
        "offshore-wind": (200, 1500),
        "bess": (10, 500),
    }
    facilities = Facility.objects.select_related("technology")
    assert {facility.technology.code for facility in facilities} == set(spans)
    for facility in facilities.exclude(capacity_mw=None):
        low, high = spans[facility.technology.code]
        assert low <= facility.capacity_mw <= high
        if facility.technology.is_storage:
            assert 2 <= round(facility.storage_mwh / facility.capacity_mw, 1) <= 4


def test_facilities_lie_near_a_real_place_of_their_region():
    for facility in Facility.objects.select_related("technology"):
        is_at_sea = facility.technology.code == "offshore-wind"
        assert any(
            (place["country"], place["region"]) == (facility.country, facility.region)
            and distance_km(place, facility) < 15
            for place in PLACES
            if (place["language"] == "sea") is is_at_sea
        ), facility


def distance_km(place, facility):
    latitude, longitude = float(place["latitude"]), float(place["longitude"])
    north = float(facility.latitude) - latitude
    east = (float(facility.longitude) - longitude) * cos(radians(latitude))
    return 111.32 * hypot(north, east)


def test_every_situation_occurs():
    pipelines = Pipeline.objects
    assert pipelines.open().count() >= 25
    assert pipelines.on_hold().count() >= 3
    assert pipelines.completed().count() >= 4
    assert pipelines.overdue(TODAY).count() >= 3
    outcomes = Counter(pipelines.values_list("outcome", flat=True))
    assert min(outcomes[key] for key in ("withdrawn", "refused", "sold")) >= 1
    assert pipelines.filter(rtb_date=None).exists()
    assert set(pipelines.values_list("rag_status", flat=True)) == {"", "red", "amber", "green"}
    assert pipelines.filter(ownership_pct__lt=100).exists()
    assert pipelines.exclude(probability_pct=None).exists()
    assert Facility.objects.filter(capacity_mw=None).exists()
    assert len(set(pipelines.values_list("stage__code", flat=True))) == 6


def test_some_facilities_are_shared_and_some_projects_are_hybrids():
    shared = Facility.objects.annotate(n=Count("pipelines")).filter(n__gt=1)
    assert 1 <= shared.count() <= 8
    hybrids = Pipeline.objects.annotate(n=Count("facilities__technology", distinct=True)).filter(
        n=2
    )
    assert hybrids.count() >= 5


def test_ready_to_build_slips_mostly_later():
    later = earlier = 0
    for pipeline in Pipeline.objects.all():
        days = [row.rtb_date for row in pipeline.history.order_by("history_date")]
        for before, after in pairwise(day for day in days if day):
            later += after > before
            earlier += after < before
    assert later > 2 * earlier > 0


def test_people_change():
    assert CounterpartyContact.objects.filter(valid_until__isnull=False).count() >= 3
    joined = PipelineCounterparty.objects.filter(created_at__gt=F("pipeline__created_at"))
    assert joined.count() >= 5


def test_information_points_are_rated_again_reviewed_and_discussed():
    changed = InformationPoint.objects.filter(version__gt=1)
    assert changed.count() >= 20
    assert set(InformationPoint.objects.values_list("status", flat=True)) == {
        "open",
        "watching",
        "closed",
    }
    types = set(Comment.objects.values_list("content_type__model", flat=True))
    assert types == {"pipeline", "informationpoint"}


def test_comments_mention_a_colleague_who_is_not_their_author():
    named = {
        (comment.author.username, name)
        for comment in Comment.objects.select_related("author")
        for name in usernames_in(comment.text)
    }
    people = {author for author, _ in named}
    assert len(people) > 1
    assert all(author != name for author, name in named)
    assert {name for _, name in named} <= set(User.objects.values_list("username", flat=True))


def test_no_company_and_no_contact_looks_like_a_duplicate():
    assert keys.shared(Counterparty) == keys.shared(Contact) == []


def test_reference_tables_stay_as_the_team_has_them():
    for name in ("Stage", "Technology", "CounterpartyRole"):
        assert set(apps.get_model("pipelines", name).objects.values_list("version")) == {(1,)}
    assert (
        not apps.get_model("pipelines", "Stage")
        .objects.exclude(default_probability_pct=None)
        .exists()
    )
