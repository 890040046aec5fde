"""The page of one change set, by the number that people quote."""

import pytest
from django.template.loader import render_to_string

from counterparties.models import Contact
from oegen import audit
from oegen.audit.revert.undoing import undo
from oegen.models import ChangeSet
from pipelines.models import Facility
from tests.support.builders import make_contact, make_counterparty, make_facility, make_pipeline

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


@pytest.fixture
def imported(portfolio_manager) -> ChangeSet:
    make_facility("Old", capacity_mw=10)
    with audit.change_set(
        person=portfolio_manager, reason="The March file", source=audit.Source.IMPORT
    ) as change_set:
        make_pipeline("Kestrel", capacity_mw=5)
        make_pipeline("Rowan", capacity_mw=7)
        Facility.objects.filter(name="Old").update(capacity_mw=99)
    return change_set


def page_of(client, change_set, **query):
    response = client.get(f"/audit/{change_set.number}/", query)
    assert response.status_code == 200
    return response


def test_it_says_who_when_why_and_from_where(as_manager, imported):
    html = page_of(as_manager, imported).content.decode()
    assert f"Change set {imported.number}" in html
    for words in ("Priya Shah", "The March file", "Import"):
        assert words in html
    imported.refresh_from_db()
    assert imported.seal in html


def test_it_counts_by_kind_of_record_and_action(as_manager, imported):
    counts = page_of(as_manager, imported).context["counts"]
    assert {(one.plural, one.added, one.changed, one.removed) for one in counts} == {
        ("Facilities", 2, 1, None),
        ("Pipelines", 2, None, None),
        ("Facilities of pipelines", 2, None, None),
        ("Stage transitions", 2, None, None),
    }


def test_it_lists_its_own_entries_and_no_other(as_manager, imported):
    make_contact("Later")
    response = page_of(as_manager, imported)
    page = response.context["page"]
    assert len(page.entries) == response.context["total"] == 9
    assert {entry.change_set_number for entry in page.entries} == {imported.number}


def test_the_entries_of_a_large_one_are_paged(as_manager):
    Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(120))
    large = ChangeSet.objects.latest("number")
    found, query = [], {}
    while True:
        page = page_of(as_manager, large, **query).context["page"]
        found += [entry.history_id for entry in page.entries]
        if not page.last:
            break
        query = {"before": page.last}
    assert len(found) == len(set(found)) == 120


def test_a_large_one_takes_as_many_queries_as_a_small_one(
    as_manager, imported, django_assert_max_num_queries
):
    Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(1000))
    large = ChangeSet.objects.latest("number")
    for change_set in (large, imported):
        page_of(as_manager, change_set)
        with django_assert_max_num_queries(32):
            page_of(as_manager, change_set)


def test_it_says_what_it_undoes_and_by_what_it_was_undone(as_manager, imported, portfolio_manager):
    new, _ = undo(change_set=imported, reason="Wrong file", person=portfolio_manager)
    assert (
        f'Undone by <a href="/audit/{new.number}/">'
        in page_of(as_manager, imported).content.decode()
    )
    assert (
        f'took back <a href="/audit/{imported.number}/">'
        in page_of(as_manager, new).content.decode()
    )


def test_its_file_is_the_audit_of_it_alone(as_manager, imported):
    make_contact("Later")
    address = f"/audit/?change_set={imported.number}&download=csv"
    html = page_of(as_manager, imported).content.decode()
    assert address.replace("&", "&amp;") in html
    text = b"".join(as_manager.get(address).streaming_content).decode("utf-8-sig")
    assert len(text.splitlines()) == 1 + 9
    assert "Later" not in text


def test_its_number_is_written_without_separators():
    """People quote and paste it."""
    row = ChangeSet(number=1_234_567)
    assert "Change set 1234567" in " ".join(
        render_to_string("oegen/history/parts/undo_head.html", {"change_set": row}).split()
    )


def test_those_who_may_are_offered_to_undo_it(client, imported, portfolio_manager):
    client.force_login(portfolio_manager)
    assert f"/audit/{imported.number}/undo/" in page_of(client, imported).content.decode()


def test_a_manager_is_not_offered_to_undo_it(as_manager, imported):
    assert f"/audit/{imported.number}/undo/" not in page_of(as_manager, imported).content.decode()


def test_nobody_is_offered_to_undo_the_set_up(client, administrator):
    client.force_login(administrator)
    first = ChangeSet.objects.filter(source="migration").earliest("number")
    assert "/undo/" not in page_of(client, first).content.decode()


@pytest.mark.parametrize("number", ["0", "999999", "99999999999999999999999"])
def test_a_number_of_no_change_set_is_not_found(as_manager, number):
    assert as_manager.get(f"/audit/{number}/").status_code == 404
    assert as_manager.get(f"/audit/{number}/undo/").status_code == 404


def test_hostile_reason_is_shown_as_text(as_manager):
    with audit.change_set(reason='"><script>alert(1)</script>') as change_set:
        make_counterparty("Acme")
    assert "<script>alert(1)" not in page_of(as_manager, change_set).content.decode()
