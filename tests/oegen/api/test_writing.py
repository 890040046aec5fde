"""Writes that are safe to repeat, tried without effect, and many at once."""

import json
import threading
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone
from rest_framework.test import APIClient

from counterparties.models import Counterparty
from oegen import audit
from oegen.api.rest.models import KEPT_FOR, AnsweredRequest
from oegen.api.scopes import Scope
from oegen.models import ChangeSet
from pipelines.models import Pipeline
from tests.support.builders import make_counterparty, make_pipeline, make_token
from tests.support.jobs import run_job

COMPANIES, PIPELINES = "/api/v1/counterparties/", "/api/v1/pipelines/"


def tag(record) -> dict:
    return {"HTTP_IF_MATCH": f'"{record.version}"'}


def once(key: str) -> dict:
    return {"HTTP_IDEMPOTENCY_KEY": key}


@pytest.mark.django_db
class TestARepeatedRequest:
    def test_is_answered_as_the_first_time_and_done_once(self, api):
        key = once(str(uuid4()))
        first = api.post(COMPANIES, {"name": "Larch"}, format="json", **key)
        again = api.post(COMPANIES, {"name": "Larch"}, format="json", **key)
        assert first.status_code == again.status_code == 201
        assert again.json() == first.json()
        assert (again["ETag"], again["Location"]) == (first["ETag"], first["Location"])
        assert (again["Idempotency-Replayed"], "Idempotency-Replayed" in first) == ("true", False)
        assert Counterparty.objects.count() == 1

    def test_keeps_refusals_dry_runs_and_what_changed_nothing(self, api):
        company = make_counterparty("Larch")
        address = f"{COMPANIES}{company.pk}/"
        for key, body, query in (
            ("refused", {"name": ""}, ""),
            ("same", {"name": "Larch"}, ""),
            ("dry", {"name": "Other"}, "?dry_run=1"),
        ):
            answers = [
                api.patch(f"{address}{query}", body, format="json", **once(key), **tag(company))
                for _ in range(2)
            ]
            assert answers[0].json() == answers[1].json()
            assert answers[1]["Idempotency-Replayed"] == "true"
            assert answers[0]["Content-Type"] == answers[1]["Content-Type"]
        assert Counterparty.objects.get().version == 1

    def test_with_another_body_is_no_repetition(self, api, api_of, administrator):
        assert api.post(COMPANIES, {"name": "A"}, format="json", **once("k")).status_code == 201
        other = api.post(COMPANIES, {"name": "B"}, format="json", **once("k"))
        assert (other.status_code, other.json()["type"]) == (422, "urn:oegen:problem:key-reused")
        somebody = api_of(administrator).post(COMPANIES, {"name": "B"}, format="json", **once("k"))
        assert somebody.status_code == 201, "keys are each token's own"
        for wrong in ("", "two words", "x" * 256):
            answer = api.post(COMPANIES, {"name": "C"}, format="json", **once(wrong))
            assert answer.status_code == (201 if not wrong else 400)

    def test_is_forgotten_after_two_days(self, api):
        api.post(COMPANIES, {"name": "A"}, format="json", **once("k"))
        run_job("tidy")
        assert AnsweredRequest.objects.exists()
        AnsweredRequest.objects.update(created_at=timezone.now() - KEPT_FOR)
        run_job("tidy")
        assert not AnsweredRequest.objects.exists()


@pytest.mark.usefixtures("transactional_db")
def test_of_eight_at_once_with_one_key_one_writes(portfolio_manager):
    _, secret = make_token(portfolio_manager, scopes=[Scope.WRITE])
    answers, meeting = [], threading.Barrier(8)

    def post():
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        meeting.wait()
        answers.append(client.post(COMPANIES, {"name": "Larch"}, format="json", **once("k")))
        connections.close_all()

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counterparty.objects.count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    done = [answer for answer in answers if answer.status_code == 201]
    assert len({json.dumps(answer.json()) for answer in done}) == 1
    assert sum("Idempotency-Replayed" not in answer for answer in done) == 1


