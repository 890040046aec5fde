"""Records through the API: read, filtered, as of a day, added, changed, removed, refused."""

from datetime import timedelta

import pytest

from counterparties.models import Counterparty
from oegen import audit
from oegen.core import clock
from oegen.models import ChangeSet, Comment
from pipelines.models import Facility, Pipeline, Stage, StageTransition
from tests.support.builders import make_contact, make_counterparty, make_facility, make_pipeline

pytestmark = pytest.mark.django_db

PIPELINES = "/api/v1/pipelines/"


def tag(record) -> dict:
    return {"HTTP_IF_MATCH": f'"{record.version}"'}


def test_a_record_has_its_fields_with_units_its_address_version_and_last_change(api):
    facility = make_facility("Moor", capacity_mw="12.5", latitude="57.1", longitude="-4")
    answer = api.get(f"/api/v1/facilities/{facility.pk}/")
    number = ChangeSet.objects.latest("number").number
    assert answer.json() == {
        "id": str(facility.pk),
        "url": f"http://testserver/api/v1/facilities/{facility.pk}/",
        "name": "Moor",
        "technology": facility.technology.code,
        "capacity_mw": "12.500",
        "storage_mwh": None,
        "export_limit_mw": None,
        "latitude_deg": "57.100000",
        "longitude_deg": "-4.000000",
        "country": "",
        "region": "",
        "created_at": answer.json()["created_at"],
        "modified_at": answer.json()["modified_at"],
        "version": 1,
        "last_change": {"change_set": number, "at": answer.json()["modified_at"]},
    }
    assert answer["ETag"] == '"1"'


def test_lists_are_paged_by_key_filtered_as_pages_are_and_counted_on_request(api):
    made = [make_pipeline(f"Moor {n}", rag_status="red" if n % 2 else "green") for n in range(7)]
    page = api.get(PIPELINES, {"limit": 3, "rag": "red", "count": 1}).json()
    assert page["count"] == 3
    assert page["next"] is None
    assert {one["project_name"] for one in page["results"]} == {"Moor 1", "Moor 3", "Moor 5"}

    found, address = [], f"{PIPELINES}?limit=3"
    while address:
        page = api.get(address).json()
        assert "count" not in page
        found += [one["id"] for one in page["results"]]
        address = page["next"]
    assert found == sorted(str(one.pk) for one in made)


def test_what_is_no_filter_is_refused_and_never_ignored(api):
    answer = api.get(PIPELINES, {"statsu": "design", "rtb_from": "soon"})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == "urn:oegen:problem:invalid"
    assert body["errors"][0]["field"] == "statsu"
    answer = api.get(PIPELINES, {"rtb_from": "soon", "rag": "pink"})
    assert {one["field"]: one["message"] for one in answer.json()["errors"]} == {
        "rag": "There is no “pink” here: choose one from the list.",
        "rtb_from": "Give a day as year-month-day, such as 2027-03-14.",
    }


def test_the_past_is_read_and_never_written(api):
    day = clock.today() - timedelta(days=2)
    with audit.change_set(recorded_at=clock.start_of(day)):
        pipeline = make_pipeline("Larch", rag_status="green")
    pipeline = Pipeline.objects.get()
    pipeline.rag_status = "red"
    pipeline.save()
    address = f"{PIPELINES}{pipeline.pk}/"
    old = api.get(address, {"as_of": str(day)})
    assert (old.json()["rag_status"], old.json()["version"]) == ("green", 1)
    assert old["ETag"] == f'"1@{day}"'
    assert api.get(address).json()["rag_status"] == "red"
    assert api.get(PIPELINES, {"as_of": str(day - timedelta(days=1))}).json()["results"] == []
    refused = api.patch(f"{address}?as_of={day}", {"rag_status": "amber"}, format="json")
    assert refused.status_code == 400
    assert "can only be read" in refused.json()["detail"]
    tomorrow = clock.today() + timedelta(days=1)
    assert "future" in api.get(PIPELINES, {"as_of": str(tomorrow)}).json()["detail"]


