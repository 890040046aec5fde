"""Two counterparties, or two contacts, become one in one change set that can be undone."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from counterparties.models import ContactRole, Counterparty, CounterpartyContact
from infopoints.models import InformationPointCounterparty
from oegen import asof, audit
from oegen.audit import integrity
from oegen.audit.revert import merging
from oegen.audit.revert.undoing import undo
from oegen.models import AlertRule, ChangeSet, Comment, ExternalReference
from pipelines.models import CounterpartyRole, PipelineCounterparty
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_information_point,
    make_pipeline,
)
from tests.support.tracked import contents

pytestmark = pytest.mark.django_db

LEI = "529900T8BM49AURSDO55"


def share(pipeline, counterparty, role, share_pct=None):
    return PipelineCounterparty.objects.create(
        pipeline=pipeline,
        counterparty=counterparty,
        role=CounterpartyRole.objects.get(code=role),
        share_pct=share_pct,
    )


@pytest.fixture
def pair(portfolio_manager):
    """Two counterparties that are one, with something of every kind that can point to one."""
    survivor = make_counterparty("Alpha Power Ltd", country="GB", aliases="APL")
    merged = make_counterparty("Alfa Power", strategy="Wind", country="IE", lei=LEI, aliases="AP")
    both, other = make_pipeline("Both", lead_developer=survivor), make_pipeline("Other")
    share(both, survivor, "owner", 40)
    share(both, merged, "owner", 30)
    share(both, merged, "epc")
    share(other, merged, "lead-developer")
    ceo = ContactRole.objects.get(code="ceo")
    dana, jo = make_contact("Dana"), make_contact("Jo")
    for counterparty, contact, begins in (
        (survivor, dana, date(2025, 1, 1)),
        (merged, dana, None),
        (merged, jo, None),
    ):
        CounterpartyContact.objects.create(
            counterparty=counterparty, contact=contact, role=ceo, valid_from=begins
        )
    point = make_information_point("Prices fall")
    for counterparty in (survivor, merged):
        InformationPointCounterparty.objects.create(
            information_point=point, counterparty=counterparty
        )
    Comment.objects.create(subject=merged, author=portfolio_manager, text="Met them in Cork")
    for key, record in (("17", survivor), ("18", merged)):
        ExternalReference.objects.create(source="REPD", key=key, record=record)
    AlertRule.objects.create(
        name="Theirs", code="theirs", event="completed", channel="slack", counterparty=merged
    )
    return survivor, merged


def merge(survivor, merged, person, **values):
    plan = merging.plan_merge(survivor, merged)
    decisions = {choice.name: choice.default for choice in plan.choices}
    values = {"decisions": decisions, "token": plan.token, "reason": "One company"} | values
    return merging.merge(survivor=survivor, merged=merged, person=person, **values)


def test_everything_moves_and_undoing_brings_back_what_was(pair, portfolio_manager):
    survivor, merged = pair
    before = contents()
    change_set = merge(survivor, merged, portfolio_manager)

    survivor = Counterparty.objects.get()
    assert survivor.alias_list == ["APL", "Alfa Power", "AP"]
    assert (survivor.country, survivor.strategy, survivor.lei) == ("GB", "Wind", LEI)
    assert [
        (str(link.pipeline), link.role.code, link.share_pct)
        for link in survivor.pipeline_links.order_by("pipeline__project_name", "role__order")
    ] == [
        ("Both", "lead-developer", None),
        ("Both", "owner", Decimal(70)),
        ("Both", "epc", None),
        ("Other", "lead-developer", None),
    ]
    assert {str(one.contact): one.valid_from for one in survivor.contact_links.all()} == {
        "Dana": None,
        "Jo": None,
    }
    assert survivor.information_points.count() == survivor.comments.count() == 1
    assert AlertRule.objects.get(code="theirs").counterparty == survivor
    references = ExternalReference.objects.of_records(Counterparty, [survivor.pk])
    assert [str(one) for one in references] == ["REPD 17", "REPD 18"]
    rows = ExternalReference.history.filter(key="18").order_by("history_id")
    assert [row.object_id for row in rows] == [merged.pk, survivor.pk]
    assert (change_set.source, change_set.person) == (audit.Source.MERGE, portfolio_manager)
    assert not list(integrity.Check().findings())

    _, kept = undo(change_set=change_set, reason="They are two", person=portfolio_manager)
    assert kept == []
    assert contents() == before
    assert ExternalReference.objects.get(key="18").record == merged
    assert not list(integrity.Check().findings())


def test_the_day_before_still_shows_two(pair, portfolio_manager):
    survivor, _ = pair
    yesterday = timezone.localdate() - timedelta(days=1)
    with audit.change_set(recorded_at=timezone.now() - timedelta(days=3)):
        old = make_counterparty("Older Ltd")
    merge(survivor, old, portfolio_manager)
    with asof.as_of(yesterday):
        assert [one.name for one in Counterparty.objects.all()] == ["Older Ltd"]
    with asof.as_of(timezone.localdate()):
        assert "Older Ltd" not in {one.name for one in Counterparty.objects.all()}


def test_the_old_address_leads_to_the_survivor_by_way_of_others(pair, portfolio_manager, client):
    client.force_login(portfolio_manager)
    survivor, merged = pair
    third = make_counterparty("Third")
    merge(survivor, merged, portfolio_manager)
    change_set = merge(third, Counterparty.objects.get(pk=survivor.pk), portfolio_manager)
    response = client.get(merged.get_absolute_url())
    html = response.content.decode()
    assert response.status_code == 404
    assert "was merged into" in html
    assert f'href="{third.get_absolute_url()}"' in html
    page = client.get(f"/audit/{change_set.number}/").content.decode()
    assert f'href="{third.get_absolute_url()}"' in page
    undo(change_set=change_set, reason="They are two", person=portfolio_manager)
    assert survivor.get_absolute_url() in client.get(merged.get_absolute_url()).content.decode()


def test_contacts_merge_on_their_page_with_the_choices_that_were_made(portfolio_manager, client):
    client.force_login(portfolio_manager)
    alpha, ceo = make_counterparty("Alpha"), ContactRole.objects.get(code="ceo")
    dana = make_contact("Dana Example", email="dana@example.com")
    double = make_contact("D. Example", email="d@example.com", phone="1")
    for contact, last in ((dana, date(2025, 3, 1)), (double, date(2026, 3, 1))):
        CounterpartyContact.objects.create(
            counterparty=alpha, contact=contact, role=ceo, valid_until=last
        )
    address = f"/contacts/{dana.pk}/merge/"
    assert "D. Example" in client.get(f"{address}?q=example").content.decode()
    address += f"?with={double.pk}"
    form = client.get(address).context["form"]
    data = {field.html_name: field.value() for field in form} | {"reason": ""}
    assert "Say why" in client.post(address, data).content.decode()
    data |= {"field-email": "merged", "reason": "Same person"}
    (link,) = [name for name in data if name.startswith("link-")]
    response = client.post(address, data | {link: "survivor"}, follow=True)
    assert "is merged into this contact" in response.content.decode()
    dana.refresh_from_db()
    assert (dana.email, dana.phone, dana.aliases) == ("d@example.com", "1", "D. Example")
    assert dana.counterparty_links.get().valid_until == date(2025, 3, 1)


def test_what_changed_since_the_preview_is_shown_first(pair, portfolio_manager, client):
    client.force_login(portfolio_manager)
    survivor, merged = pair
    address = f"/counterparties/{survivor.pk}/merge/?with={merged.pk}"
    form = client.get(address).context["form"]
    data = {field.html_name: field.value() for field in form} | {"reason": "Same"}
    share(make_pipeline("Newest"), merged, "owner")
    response = client.post(address, data)
    assert response.status_code == 409
    assert "Nothing was merged" in response.content.decode()
    assert "Newest" in response.content.decode()
    assert Counterparty.objects.count() == 2
    again = data | {"token": response.context["form"]["token"].value()}
    assert client.post(address, again).status_code == 302
    assert Counterparty.objects.get() == survivor


def test_what_a_rule_refuses_is_reported_and_only_of_what_is_taken_over(pair, portfolio_manager):
    survivor, merged = pair
    QuerySet(Counterparty).filter(pk=merged.pk).update(lei="wrong")
    Counterparty.objects.filter(pk=survivor.pk).update(website="no address")
    for counterparty in pair:
        counterparty.refresh_from_db()
    count = ChangeSet.objects.count()
    with pytest.raises(merging.CannotMergeError, match="LEI: A legal entity identifier has"):
        merge(survivor, merged, portfolio_manager)
    assert (Counterparty.objects.count(), ChangeSet.objects.count()) == (2, count)
    plan = merging.plan_merge(survivor, merged)
    decisions = {choice.name: choice.default for choice in plan.choices}
    decisions["field-lei"] = merging.SURVIVOR
    merge(survivor, merged, portfolio_manager, decisions=decisions)
    assert Counterparty.objects.get().website == "no address"


def test_a_reader_may_not_merge(pair, manager, client):
    client.force_login(manager)
    survivor, merged = pair
    address = f"/counterparties/{survivor.pk}/merge/"
    assert client.get(address).status_code == 403
    assert client.post(f"{address}?with={merged.pk}").status_code == 403
    assert "/merge/" not in client.get(survivor.get_absolute_url()).content.decode()


def test_the_preview_costs_the_same_whatever_moves(pair, portfolio_manager, client):
    client.force_login(portfolio_manager)
    survivor, merged = pair
    address = f"/counterparties/{survivor.pk}/merge/?with={merged.pk}"
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for number in range(6):
        pipeline = make_pipeline(f"More {number}")
        share(pipeline, merged, "epc")
        share(pipeline, merged, "owner", 10)
        share(pipeline, survivor, "owner", 20)
    with CaptureQueriesContext(connection) as many:
        assert "More 5" in client.get(address).content.decode()
    assert len(many) == len(few)


def test_a_link_that_comes_in_at_the_same_moment_is_shown_first(
    pair, portfolio_manager, client, monkeypatch
):
    client.force_login(portfolio_manager)
    survivor, merged = pair
    address = f"/counterparties/{survivor.pk}/merge/?with={merged.pk}"
    form = client.get(address).context["form"]
    data = {field.html_name: field.value() for field in form} | {"reason": "Same"}
    execute = merging._execute

    def lose_the_race(plan, decisions):
        execute(plan, decisions)
        raise IntegrityError("violates foreign key constraint")

    monkeypatch.setattr(merging, "_execute", lose_the_race)
    response = client.post(address, data)
    assert response.status_code == 409
    assert "Nothing was merged" in response.content.decode()
    assert Counterparty.objects.count() == 2
