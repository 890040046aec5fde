"""Who may read the feed: by which tokens, and which columns."""

import pytest

from oegen.api.odata.checks import feed_needs_https
from oegen.api.scopes import Scope
from oegen.core import clock
from tests.oegen.api.odata.conftest import ROOT, basic
from tests.support.builders import make_contact, make_pipeline, make_token

pytestmark = pytest.mark.django_db


def test_a_token_is_the_password_of_basic_and_nothing_else_is(client, portfolio_manager):
    portfolio_manager.set_password("a real password")
    portfolio_manager.save()
    _, secret = make_token(portfolio_manager, scopes=[Scope.ODATA])
    username = portfolio_manager.get_username()
    for headers in (basic(secret), basic(secret, username), {"Authorization": f"Bearer {secret}"}):
        assert client.get(ROOT, headers=headers).status_code == 200
    client.force_login(portfolio_manager)
    for headers in (
        {},
        basic("a real password", username),
        basic("", secret),
        {"Authorization": "Basic ###"},
        {"Authorization": f"Basic {secret}"},
        {"Authorization": f"Token {secret}"},
    ):
        answer = client.get(f"{ROOT}Pipelines", headers=headers)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Basic ")
        assert answer.json()["error"]["code"] == "not-authenticated"
    assert client.get("/api/v1/pipelines/", headers=basic(secret)).status_code == 401


def test_a_token_without_the_scope_is_refused(client, portfolio_manager):
    _, secret = make_token(portfolio_manager, scopes=[Scope.READ])
    answer = client.get(f"{ROOT}Pipelines", headers=basic(secret))
    assert answer.status_code == 403
    assert "lacks the scope “odata”" in answer.json()["error"]["message"]


def test_people_are_there_with_the_scope_personal_only(odata_of, portfolio_manager):
    make_contact("Ann Birch")
    make_pipeline("Larch", responsible=portfolio_manager)
    without, with_it = odata_of(portfolio_manager), odata_of(portfolio_manager, Scope.PERSONAL)
    for client, status in ((without, 403), (with_it, 200)):
        has_them = status == 200
        sets = [one["name"] for one in client.get(ROOT).json()["value"]]
        described = client.get(f"{ROOT}$metadata").text
        assert ("Contacts" in sets) is has_them
        assert client.get(f"{ROOT}Contacts").status_code == status
        assert client.get(f"{ROOT}Contacts/$count").status_code == status
        assert client.get(f"{ROOT}as-of/{clock.today()}/Contacts").status_code == status
        assert ('EntityType Name="Contact"' in described) is has_them
        assert ("responsible_name" in described) is has_them
        [row] = client.get(f"{ROOT}Pipelines").json()["value"]
        assert row["responsible_id"] == portfolio_manager.pk
        assert row.get("responsible_name") == ("Priya Shah" if has_them else None)
        for option in ("$select=responsible_name", "$orderby=responsible_name"):
            assert client.get(f"{ROOT}Pipelines?{option}").status_code == (200 if has_them else 400)
        filtered = client.get(ROOT + "Pipelines", {"$filter": "responsible_name eq 'Priya Shah'"})
        assert filtered.status_code == (200 if has_them else 400)


def test_writes_are_refused_and_the_limit_is_kept(odata, settings):
    refused = odata.post(f"{ROOT}Pipelines", {}, content_type="application/json")
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")
    settings.API_REQUESTS_PER_MINUTE = 2
    assert [odata.get(ROOT).status_code for _ in range(3)] == [200, 200, 429]


def test_check_deploy_asks_for_https(settings):
    settings.SECURE = False
    [found] = feed_needs_https(None)
    assert found.id == "oegen.E002"
