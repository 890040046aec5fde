"""Filters of several choices find what each choice finds, together or but for some."""

from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.http import QueryDict
from django.utils import timezone

from counterparties.filters import ContactFilter, CounterpartyFilter
from counterparties.models import ContactRole, CounterpartyContact
from infopoints.filters import InformationPointFilter
from oegen.models import User
from oegen.pages.selection import ALL, NOT, SelectionFilter
from pipelines.choices import FindingKind
from pipelines.filters import FacilityFilter, PipelineFilter
from pipelines.models import CounterpartyRole, Facility, RegisterFinding, Technology
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_information_point,
    make_pipeline,
    make_user,
)
from tests.support.portfolios import make_awkward_portfolio

FILTERS = {
    "pipelines": PipelineFilter,
    "facilities": FacilityFilter,
    "counterparties": CounterpartyFilter,
    "contacts": ContactFilter,
    "infopoints": InformationPointFilter,
}
SELECTIONS = [
    (list_name, name)
    for list_name, filters in FILTERS.items()
    for name, one in filters.base_filters.items()
    if isinstance(one, SelectionFilter)
]


@pytest.fixture(scope="module")
def portfolio(module_db):
    make_awkward_portfolio()
    make_pipeline("Refused", outcome="refused", rag_status="green", rtb_date="2020-01-01")
    Facility.objects.filter(pk=Facility.objects.first().pk).update(country="ES")
    larch = make_counterparty("Larch", country="GB")
    make_counterparty("Gone", archived_at=timezone.now(), country="ES")
    make_counterparty("Unknown 7", is_placeholder=True)
    led = make_pipeline("Led", lead_developer=larch)
    owner_role = CounterpartyRole.objects.get(code="owner")
    led.counterparty_links.create(counterparty=make_counterparty("Rowan"), role=owner_role)
    ana, bo = make_contact("Ana"), make_contact("Bo")
    ceo, deals = ContactRole.objects.filter(code__in=["ceo", "deal-lead"]).order_by("code")
    for contact, role in ((ana, ceo), (ana, deals), (bo, deals)):
        CounterpartyContact.objects.create(contact=contact, counterparty=larch, role=role)
    RegisterFinding.objects.create(
        pipeline_id=led.pk,
        project_id=uuid4(),
        kind=FindingKind.CAPACITY,
        text="A register says 40 MW.",
        valid_from=timezone.now() - timedelta(days=1),
    )
    owner = make_user(username="olga")
    today = timezone.localdate()
    for title, values in {
        "Panels": {"owner": owner, "review_on": today},
        "Queue": {"status": "watching", "review_on": today.replace(year=today.year + 1)},
        "Over": {"status": "closed"},
    }.items():
        point = make_information_point(title, **values)
        point.technology_links.create(technology=Technology.objects.get(code="solar"))


@pytest.mark.parametrize(("list_name", "name"), SELECTIONS)
def test_several_choices_find_the_records_of_each_and_not_leaves_them_out(
    portfolio, list_name, name
):
    filters = FILTERS[list_name]
    model = filters._meta.model
    request = SimpleNamespace(user=User.objects.order_by("pk").first())

    def found(**query) -> set:
        data = QueryDict(mutable=True)
        for parameter, values in query.items():
            data.setlist(parameter, values)
        filterset = filters(data, queryset=model.objects.all(), request=request)
        assert filterset.is_valid(), filterset.errors
        keys = [record.pk for record in filterset.qs]
        assert len(keys) == len({*keys})
        return {*keys}

    everything = found()
    codes = [code for code in filters(QueryDict()).form.fields[name].labels if code != ALL]
    one_by_one = {code: found(**{name: [code]}) for code in codes}
    assert any(one_by_one.values())
    for code, records in one_by_one.items():
        assert found(**{f"{name}{NOT}": [code]}) == everything - records
    for first, second in pairwise(codes):
        assert found(**{name: [first, second]}) == one_by_one[first] | one_by_one[second]
        left = found(**{name: [first], f"{name}{NOT}": [second]})
        assert left == one_by_one[first] - one_by_one[second]
    query = QueryDict(f"{name}={codes[0]}")
    counts = filters(query, queryset=model.objects.all(), request=request).counts(name)
    assert counts.pop(ALL, len(everything)) == len(everything)
    assert counts == {code: len(records) for code, records in one_by_one.items()}
