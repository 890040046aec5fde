"""Accounts in the admin: which can be removed."""

import pytest
from django.urls import reverse

from oegen import audit
from oegen.models import Alert, User
from tests.support.builders import make_counterparty, make_user

pytestmark = pytest.mark.django_db


def had_an_alert(person):
    Alert.objects.create(
        unique_key="1", event="completed", channel="email", recipient=person, payload={}
    )


def made_a_change(person):
    with audit.acting(person, audit.Source.PAGE):
        make_counterparty()


@pytest.mark.parametrize("happened", [had_an_alert, made_a_change])
def test_an_account_that_records_name_is_kept_and_it_is_said_what_to_do(
    client, administrator, happened
):
    person = make_user(username="morgan")
    happened(person)
    client.force_login(administrator)
    page = client.get(reverse("admin:oegen_user_delete", args=[person.pk])).text
    assert "Untick “Active”" in page
    assert reverse("admin:oegen_user_change", args=[person.pk]) in page
    client.post(reverse("admin:oegen_user_delete", args=[person.pk]), {"post": "yes"})
    assert User.objects.filter(pk=person.pk).exists()


def test_an_account_that_nothing_names_is_removed(client, administrator):
    person = make_user(username="morgan")
    client.force_login(administrator)
    client.post(reverse("admin:oegen_user_delete", args=[person.pk]), {"post": "yes"})
    assert not User.objects.filter(pk=person.pk).exists()


@pytest.mark.parametrize(("new", "is_taken"), [("JO", True), ("MORGAN", False), ("kim", False)])
def test_a_username_is_not_given_twice_in_another_case(client, administrator, new, is_taken):
    make_user(username="jo")
    person = make_user(username="morgan")
    client.force_login(administrator)
    page = reverse("admin:oegen_user_change", args=[person.pk])
    answer = client.post(page, {"username": new, "is_active": "on"})
    assert ("already exists" in answer.text) is is_taken
    person.refresh_from_db()
    assert person.username == ("morgan" if is_taken else new)


def test_two_usernames_of_earlier_times_that_differ_by_case_do_not_keep_an_account_from_its_form(
    client, administrator
):
    make_user(username="jo")
    person = make_user(username="JO")
    client.force_login(administrator)
    page = reverse("admin:oegen_user_change", args=[person.pk])
    client.post(page, {"username": "JO", "first_name": "Joan", "is_active": "on"})
    person.refresh_from_db()
    assert person.first_name == "Joan"
