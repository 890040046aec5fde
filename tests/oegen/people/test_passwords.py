"""Everybody's own password; who may set whose."""

import pytest
from django.contrib.auth.signals import user_login_failed
from django.core import mail
from django.test import Client
from django.urls import reverse

from oegen.alerts import delivery
from oegen.models import Alert, User
from oegen.people import roles, throttle
from tests.support.builders import PASSWORD, make_user

pytestmark = pytest.mark.django_db

NEW = "seven grey herons wait"
PAGE = "/me/password/"


def change(client, old=PASSWORD, new=NEW, again=None):
    form = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return client.post(PAGE, form)


@pytest.mark.parametrize("role", roles.ROLES)
def test_everybody_finds_it_in_the_menu_and_other_sessions_end(client, role):
    person = make_user(role)
    client.force_login(person)
    other = Client()
    other.force_login(person)
    assert f'href="{PAGE}"' in client.get(reverse("dashboard")).content.decode()

    page = client.post(PAGE, {}, follow=True)
    assert page.status_code == 200
    assert change(client).url == reverse("dashboard")

    assert client.get(reverse("dashboard")).status_code == 200
    assert other.get(reverse("dashboard")).status_code == 302
    person.refresh_from_db()
    assert person.check_password(NEW)


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        ("windfarm2026", ""),
        ("windfarm", "This password is too short. It must contain at least 12 characters."),
        ("qwertyuiop123", "too common"),
        ("830172946138", "entirely numeric"),
    ],
)
def test_a_new_password_has_12_characters_and_is_not_common(as_manager, new, sentence):
    response = change(as_manager, new=new)
    assert sentence in response.content.decode()
    assert response.status_code == (200 if sentence else 302)


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


def test_wrong_old_passwords_are_delayed_logged_and_count_as_failures(as_manager, manager, caplog):
    failures = []

    def count(credentials, **kwargs):
        failures.append(credentials)

    user_login_failed.connect(count)
    for _ in range(throttle.OWN_PASSWORD.allowed):
        assert "Your old password was entered incorrectly" in change(as_manager, "no").text
    response = change(as_manager)
    assert (response.status_code, response["Retry-After"]) == (429, "1")
    assert f"Wrong old password of “{manager.username}”" in caplog.text
    assert f"Change of password by “{manager.username}” refused unseen" in caplog.text
    assert failures == [{"username": manager.username}] * throttle.OWN_PASSWORD.allowed
    manager.refresh_from_db()
    assert manager.check_password(PASSWORD)


def test_the_person_is_notified_by_mail_whoever_did_it(
    as_manager, manager, administrator, settings
):
    settings.SENDS_EMAIL = True
    User.objects.filter(pk=manager.pk).update(email="morgan@oegen.example")
    change(as_manager)
    as_administrator = Client()
    as_administrator.force_login(administrator)
    page = reverse("admin:auth_user_password_change", args=[manager.pk])
    form = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert as_administrator.post(page, form).status_code == 302

    delivery.deliver(senders=delivery.senders())
    assert {message.to[0] for message in mail.outbox} == {"morgan@oegen.example"}
    bodies = [message.body for message in mail.outbox]
    assert ["by yourself" in body for body in bodies] == [True, False]
    assert "by Ada Okafor" in bodies[1]
    assert "List-Unsubscribe" not in mail.outbox[0].extra_headers
    assert PASSWORD not in str(list(Alert.objects.values()))


def test_no_notice_waits_on_a_site_that_sends_no_mail(as_manager, manager):
    User.objects.filter(pk=manager.pk).update(email="morgan@oegen.example")
    change(as_manager)
    assert not Alert.objects.exists()


def test_an_administrator_can_neither_become_nor_touch_a_superuser(client, administrator):
    boss = make_user(username="boss", is_superuser=True)
    client.force_login(administrator)
    for name in ("auth_user_password_change", "oegen_user_change", "oegen_user_delete"):
        page = reverse(f"admin:{name}", args=[boss.pk])
        form = {"password1": NEW, "password2": NEW, "usable_password": "true", "post": "yes"}
        assert client.post(page, form).status_code == 403, name
    selected = {"action": "delete_selected", "_selected_action": [boss.pk], "post": "yes"}
    client.post(reverse("admin:oegen_user_changelist"), selected)
    boss.refresh_from_db()
    assert boss.check_password(PASSWORD)

    client.force_login(boss)
    page = reverse("admin:oegen_user_change", args=[boss.pk])
    assert client.get(page).status_code == 200
