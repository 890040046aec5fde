"""Tokens in REST: scopes, personal data, what a change set says, limits."""

import pytest

from oegen.api.scopes import Scope
from oegen.core import clock
from oegen.models import ChangeSet
from tests.support.builders import make_contact, make_pipeline, make_token, make_user

pytestmark = pytest.mark.django_db


def test_a_token_does_what_its_scopes_say(api_of, portfolio_manager):
    pipeline = make_pipeline("Larch")
    address = f"/api/v1/pipelines/{pipeline.pk}/"
    reads, writes = (api_of(portfolio_manager, [one]) for one in (Scope.READ, Scope.WRITE))
    assert reads.get(address).status_code == 200
    refused = reads.patch(address, {}, format="json", HTTP_IF_MATCH='"1"')
    assert refused.status_code == 403
    assert "lacks the scope “write”" in refused.json()["detail"]
    assert writes.get(address).status_code == 403
    assert writes.patch(address, {}, format="json", HTTP_IF_MATCH='"1"').status_code == 200
    assert reads.get("/api/v1/changes/").status_code == 403


def test_personal_data_need_a_scope_wherever_they_are(api_of, portfolio_manager):
    contact = make_contact("Ann Birch")
    pipeline = make_pipeline("Larch", responsible=portfolio_manager)
    pipeline.rag_status = "red"
    pipeline.save()
    without = api_of(portfolio_manager, [Scope.READ, Scope.WRITE, Scope.FEED])
    with_it = api_of(portfolio_manager)
    for api, status in ((without, 403), (with_it, 200)):
        for address in ("contacts/", f"contacts/{contact.pk}/", "counterparty-contacts/"):
            assert api.get(f"/api/v1/{address}").status_code == status
        record = api.get(f"/api/v1/pipelines/{pipeline.pk}/").json()
        assert record["responsible"] == portfolio_manager.pk
        assert ("responsible_name" in record) is (status == 200)
        stale = api.patch(
            f"/api/v1/pipelines/{pipeline.pk}/", {}, format="json", HTTP_IF_MATCH='"1"'
        )
        assert ("person" in stale.json()["changes"][0]) is (status == 200)
        feed = api.get("/api/v1/changes/").json()["results"]
        assert all(("person" in one) is (status == 200) for one in feed)
        kinds = {entry["kind"] for one in feed for entry in one["entries"]}
        assert ("contacts" in kinds) is (status == 200)
    assert with_it.get(f"/api/v1/pipelines/{pipeline.pk}/").json()["responsible_name"] == (
        "Priya Shah"
    )


def test_change_sets_name_the_token(portfolio_manager, client):
    token, secret = make_token(portfolio_manager, scopes=[Scope.WRITE])
    answer = client.post(
        "/api/v1/counterparties/",
        {"name": "Larch"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 201
    change_set = ChangeSet.objects.latest("number")
    assert (change_set.person, change_set.token_name) == (portfolio_manager, token.name)


def test_who_has_no_valid_token_is_told_how_to_get_one(client, manager):
    client.force_login(manager)
    for header in ({}, {"Authorization": "Bearer oegen_x"}, {"Authorization": "Basic eDp5"}):
        answer = client.get("/api/v1/pipelines/", headers=header)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert answer["Content-Type"] == "application/problem+json"


def test_limits_are_told_with_each_answer_and_kept(api, settings):
    settings.API_REQUESTS_PER_MINUTE = 3
    answers = [api.get("/api/v1/stages/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"token";q=3;w=60'
    assert '"token";r=2;' in answers[0]["RateLimit"]
    assert int(answers[3]["Retry-After"]) <= 60
    assert answers[3].json()["type"] == "urn:oegen:problem:too-many-requests"


def test_the_docs_and_the_description_open_in_the_browser_of_whoever_is_signed_in(client, manager):
    assert client.get("/api/docs/").status_code == 302
    client.force_login(manager)
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert "<script>" not in page.text
    described = client.get("/api/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert "/api/v1/pipelines/{id}/" in described["paths"]


def test_inactive_people_and_other_roles(api_of):
    person = make_user("Portfolio managers")
    api = api_of(person)
    assert api.get("/api/v1/stages/", {"as_of": str(clock.today())}).status_code == 200
    person.is_active = False
    person.save()
    assert api.get("/api/v1/stages/").status_code == 401