def test_added_changed_and_removed_with_reasons_in_the_history(api, portfolio_manager):
    answer = api.post(
        PIPELINES,
        {"project_name": "Larch", "stage": "design", "reason": "From the tracker"},
        format="json",
    )
    assert answer.status_code == 201, answer.json()
    assert answer["Location"] == answer.json()["url"]
    made = Pipeline.objects.get()
    change_set = ChangeSet.objects.latest("number")
    assert (change_set.person, change_set.source) == (portfolio_manager, audit.Source.API)
    assert change_set.reason == "From the tracker"

    body = {"next_step": "Call the council"}
    address = answer["Location"]
    changed = api.patch(address, body, format="json", **tag(made))
    assert (changed.status_code, changed["ETag"]) == (200, '"2"')
    same = api.patch(address, body, format="json", HTTP_IF_MATCH='W/"2"')
    assert (same.status_code, same["ETag"]) == (200, '"2"')
    assert made.history.count() == 2, "nothing differed, so nothing was written"

    made.refresh_from_db()
    removed = api.delete(address, HTTP_CHANGE_REASON="Twice", **tag(made))
    assert removed.status_code == 204
    assert ChangeSet.objects.latest("number").reason == "Twice"
    assert not Pipeline.objects.exists()
    assert api.get(address).status_code == 404


def test_a_version_read_through_compression_counts(api):
    company = make_counterparty("Larch " * 30, website="https://larch.example/" + "a" * 150)
    address = f"/api/v1/counterparties/{company.pk}/"
    read = api.get(address, HTTP_ACCEPT_ENCODING="gzip")
    assert (read["Content-Encoding"], read["ETag"]) == ("gzip", 'W/"1"')
    body = {"name": "Larch", "reason": "Renamed"}
    changed = api.patch(address, body, format="json", HTTP_IF_MATCH=read["ETag"])
    assert (changed.status_code, changed["ETag"]) == (200, '"2"')


def test_a_change_needs_the_version_that_was_read(api, portfolio_manager):
    pipeline = make_pipeline("Larch", rag_status="green")
    address = f"{PIPELINES}{pipeline.pk}/"
    for wrong in ({}, {"HTTP_IF_MATCH": "*"}, {"HTTP_IF_MATCH": '"x"'}):
        answer = api.patch(address, {"region": ""}, format="json", **wrong)
        assert answer.status_code in (400, 428)
        assert api.delete(address, **wrong).status_code == 428
    with audit.change_set(person=portfolio_manager, reason="Grid refused"):
        Pipeline.objects.update(rag_status="red")
    stale = api.patch(address, {"next_step": "Call"}, format="json", **tag(pipeline))
    assert stale.status_code == 412
    (change,) = stale.json()["changes"]
    assert change["person"] == "Priya Shah"
    assert change["reason"] == "Grid refused"
    assert "Red" in change["what"]
    assert Pipeline.objects.get().next_step == ""


def test_rules_sentences_reasons_and_questions_are_those_of_the_forms(api):
    pipeline = make_pipeline("Larch", stage="design")
    address = f"{PIPELINES}{pipeline.pk}/"

    def refused(**body) -> dict[str, str]:
        answer = api.patch(address, body, format="json", **tag(pipeline))
        assert answer.status_code == 400, answer.json()
        return {one["field"]: one["message"] for one in answer.json()["errors"]}

    assert refused(stage="design", on_hold_reason="Waiting") == {
        "on_hold_reason": "Tick “on hold” as well, or clear this reason."
    }
    assert refused(stage="nowhere")["stage"].startswith("There is no “nowhere” here")
    for no_code in ("de\x00sign", 7, None, ["design"]):
        assert set(refused(stage=no_code)) == {"stage"}
    Stage.objects.filter(code="construction").update(is_active=False)
    assert refused(stage="construction", reason="x")["stage"].startswith("“construction” is not on")
    assert refused(rag_status="red") == {"reason": "Say why: you change rag_status."}
    assert refused(proejct_name="x") == {"proejct_name": "There is no field “proejct_name” here."}
    assert refused(version=7) == {"version": "This field can't be written."}
    assert "status_effective_on" in refused(status_effective_on="2026-01-01", next_step="x")

    far = str(clock.today() + timedelta(days=365 * 60))
    asked = api.patch(address, {"rtb_date": far, "reason": "x"}, format="json", **tag(pipeline))
    body = asked.json()
    if asked.status_code == 400 and body["type"].endswith("question"):
        keys = [one["confirm"] for one in body["errors"]]
        again = {"rtb_date": far, "reason": "x", "save_anyway": keys}
        assert api.patch(address, again, format="json", **tag(pipeline)).status_code == 200


