"""Undoing a change set through its page."""

import re

import pytest

from counterparties.models import Contact, Counterparty
from oegen import audit
from oegen.audit.revert.undoing import undo
from oegen.models import ChangeSet, Comment
from pipelines.models import Facility, Pipeline, PipelineFacility, Technology
from tests.support.builders import make_contact, make_facility, make_pipeline

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_portfolio_manager(client, portfolio_manager):
    client.force_login(portfolio_manager)
    return client


def newest() -> ChangeSet:
    return ChangeSet.objects.latest("number")


def address(change_set) -> str:
    return f"/audit/{change_set.number}/undo/"


def preview(client, change_set) -> str:
    response = client.get(address(change_set))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def post_undo(client, change_set, reason="The wrong file", **kwargs):
    return client.post(address(change_set), {"reason": reason}, **kwargs)


def test_preview_names_what_would_be_removed_brought_back_and_set_back(as_portfolio_manager):
    old = make_facility("Old", capacity_mw=10)
    gone = make_contact("Gone")
    with audit.change_set() as change_set:
        make_pipeline("Kestrel")
        Facility.objects.filter(pk=old.pk).update(capacity_mw=99)
        gone.delete()

    html = preview(as_portfolio_manager, change_set)

    assert "1 pipeline would be removed" in html
    assert "1 contact would come back" in html
    assert "1 facility would be set back" in html
    for name in ("Kestrel", "Gone", "Old"):
        assert f"<bdi>{name}</bdi>" in html
    assert "<del><bdi>99 MWp</bdi></del>" in html
    assert "<ins><bdi>10 MWp</bdi></ins>" in html
    assert newest() == change_set, "the preview wrote nothing"


def test_preview_tells_links_and_comments_by_what_they_belong_to(
    as_portfolio_manager, portfolio_manager
):
    pipeline, plant = make_pipeline("Kestrel"), make_facility("Plant")
    with audit.change_set() as change_set:
        PipelineFacility.objects.create(pipeline=pipeline, facility=plant)
        Comment.objects.create(subject=pipeline, text="Well done", author=portfolio_manager)
    html = preview(as_portfolio_manager, change_set)
    assert "<bdi>Kestrel: facility Plant</bdi>" in html
    assert "<bdi>Kestrel: “Well done”</bdi>" in html


def test_preview_names_fifty_and_counts_the_rest(as_portfolio_manager):
    Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(120))
    html = preview(as_portfolio_manager, newest())
    assert "120 contacts would be removed" in html
    assert html.count("<bdi>Contact ") == 50
    assert "and 70 more" in html


def test_preview_lists_what_stays_and_why(as_portfolio_manager, portfolio_manager):
    Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(3))
    change_set = newest()
    with audit.change_set(person=portfolio_manager):
        Contact.objects.filter(name="Contact 1").update(phone="1")
    html = preview(as_portfolio_manager, change_set)
    assert "2 contacts would be removed" in html
    assert "What stays as it is" in html
    assert "Contact 1</bdi></a>: <bdi>changed since, by Priya Shah" in html


def test_all_of_it_is_undone_as_one_new_change_set(as_portfolio_manager, portfolio_manager):
    with audit.change_set() as change_set:
        make_pipeline("Kestrel", capacity_mw=5)

    response = post_undo(as_portfolio_manager, change_set, follow=True)

    new = newest()
    assert response.redirect_chain == [(f"/audit/{new.number}/", 302)]
    assert f"Change set {change_set.number} is undone, all of it." in response.content.decode()
    assert (new.undoes, new.person, new.reason) == (
        change_set,
        portfolio_manager,
        "The wrong file",
    )
    assert not Pipeline.objects.exists()


def test_what_was_kept_is_listed_with_links(as_portfolio_manager, portfolio_manager):
    Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(3))
    change_set = newest()
    with audit.change_set(person=portfolio_manager):
        Contact.objects.filter(name="Contact 1").update(phone="1")

    html = " ".join(post_undo(as_portfolio_manager, change_set).content.decode().split())

    kept = Contact.objects.get()
    assert "1 record stayed as it is" in html
    assert f'<a href="{kept.get_absolute_url()}"><bdi>Contact 1</bdi></a>: <bdi>changed' in html
    assert f'href="/audit/{newest().number}/"' in html


def test_without_a_reason_nothing_is_undone(as_portfolio_manager):
    make_contact("Ann")
    html = post_undo(as_portfolio_manager, newest(), reason="  ").content.decode()
    assert "Say why you undo it" in html
    assert Contact.objects.exists()