@pytest.mark.usefixtures("transactional_db")
def test_of_two_changes_of_one_version_exactly_one_wins(portfolio_manager, is_full):
    _, secret = make_token(portfolio_manager, scopes=[Scope.WRITE])
    pipeline = make_pipeline("Larch")
    for number in range(200 if is_full else 10):
        pipeline.refresh_from_db()
        statuses, meeting = [], threading.Barrier(2)

        def patch(word, statuses=statuses, meeting=meeting, number=number):
            client = APIClient()
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
            meeting.wait()
            body = {"next_step": f"{word} {number}"}
            address = f"{PIPELINES}{pipeline.pk}/"
            answer = client.patch(address, body, format="json", **tag(pipeline))
            statuses.append(answer.status_code)
            connections.close_all()

        threads = [threading.Thread(target=patch, args=[word]) for word in ("Call", "Write")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200, 412]


@pytest.mark.django_db
class TestATriedWrite:
    def test_tells_each_value_and_changes_nothing(self, api):
        pipeline = make_pipeline("Larch", stage="design")
        numbers = ChangeSet.objects.count()
        body = {"stage": "procurement", "reason": "Tendered"}
        address = f"{PIPELINES}{pipeline.pk}/?dry_run=1"
        answer = api.patch(address, body, format="json", **tag(pipeline))
        assert answer.status_code == 200
        assert answer.json()["dry_run"] is True
        changes = {one["kind"]: one for one in answer.json()["changes"]}
        assert changes["pipelines"]["values"] == {"stage": {"old": "design", "new": "procurement"}}
        assert changes["stage-transitions"]["action"] == "created"
        created = api.post(f"{COMPANIES}?dry_run=1", {"name": "Acme"}, format="json").json()
        assert created["changes"][0]["values"]["name"] == {"old": None, "new": "Acme"}
        removed = api.delete(f"{PIPELINES}{pipeline.pk}/?dry_run=1", **tag(pipeline)).json()
        assert {one["action"] for one in removed["changes"]} == {"removed"}
        assert ChangeSet.objects.count() == numbers
        assert Pipeline.objects.get().stage.code == "design"
        assert not Counterparty.objects.exists()


@pytest.mark.django_db
class TestManyAtOnce:
    def test_are_one_change_set(self, api):
        old, gone = make_counterparty("Old"), make_counterparty("Gone")
        answer = api.post(
            f"{COMPANIES}bulk/",
            {
                "reason": "March list",
                "operations": [
                    {"do": "create", "values": {"name": "New"}},
                    {"do": "change", "id": str(old.pk), "version": 1, "values": {"country": "ES"}},
                    {"do": "remove", "id": str(gone.pk), "version": 1},
                ],
            },
            format="json",
        )
        assert answer.status_code == 200, answer.json()
        results = answer.json()["results"]
        assert [one["version"] for one in results] == [1, 2, None]
        change_set = ChangeSet.objects.latest("number")
        assert change_set.reason == "March list"
        rows = audit.history_model(Counterparty).objects.filter(change_set=change_set)
        assert rows.count() == 3
        assert set(Counterparty.objects.values_list("name", flat=True)) == {"New", "Old"}

    def test_are_all_done_or_none_and_each_refusal_has_its_place(self, api):
        old = make_counterparty("Old")
        operations = [
            {"do": "create", "values": {"name": "New"}},
            {"do": "create", "values": {"name": ""}},
            {"do": "change", "id": str(old.pk), "version": 7, "values": {"country": "ES"}},
            {"do": "change", "id": str(uuid4()), "version": 1, "values": {}},
            {"do": "create", "values": {"nmae": "X"}},
        ]
        answer = api.post(f"{COMPANIES}bulk/", {"operations": operations}, format="json")
        assert answer.status_code == 400
        found = {one["operation"]: one["status"] for one in answer.json()["operations"]}
        assert found == {1: 400, 2: 412, 3: 404, 4: 400}
        assert set(Counterparty.objects.values_list("name", flat=True)) == {"Old"}
        many = [{"do": "create", "values": {"name": f"{n}"}} for n in range(1001)]
        answer = api.post(f"{COMPANIES}bulk/", {"operations": many}, format="json")
        assert answer.status_code == 400
        lacking = api.post(f"{COMPANIES}bulk/", {"operations": [{"do": "remove"}]}, format="json")
        assert "operations.0.id" in lacking.text

    def test_need_a_scope_of_their_own(self, api_of, portfolio_manager):
        body = {"operations": [{"do": "create", "values": {"name": "New"}}]}
        for scopes, status in (([Scope.WRITE], 403), ([Scope.BULK], 200)):
            api = api_of(portfolio_manager, scopes)
            assert api.post(f"{COMPANIES}bulk/", body, format="json").status_code == status