def test_a_move_keeps_its_effective_day_and_its_day_can_be_corrected(api):
    pipeline = make_pipeline("Larch", stage="design")
    StageTransition.objects.update(effective_on="2025-01-01")
    body = {"stage": "procurement", "status_effective_on": "2025-06-01", "reason": "Tendered"}
    answer = api.patch(f"{PIPELINES}{pipeline.pk}/", body, format="json", **tag(pipeline))
    assert answer.json()["status"] == "Procurement", answer.json()
    moves = api.get("/api/v1/stage-transitions/", {"pipeline": str(pipeline.pk)}).json()["results"]
    move = next(one for one in moves if one["stage"] == "procurement")
    assert move["effective_on"] == "2025-06-01"
    moved = StageTransition.objects.get(pk=move["id"])
    body = {"effective_on": "2025-05-01", "reason": "Was earlier"}
    answer = api.patch(move["url"], body, format="json", **tag(moved))
    assert answer.json()["effective_on"] == "2025-05-01"
    assert api.post("/api/v1/stage-transitions/", {}, format="json").status_code == 405


def test_links_reference_rows_and_what_is_in_use(api, api_of, administrator):
    pipeline, facility, company = make_pipeline("Larch"), make_facility("Moor"), make_counterparty()
    body = {"pipeline": str(pipeline.pk), "facility": str(facility.pk)}
    assert api.post("/api/v1/pipeline-facilities/", body, format="json").status_code == 201
    twice = api.post("/api/v1/pipeline-facilities/", body, format="json")
    assert twice.status_code == 400
    assert "already part of the pipeline" in twice.json()["detail"]
    lead = {"pipeline": body["pipeline"], "counterparty": str(company.pk), "role": "lead-developer"}
    assert api.post("/api/v1/pipeline-counterparties/", lead, format="json").status_code == 201
    in_use = api.delete(f"/api/v1/counterparties/{company.pk}/", **tag(company))
    assert in_use.status_code == 409
    assert Counterparty.objects.exists()
    stage = {"name": "Scoping", "code": "scoping", "order": 5}
    assert api.post("/api/v1/stages/", stage, format="json").status_code == 403
    assert api_of(administrator).post("/api/v1/stages/", stage, format="json").status_code == 201


def test_comments_belong_to_their_author(api, api_of, manager, portfolio_manager):
    contact = make_contact("Ann Birch")
    body = {"record_type": "contact", "record": str(contact.pk), "text": "Called her"}
    made = api.post("/api/v1/comments/", body, format="json")
    assert made.status_code == 201, made.json()
    comment = Comment.objects.get()
    assert (comment.author, comment.subject) == (portfolio_manager, contact)
    body["text"] = "@nobody-here look"
    assert api.post("/api/v1/comments/", body, format="json").status_code == 400
    body |= {"record": str(company_key()), "text": "x"}
    assert "There is no contact" in api.post("/api/v1/comments/", body, format="json").text
    other = api_of(manager).patch(made.json()["url"], {"text": "No"}, format="json", **tag(comment))
    assert other.status_code == 403


def company_key():
    return make_counterparty("Other").pk


def test_managers_read_and_write_nothing(api_of, manager):
    pipeline = make_pipeline("Larch")
    api = api_of(manager)
    address = f"{PIPELINES}{pipeline.pk}/"
    assert api.get(address).status_code == 200
    for answer in (
        api.post(PIPELINES, {"project_name": "x", "stage": "design"}, format="json"),
        api.patch(address, {"next_step": "x"}, format="json", **tag(pipeline)),
        api.delete(address, **tag(pipeline)),
    ):
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:oegen:problem:forbidden"
    assert api.get("/api/v1/alert-rules/").status_code == 403


def test_every_other_address_and_every_broken_body_is_a_problem_too(api, client):
    for answer in (
        api.get("/api/v1/nothing/"),
        api.get(f"{PIPELINES}no-id/"),
        api.post(PIPELINES, "{", content_type="application/json"),
        api.post(PIPELINES, "<x/>", content_type="application/xml"),
        api.put(PIPELINES, {}, format="json"),
        client.get(PIPELINES),
    ):
        assert answer.status_code in (400, 401, 403, 404, 405, 415)
        assert answer["Content-Type"] == "application/problem+json"
        assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert set(api.get("/api/").json()) >= {"pipelines", "facilities", "comments"}
    assert Facility.objects.count() == 0
