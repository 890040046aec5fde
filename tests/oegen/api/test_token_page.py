"""The page of one's own access tokens, and everybody's in the admin."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from oegen import audit
from oegen.api import authentication, digests
from oegen.core import clock
from oegen.models import ApiToken
from tests.support.builders import make_token

pytestmark = pytest.mark.django_db

PAGE = "/me/tokens/"

TYPED = {"name": "Forecast", "scopes": ["read", "odata"], "lifetime": "90", "networks": ""}


def shown_secret(html: str) -> str:
    start = html.index('id="token-secret">') + len('id="token-secret">')
    return html[start : start + digests.SECRET_LENGTH]


def test_a_secret_is_shown_once_and_never_stored_by_a_browser(client, manager):
    client.force_login(manager)
    response = client.post(PAGE, TYPED | {"networks": "10.20.0.0/16, 192.0.2.7"})
    secret = shown_secret(response.content.decode())
    assert response["Cache-Control"] == "no-store, private"
    token = authentication.authenticate(secret, "192.0.2.7")
    assert (token.person, token.name, token.scopes) == (manager, "Forecast", "read odata")
    assert token.networks == "10.20.0.0/16 192.0.2.7/32"
    assert timezone.now() + timedelta(days=89) < token.expires_at
    again = client.get(PAGE).content.decode()
    assert token.key in again and secret not in again
    assert "last used" in again
    # Sent again, as by a reload of the answer, it makes no second one.
    assert "You have a token named “Forecast” already" in client.post(PAGE, TYPED).content.decode()
    assert ApiToken.objects.count() == 1


def test_a_last_day_counts_to_its_end_and_a_year_is_the_most(client, manager):
    client.force_login(manager)
    today = timezone.localdate()
    last = today + timedelta(days=365)
    for name, day in (("Today", today), ("Year", last)):
        client.post(PAGE, TYPED | {"name": name, "lifetime": "day", "last_day": day.isoformat()})
    first = ApiToken.objects.get(name="Today")
    assert (first.last_day, first.expires_at) == (today, clock.end_of(today))
    assert ApiToken.objects.get(name="Year").expires_at > timezone.now() + timedelta(days=364)
    for day in ("", today - timedelta(days=1), last + timedelta(days=1)):
        typed = TYPED | {"name": "Wrong", "lifetime": "day", "last_day": str(day)}
        assert "a token is valid for a year at most" in client.post(PAGE, typed).content.decode()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": ""}, "Give it a name that says what it is for."),
        ({"scopes": []}, "Choose at least one use."),
        ({"scopes": ["admin"]}, "is not one of the available choices"),
        ({"lifetime": "9999"}, "is not one of the available choices"),
        ({"last_day": "2026-12-24"}, "You chose 90 days and a last day."),
        ({"networks": "10.0.0.1/8"}, "“10.0.0.1/8” is no network."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(client, manager, typed, sentence):
    client.force_login(manager)
    html = client.post(PAGE, TYPED | {"networks": "192.0.2.7"} | typed).content.decode()
    assert sentence in html
    assert typed.get("networks", "192.0.2.7") in html
    assert not ApiToken.objects.exists()


def test_people_see_and_revoke_their_own_tokens_only(client, manager, administrator):
    own, secret = make_token(manager, name="Own")
    other, _ = make_token(administrator, name="Other")
    client.force_login(manager)
    assert "Other" not in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"revoke": str(other.pk)}).status_code == 404
    assert client.post(PAGE, {"revoke": "x"}).status_code == 400
    html = client.post(PAGE, {"revoke": str(own.pk)}, follow=True).content.decode()
    assert "“Own” is revoked." in html and "1 no longer valid" in html
    with pytest.raises(authentication.TokenRefusedError, match="was revoked"):
        authentication.authenticate(secret, "")
    other.refresh_from_db()
    assert other.revoked_at is None


def test_without_the_permission_there_is_no_page(client, manager):
    client.force_login(manager)
    assert "Access tokens" in client.get("/me/alerts/").content.decode()
    with audit.change_set():
        manager.groups.clear()
    assert client.get(PAGE).status_code == 403
    assert "Access tokens" not in client.get("/me/alerts/").content.decode()


def test_administrators_see_all_tokens_and_revoke_them(client, manager, administrator):
    token, secret = make_token(manager, name="Forecast")
    client.force_login(administrator)
    address = reverse("admin:oegen_apitoken_changelist")
    assert "Forecast" in client.get(address).content.decode()
    page = client.get(reverse("admin:oegen_apitoken_change", args=[token.pk])).content.decode()
    assert token.start_of_secret in page
    assert token.digest not in page and secret not in page
    chosen = {"action": "revoke", "_selected_action": [str(token.pk)]}
    html = client.post(address, chosen, follow=True).content.decode()
    assert "1 access token revoked" in html
    assert "Revoked" in client.get(address, {"state": "revoked"}).content.decode()
    assert ApiToken.objects.in_state("active").count() == 0


def test_a_person_with_a_token_can_not_be_removed(client, manager, administrator):
    make_token(manager)
    client.force_login(administrator)
    address = reverse("admin:oegen_user_delete", args=[manager.pk])
    assert (
        "the account has made changes, access tokens or webhooks"
        in client.get(address).content.decode()
    )
    client.post(address, {"post": "yes"})
    assert ApiToken.objects.get().person == manager
