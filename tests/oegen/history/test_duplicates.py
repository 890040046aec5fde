"""The page of records that may be there twice."""

import re
from datetime import timedelta

import pytest
from django.db import models
from django.urls import reverse
from django.utils import timezone

from counterparties.models import Counterparty
from oegen import audit
from oegen.search import keys
from tests.support.builders import make_contact, make_counterparty

pytestmark = pytest.mark.django_db

LEI = "213800WSGIIZCXF1P572"


def put_in_unseen(**values) -> Counterparty:
    """As an older version let it in."""
    (made,) = models.QuerySet(Counterparty).bulk_create([Counterparty(**values)])
    keys.rebuild()
    return made


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture
def double():
    one = make_counterparty("Larch Power", lei=LEI)
    return one, put_in_unseen(name="LARCH  power", lei=LEI)


def test_each_group_is_there_once_with_all_that_it_shares(client, portfolio_manager, double):
    client.force_login(portfolio_manager)
    alias = make_counterparty("Rowan", aliases="Aspen")
    holder = make_counterparty("aspen")
    make_counterparty("Alone", aliases="alone")
    answer = client.get(reverse("counterparty-duplicates"))
    found = {(group.in_common, group.oldest, *group.others) for group in answer.context["groups"]}
    assert found == {("name and LEI", *double), ("name or other name", alias, holder)}
    for stays, goes in (double, (alias, holder)):
        merge = f"{reverse('counterparty-merge', args=[stays.pk])}?with={goes.pk}"
        assert f'href="{merge}"' in answer.text
        assert client.get(merge).status_code == 200
    assert answer.text.count("?with=") == 2


def test_readers_see_them_without_a_way_to_merge(client, manager, double):
    client.force_login(manager)
    html = client.get(reverse("counterparty-duplicates")).text
    assert all(one.get_absolute_url() in html for one in double)
    assert "/merge/" not in html


def test_the_list_leads_there_while_there_are_any(client, manager, double):
    client.force_login(manager)
    link = f'href="{reverse("counterparty-duplicates")}"'
    html = client.get(reverse("counterparties")).text
    assert link in html
    assert "1 possible duplicate" in words_of(html)
    double[1].delete()
    assert link not in client.get(reverse("counterparties")).text
    assert (
        "No two counterparties look the same."
        in client.get(reverse("counterparty-duplicates")).text
    )


def test_people_of_one_name_are_listed(client, manager):
    client.force_login(manager)
    contacts = [make_contact("Zoé", email="z@example.com"), make_contact("Zoe\u0301")]
    answer = client.get(reverse("contact-duplicates"))
    (group,) = answer.context["groups"]
    assert [group.oldest, *group.others] == contacts


def test_it_is_of_today_only(client, manager):
    client.force_login(manager)
    day = timezone.localdate() - timedelta(days=1)
    with audit.change_set(recorded_at=timezone.now() - timedelta(days=3)):
        make_counterparty("Rowan", aliases="Aspen")
        make_counterparty("Aspen")
    answer = client.get(reverse("counterparty-duplicates"), {"as_of": day})
    assert answer.status_code == 400
    assert "among the records of today only" in answer.text
    html = client.get(reverse("counterparties"), {"as_of": day}).text
    assert "Aspen" in html
    assert "possible duplicate" not in html


def test_many_cost_no_more_queries(client, manager, django_assert_max_num_queries):
    client.force_login(manager)
    address = reverse("counterparty-duplicates")
    for number in range(60):
        make_counterparty(f"One {number}", aliases=f"Both {number}")
        make_counterparty(f"Other {number}", aliases=f"both {number}")
    client.get(address)
    with django_assert_max_num_queries(10):
        html = client.get(address).text
    assert "Page 1 of 2" in words_of(html)
