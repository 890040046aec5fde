"""Signing in: who is delayed by wrong passwords, and who is not."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from oegen.models import AttemptCount
from oegen.people import devices, throttle
from tests.support.builders import PASSWORD, make_user

pytestmark = pytest.mark.usefixtures("db")


def sign_in(client, username, password, **headers):
    return client.post(reverse("login"), {"username": username, "password": password}, **headers)


def guess(username, times, **headers):
    """Wrong passwords from browsers in which nobody has signed in before; the last answer."""
    for _ in range(times):
        response = sign_in(Client(), username, "wrong", **headers)
    return response


def is_signed_in(client) -> bool:
    return client.get(reverse("dashboard")).status_code == 200


def test_a_person_signs_in_and_out(client, manager):
    assert sign_in(client, manager.username, PASSWORD).url == reverse("dashboard")
    assert is_signed_in(client)
    client.post(reverse("logout"))
    assert client.get(reverse("dashboard")).url.startswith(reverse("login"))


def test_delays_grow_and_the_right_password_is_refused_unseen_meanwhile(
    client, manager, monkeypatch, caplog
):
    assert guess(manager.username, throttle.ACCOUNT.allowed).status_code == 200
    monkeypatch.setattr(
        "django.contrib.auth.backends.ModelBackend.authenticate",
        lambda *args, **kwargs: pytest.fail("the password was looked at"),
    )
    response = sign_in(client, manager.username, PASSWORD)
    assert (response.status_code, response["Retry-After"]) == (429, "1")
    assert "Wait 1 second, then try again" in response.content.decode()
    assert not is_signed_in(client)
    assert f"Wrong password for “{manager.username}” from 127.0.0.1, failure 3." in caplog.text
    assert PASSWORD not in caplog.text


def test_the_wait_doubles_up_to_its_longest():
    waits = [throttle.ACCOUNT.wait_after(failures).total_seconds() for failures in (2, 3, 4, 5, 99)]
    assert waits == [0, 1, 2, 4, 15 * 60]


def test_after_the_delay_the_right_password_signs_in_and_clears_the_count(client, manager):
    guess(manager.username, throttle.ACCOUNT.allowed)
    AttemptCount.objects.update(retry_at=timezone.now())
    assert sign_in(client, manager.username, PASSWORD).status_code == 302
    assert guess(manager.username, throttle.ACCOUNT.allowed).status_code == 200


def test_a_known_device_is_not_delayed_by_strangers_and_a_forged_one_is(client, manager):
    sign_in(client, manager.username, PASSWORD)
    client.post(reverse("logout"))
    guess(manager.username, throttle.ACCOUNT.allowed + 2)
    assert sign_in(client, manager.username, PASSWORD).status_code == 302

    forged = Client()
    forged.cookies[devices.COOKIE] = client.cookies[devices.COOKIE].value[:-1]
    assert sign_in(forged, manager.username, PASSWORD).status_code == 429


def test_a_known_device_has_a_delay_of_its_own_and_is_known_for_its_account_only(
    client, manager, portfolio_manager
):
    sign_in(client, manager.username, PASSWORD)
    client.post(reverse("logout"))
    for _ in range(throttle.DEVICE.allowed):
        assert sign_in(client, manager.username, "wrong").status_code == 200
    assert sign_in(client, manager.username, PASSWORD).status_code == 429
    guess(portfolio_manager.username, throttle.ACCOUNT.allowed)
    assert sign_in(client, portfolio_manager.username, PASSWORD).status_code == 429


def test_an_address_is_delayed_whatever_the_account_and_its_ipv6_network_is_one(client, manager):
    for number in range(throttle.ADDRESS.allowed):
        guess(f"nobody{number}", 1, REMOTE_ADDR=f"2001:db8::{number:x}")
    refused = sign_in(client, manager.username, PASSWORD, REMOTE_ADDR="2001:db8::ffff:1")
    assert refused.status_code == 429
    assert sign_in(client, manager.username, PASSWORD, REMOTE_ADDR="2001:db8:0:1::1").url


def test_a_right_password_clears_no_count_of_the_address():
    address = [(throttle.ADDRESS, "203.0.113.7")]
    for _ in range(throttle.ADDRESS.allowed - 1):
        throttle.reserve(address)
    throttle.reserve(address).cancel()
    throttle.reserve(address)
    with pytest.raises(throttle.TooSoonError):
        throttle.reserve(address)


class TestBehindProxies:
    @pytest.fixture(autouse=True)
    def two_proxies(self, settings):
        settings.BEHIND_PROXY = 2

    def forwarded(self, text):
        return {"headers": {"X-Forwarded-For": text}}

    def test_the_address_is_the_one_that_the_outermost_proxy_saw(self, client, manager, caplog):
        caplog.set_level(logging.WARNING)
        guess(manager.username, 1, **self.forwarded("6.6.6.6, 203.0.113.7:4711, 10.0.0.1"))
        assert "from 203.0.113.7, failure 1." in caplog.text

    @pytest.mark.parametrize("text", ["", "203.0.113.7", "nonsense, 10.0.0.1", ", 10.0.0.1"])
    def test_an_address_that_can_t_be_known_is_refused(self, client, manager, caplog, text):
        response = sign_in(client, manager.username, PASSWORD, **self.forwarded(text))
        assert response.status_code == 503
        assert "Nobody can sign in at the moment" in response.content.decode()
        assert "BEHIND_PROXY" in caplog.text
        assert not is_signed_in(client)


def test_an_empty_address_of_a_unix_socket_is_refused(client, manager, caplog):
    response = sign_in(client, manager.username, PASSWORD, REMOTE_ADDR="")
    assert response.status_code == 503
    assert "Set BEHIND_PROXY=1" in caplog.text


def test_a_proxy_that_nobody_declared_is_refused_on_a_public_site(client, settings, manager):
    settings.SECURE = True
    headers = {"X-Forwarded-For": "203.0.113.7"}
    assert sign_in(client, manager.username, PASSWORD, headers=headers).status_code == 503


@pytest.mark.parametrize("length", [151, 300, 100_000])
def test_a_username_is_limited_and_a_long_one_is_not_kept(client, length):
    response = sign_in(client, "u" * length, "wrong")
    assert response.status_code == 200
    assert "at most 150 characters" in response.content.decode()
    assert not AttemptCount.objects.exists()


def test_what_is_kept_of_attempts_is_bounded_and_tells_no_name(manager, monkeypatch):
    monkeypatch.setattr(throttle, "MAX_ROWS", 20)
    guess(manager.username, 2)
    for number in range(30):
        throttle.reserve([(throttle.ADDRESS, f"203.0.113.{number}")])
    assert AttemptCount.objects.count() <= 21
    assert AttemptCount.objects.filter(failures=2).count() == 2, "the highest counts went first"
    assert manager.username not in str(list(AttemptCount.objects.values()))


def test_a_count_is_forgotten_after_a_day(manager):
    guess(manager.username, throttle.ACCOUNT.allowed)
    yesterday = timezone.now() - throttle.FORGET_AFTER - timedelta(minutes=1)
    AttemptCount.objects.update(counted_at=yesterday, retry_at=yesterday)
    guess(manager.username, 1)
    assert {row.failures for row in AttemptCount.objects.all()} == {1}


def test_the_username_is_taken_in_any_case_unless_two_differ_by_it_alone(client):
    make_user(username="jo.smith")
    assert sign_in(client, "Jo.Smith", PASSWORD).status_code == 302
    make_user(username="JO.SMITH")
    assert sign_in(Client(), "Jo.Smith", PASSWORD).status_code == 200
    assert sign_in(Client(), "JO.SMITH", PASSWORD).status_code == 302


def test_after_a_wrong_password_the_cursor_is_where_it_is_typed_again(client, manager):
    page = sign_in(client, manager.username, "wrong").content.decode()
    assert "The username or the password is wrong." in page
    assert page.count("autofocus") == 1
    assert "autofocus" in page[page.index('id="id_password"') :]


class Patient(throttle.Limit):
    """A limit whose first delay outlasts the test."""

    def wait_after(self, failures):
        return self.max_wait if failures >= self.allowed else timedelta(0)


@pytest.mark.usefixtures("transactional_db")
def test_of_many_attempts_at_once_no_more_get_through_than_one_after_another():
    limit = Patient("race", allowed=3, max_wait=timedelta(minutes=5))

    def attempt(_):
        try:
            throttle.reserve([(limit, "203.0.113.7")])
        except throttle.TooSoonError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(24))) == limit.allowed


@pytest.mark.usefixtures("transactional_db")
def test_what_django_axes_kept_is_removed_where_it_was_installed():
    remove_axes = import_module("oegen.migrations.0013_without_axes").remove_axes
    kind = ContentType.objects.create(app_label="axes", model="accessattempt")
    with connection.schema_editor() as editor:
        editor.execute("CREATE TABLE axes_accessattempt (id integer primary key)")
    for _ in ("as it was", "again"):
        with connection.schema_editor() as editor:
            remove_axes(apps, editor)
    assert "axes_accessattempt" not in connection.introspection.table_names()
    assert not ContentType.objects.filter(pk=kind.pk).exists()
