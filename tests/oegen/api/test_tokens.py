"""Access tokens: what authenticates, what is refused, and what is left of either."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from oegen import audit
from oegen.api import authentication, digests, services, usage
from oegen.api.authentication import Reason, TokenRefusedError
from oegen.api.models import ApiToken
from oegen.api.scopes import Scope
from oegen.audit import seals
from oegen.core import counters
from oegen.models import ChangeSet, SecurityEvent
from tests.support.builders import make_pipeline, make_token

pytestmark = pytest.mark.django_db

HERE = "192.0.2.7"


def refusal(secret: str, address: str = HERE) -> TokenRefusedError:
    with pytest.raises(TokenRefusedError) as caught:
        authentication.authenticate(secret, address)
    return caught.value


def revoke(token, by):
    services.revoke_token(token, by=by)


def events(*kinds: str) -> list[dict]:
    found = SecurityEvent.objects.filter(kind__in=kinds).order_by("number")
    return list(found.values_list("details", flat=True))


@pytest.fixture
def recorded(django_capture_on_commit_callbacks):
    """A function that calls another and records its security events, as after a commit."""

    def run(function, *arguments):
        with django_capture_on_commit_callbacks(execute=True):
            return function(*arguments)

    return run


# The secret ----------------------------------------------------------------------------------


def test_a_secret_authenticates_its_person(manager):
    token, secret = make_token(manager)
    assert secret.startswith("oegen_") and len(secret) == digests.SECRET_LENGTH
    found = authentication.authenticate(secret, HERE)
    assert (found, found.person) == (token, manager)


def test_a_copy_of_the_table_authenticates_nobody(manager):
    token, secret = make_token(manager)
    [row] = ApiToken.objects.values()
    random = secret.rpartition("_")[2]
    assert not any(secret in str(value) or random in str(value) for value in row.values())
    for tried in (
        token.digest,
        token.start_of_secret,
        f"oegen_{token.key}_{token.digest[:40]}",
        f"oegen_{token.key}_{'a' * 40}",
        secret[:-1],
        f"{secret}\n",
        f" {secret}",
        secret.upper(),
        f"{secret}\x00",
        "",
    ):
        refused = refusal(tried)
        assert (refused.reason, refused.status) == (Reason.UNKNOWN, 401)
        assert "WWW-Authenticate" in refused.headers


def test_another_key_of_the_site_or_pepper_makes_the_digests_useless(manager, settings, caplog):
    _, secret = make_token(manager)
    settings.SECRET_KEY = "another " * 8
    assert refusal(secret).reason == Reason.UNKNOWN
    settings.API_TOKEN_PEPPERS = {3: "p" * 32}
    token, secret = make_token(manager)
    assert token.pepper_version == 3
    settings.API_TOKEN_PEPPERS = {3: "p" * 32, 4: "q" * 32}
    assert authentication.authenticate(secret, HERE) == token
    settings.API_TOKEN_PEPPERS = {4: "q" * 32}
    assert refusal(secret).reason == Reason.UNKNOWN
    assert "API_TOKEN_PEPPERS lacks version 3" in caplog.text


def test_the_secret_is_nowhere_in_the_database_or_the_log(recorded, manager, caplog):
    caplog.set_level(logging.DEBUG)
    token, secret = recorded(make_token, manager)
    with audit.change_set(), authentication.acting_by(token):
        make_pipeline()
    recorded(refusal, secret[:-1] + ("y" if secret[-1] == "x" else "x"))
    recorded(revoke, token, manager)
    recorded(refusal, secret)
    random = secret.rpartition("_")[2]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
            assert random[:-1] not in str(cursor.fetchall()), table
    assert random[:-1] not in caplog.text
    assert random not in repr(token.__dict__)


# What the model refuses -----------------------------------------------------------------------


@pytest.mark.parametrize("days", [0, -1, 365.01])
def test_a_token_is_valid_for_a_year_at_most(manager, days):
    with pytest.raises(ValidationError, match="at most a year ahead"):
        make_token(manager, days=days)
    token, _ = make_token(manager, days=365)
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.update(expires_at=token.created_at + timedelta(days=days))


def test_a_token_is_never_deleted(manager):
    make_token(manager)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        ApiToken.objects.all().delete()


def test_names_are_unique_among_a_person_s_tokens_that_are_not_revoked(manager, administrator):
    token, _ = make_token(manager, name="Forecast")
    make_token(administrator, name="Forecast")
    with pytest.raises(ValidationError, match="a token of this name already"):
        make_token(manager, name="forecast")
    revoke(token, manager)
    make_token(manager, name="forecast")


@pytest.mark.parametrize("text", ["10.0.0.1/8", "nowhere", "10.0.0.0/33", "fe80::1%eth0/64"])
def test_what_is_no_network_is_refused(manager, text):
    with pytest.raises(ValidationError, match=r"is no network\. Write an address"):
        make_token(manager, networks=text)


# Refusals -------------------------------------------------------------------------------------


def test_a_revoked_an_expired_and_an_inactive_token_are_refused(manager, portfolio_manager):
    token, secret = make_token(manager)
    ApiToken.objects.update(
        created_at=timezone.now() - timedelta(days=9), expires_at=timezone.now()
    )
    assert (refusal(secret).reason, refusal(secret).status) == (Reason.EXPIRED, 401)
    assert services.revoke_token(token, by=manager)
    assert not services.revoke_token(token, by=manager)
    assert (refusal(secret).reason, refusal(secret).status) == (Reason.REVOKED, 401)

    _, secret = make_token(portfolio_manager)
    portfolio_manager.is_active = False
    portfolio_manager.save()
    assert (refusal(secret).reason, refusal(secret).status) == (Reason.INACTIVE, 401)


def test_a_person_who_lost_the_permission_is_refused(manager):
    _, secret = make_token(manager)
    with audit.change_set():
        manager.groups.clear()
    assert (refusal(secret).reason, refusal(secret).status) == (Reason.NO_TOKENS, 403)


def test_a_token_counts_from_its_networks_only(manager):
    _, secret = make_token(manager, networks="10.20.0.0/16, 2001:db8::/32 192.0.2.7")
    for address in ("10.20.1.1", "2001:db8::5", "192.0.2.7"):
        authentication.authenticate(secret, address)
    for address in ("10.21.0.1", "192.0.2.8", "2001:db9::1", ""):
        assert (refusal(secret, address).reason, refusal(secret, address).status) == (
            Reason.NETWORK,
            403,
        )


def test_a_token_may_only_what_its_scopes_and_its_person_may(manager, portfolio_manager):
    change = "pipelines.change_pipeline"
    reader, _ = make_token(portfolio_manager, scopes=["read"])
    of_manager, _ = make_token(manager, scopes=["write", "read", "personal"])
    writer, _ = make_token(portfolio_manager, scopes=["write"])
    assert of_manager.scopes == "read write personal"
    assert (reader.sees_personal_data, of_manager.sees_personal_data) == (False, True)
    authentication.check_access(reader, Scope.READ)
    authentication.check_access(writer, Scope.WRITE, change)
    for token, scope, permission, reason in (
        (reader, Scope.WRITE, change, Reason.SCOPE),
        (writer, Scope.READ, "", Reason.SCOPE),
        (of_manager, Scope.WRITE, change, Reason.PERMISSION),
    ):
        with pytest.raises(TokenRefusedError) as caught:
            authentication.check_access(token, scope, permission)
        assert (caught.value.reason, caught.value.status) == (reason, 403)


# What is recorded -----------------------------------------------------------------------------


def test_refusals_of_a_token_are_one_event_an_hour_for_each_reason(recorded, manager, monkeypatch):
    now = timezone.now().timestamp() // usage.HOUR * usage.HOUR
    monkeypatch.setattr(counters.time, "time", lambda: now)
    token, secret = make_token(manager, name="Forecast", networks="10.0.0.0/8")
    for _ in range(3):
        recorded(refusal, secret)
    assert events("token-refused") == [{"token": "Forecast", "reason": "network"}]
    revoke(token, manager)
    for _ in range(3):
        recorded(refusal, secret)
    assert len(events("token-refused")) == 2
    now += usage.HOUR
    recorded(refusal, secret)
    assert len(events("token-refused")) == 3
    assert set(SecurityEvent.objects.values_list("username", flat=True)) == {"morgan"}


def test_making_and_revoking_are_recorded_with_who_did(recorded, manager, administrator):
    token, _ = recorded(lambda: make_token(manager, name="Forecast", scopes=["feed"]))
    recorded(revoke, token, administrator)
    found = SecurityEvent.objects.order_by("number").values_list("kind", "username", "details")
    assert list(found) == [
        ("token-made", "morgan", {"token": "Forecast", "scopes": "feed"}),
        ("token-revoked", "ada", {"token": "Forecast", "of": "morgan"}),
    ]


def test_unknown_tokens_are_counted_by_address_and_minute(recorded, manager, settings, monkeypatch):
    now = 60_000.0
    monkeypatch.setattr(counters.time, "time", lambda: now)
    settings.API_UNKNOWN_PER_MINUTE = 12
    _, secret = make_token(manager)
    refusals = [recorded(refusal, "oegen_wrong") for _ in range(13)]
    assert [one.status for one in refusals] == [401] * 12 + [429]
    assert refusals[-1].headers == {"Retry-After": "60"}
    assert events("token-unknown") == [{"in this minute": 1}, {"in this minute": 10}]
    # Nobody else is kept out, not even from the same address.
    authentication.authenticate(secret, HERE)
    assert refusal("oegen_wrong", "198.51.100.1").status == 401
    assert [refusal("x", f"2001:db8::{n}").status for n in range(13)][-1] == 429
    now += 60
    assert refusal("oegen_wrong").status == 401


def test_requests_are_counted_by_token_and_minute(recorded, manager, settings, monkeypatch):
    now = 60_018.0
    monkeypatch.setattr(counters.time, "time", lambda: now)
    settings.API_REQUESTS_PER_MINUTE = 2
    token, other = make_token(manager)[0], make_token(manager)[0]
    first, second = authentication.count_request(token), authentication.count_request(token)
    assert first.headers == {
        "RateLimit-Policy": '"token";q=2;w=60', "RateLimit": '"token";r=1;t=42'
    }  # fmt: skip
    assert second.headers["RateLimit"] == '"token";r=0;t=42'
    for _ in range(2):
        with pytest.raises(TokenRefusedError, match="more than 2 requests in a minute") as caught:
            recorded(authentication.count_request, token)
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (429, "42")
    assert [one["reason"] for one in events("token-refused")] == ["too-many-requests"]
    authentication.count_request(other)
    now += 42
    authentication.count_request(token)


def test_counters_of_threads_lose_nothing_in_the_cache_of_production(settings, tmp_path):
    settings.CACHES = {
        "default": settings.CACHES["default"],
        "counters": {
            "BACKEND": "oegen.core.file_cache.FileCache",
            "LOCATION": tmp_path,
        },
    }
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: counters.increment("key", 10**6).number, range(80)))
    assert sorted(numbers) == list(range(1, 81))


def test_a_use_takes_no_write_lock_and_is_noted_at_most_once_a_minute(
    manager, monkeypatch, django_assert_num_queries
):
    token, secret = make_token(manager)
    assert usage.last_uses([token]) == {}
    # The token with its person, and the permissions of the person and of the groups.
    with django_assert_num_queries(3) as queries:
        authentication.authenticate(secret, HERE)
    assert all(query["sql"].startswith("SELECT") for query in queries)
    first = usage.last_uses([token])[token.pk]
    authentication.authenticate(secret, HERE)
    assert usage.last_uses([token])[token.pk] == first
    monkeypatch.setattr(counters.timezone, "now", lambda: first + timedelta(seconds=61))
    authentication.authenticate(secret, HERE)
    assert usage.last_uses([token])[token.pk] == first + timedelta(seconds=61)


# Change sets ----------------------------------------------------------------------------------


def test_a_change_set_says_which_token_wrote_it_under_its_seal(portfolio_manager, client):
    token, _ = make_token(portfolio_manager, name="Forecast")
    with authentication.acting_by(token):
        pipeline = make_pipeline("Kestrel Moor")
    change_set = pipeline.history.latest().change_set
    assert (change_set.token, change_set.token_name) == (token.pk, "Forecast")
    assert (change_set.person, change_set.source) == (portfolio_manager, audit.Source.API)
    assert change_set.author == "Priya Shah, by token Forecast"
    before = ChangeSet.objects.get(number=change_set.number - 1).seal
    assert change_set.seal == seals.seal_of(change_set, before)
    for name, value in (("token_name", "Other"), ("token", None)):
        forged = ChangeSet.objects.get(pk=change_set.pk)
        setattr(forged, name, value)
        assert seals.seal_of(forged, before) != change_set.seal
    call_command("audit_check")

    client.force_login(portfolio_manager)
    assert (
        "<dt>By token</dt><dd><bdi>Forecast</bdi></dd>"
        in client.get(f"/audit/{change_set.number}/").content.decode()
    )
    for address in (
        f"/audit/?change_set={change_set.number}",
        f"/audit/?change_set={change_set.number}&download=csv",
        pipeline.get_absolute_url(),
        "/changes/latest/",
        f"/history/pipeline/{pipeline.pk}/",
    ):
        response = client.get(address)
        text = b"".join(response) if response.streaming else response.content
        assert b"Forecast" in text, address