def test_what_is_undone_already_is_refused_in_words_and_the_reason_kept(as_portfolio_manager):
    make_contact("Ann")
    change_set = newest()
    post_undo(as_portfolio_manager, change_set)
    number = newest().number

    html = post_undo(as_portfolio_manager, change_set, reason="Once more").content.decode()

    assert "There is nothing left to undo" in html
    assert newest().number == number


def test_a_refusal_names_what_changed_since_and_leads_to_the_state_before(as_portfolio_manager):
    contact = make_contact("Ann")
    with audit.change_set():
        Contact.objects.filter(pk=contact.pk).update(phone="01", job_title="CEO")
    change_set = newest()
    Contact.objects.filter(pk=contact.pk).update(phone="02")

    html = as_portfolio_manager.get(f"/audit/{change_set.number}/undo/").content.decode()

    assert re.search(r"changed since, by [^<]*: phone</bdi>", html)
    created = contact.history.earliest("history_id")
    restore = f"/history/contact/{contact.pk}/{created.history_id}/restore/"
    assert f'<a href="{restore}">Restore the state before it</a>' in html
    assert as_portfolio_manager.get(restore).status_code == 200


def test_what_the_database_refuses_is_reported_and_nothing_is_undone(as_portfolio_manager):
    counterparty = Counterparty.objects.create(name="Acme")
    counterparty.delete()
    change_set = newest()
    Counterparty.objects.create(name="Acme")
    number = newest().number

    html = post_undo(as_portfolio_manager, change_set, reason="Needed").content.decode()

    assert "Nothing was undone" in html
    assert "There is already a counterparty called “Acme”" in html
    assert ">\nNeeded</textarea>" in html
    assert newest().number == number


def test_the_set_up_cannot_be_undone(client, administrator):
    client.force_login(administrator)
    first = ChangeSet.objects.filter(source="migration").earliest("number")
    before = newest().number
    assert "The set-up of the database can&#x27;t be undone" in preview(client, first)
    post_undo(client, first)
    assert newest().number == before


def test_a_manager_may_neither_look_nor_undo(client, manager):
    make_contact("Ann")
    client.force_login(manager)
    assert client.get(address(newest())).status_code == 403
    assert post_undo(client, newest()).status_code == 403
    assert Contact.objects.exists()


def test_a_manager_is_refused_also_where_nothing_is_left(client, manager, as_portfolio_manager):
    make_contact("Ann")
    change_set = newest()
    post_undo(as_portfolio_manager, change_set)
    client.force_login(manager)
    assert client.get(address(change_set)).status_code == 403
    assert post_undo(client, change_set).status_code == 403


def test_a_portfolio_manager_may_not_undo_what_an_administrator_changed(as_portfolio_manager):
    """Reference tables are the administrators' to change."""
    Technology.objects.filter(code="tidal").update(name="Tide")
    assert as_portfolio_manager.get(address(newest())).status_code == 403
    assert post_undo(as_portfolio_manager, newest()).status_code == 403
    assert Technology.objects.filter(name="Tide").exists()


def test_hostile_names_and_reasons_are_shown_as_text(as_portfolio_manager):
    text = '"><script>alert(1)</script>'
    with audit.change_set(reason=text) as change_set:
        make_contact(text)
    assert "<script>alert(1)" not in preview(as_portfolio_manager, change_set)
    Contact.objects.update(phone=text)
    assert "<script>alert(1)" not in preview(as_portfolio_manager, change_set)
    html = post_undo(as_portfolio_manager, change_set, reason=text).content.decode()
    assert "<script>alert(1)" not in html


def test_a_large_preview_takes_as_many_queries_as_a_small_one(
    as_portfolio_manager, django_assert_max_num_queries
):
    Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(1000))
    large = newest()
    preview(as_portfolio_manager, large)
    with django_assert_max_num_queries(45):
        preview(as_portfolio_manager, large)


@pytest.mark.heavy
def test_undoing_an_import_does_not_write_row_by_row(
    portfolio_manager, django_assert_max_num_queries
):
    """Row by row, ten thousand records took SQLite minutes."""
    with audit.change_set() as change_set:
        facilities = [make_facility(f"Plant {n}") for n in range(3)]
        stage = make_pipeline("Kestrel").stage
        pipelines = Pipeline.objects.bulk_create(
            Pipeline(project_name=f"Pipeline {n}", stage=stage) for n in range(200)
        )
        PipelineFacility.objects.bulk_create(
            PipelineFacility(pipeline=pipeline, facility=facilities[0]) for pipeline in pipelines
        )
    with django_assert_max_num_queries(220):  # Of 400 records.
        undo(change_set=change_set, reason="The wrong file", person=portfolio_manager)
    assert not Pipeline.objects.exists()
