"""What is written through the API leaves the history that the same writes leave through forms, and
what one refuses, the other refuses with the same sentences."""

from datetime import date

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from oegen import audit
from oegen.api.scopes import Scope
from pipelines.models import Pipeline, Stage, StageTransition
from tests.support.builders import make_pipeline, make_token, make_user
from tests.support.desk import Desk, errors_of

pytestmark = pytest.mark.django_db

DAYS = st.sampled_from(["", "2024-02-29", "2026-03-01", "2031-12-31", "2126-01-01"])

#: Fields of a pipeline as a form has them; empty ones are null or blank in the API.
WRITES = st.fixed_dictionaries(
    {"reason": st.sampled_from(["", "Board decision"])},
    optional={
        "project_name": st.sampled_from(["Larch", "  Birch  ", ""]),
        "stage": st.sampled_from(["discovery", "design", "construction", "completed"]),
        "on_hold": st.booleans(),
        "on_hold_reason": st.sampled_from(["", "Grid"]),
        "outcome": st.sampled_from(["active", "sold"]),
        "rtb_date": DAYS,
        "cod_date": DAYS,
        "rag_status": st.sampled_from(["", "red", "green"]),
        "rag_comment": st.sampled_from(["", "The grid offer is late."]),
        "ownership_pct": st.sampled_from(["100", "49.5", "101"]),
        "probability_pct": st.sampled_from(["", "0", "60"]),
        "probability_reason": st.sampled_from(["", "Permit granted"]),
        "next_step": st.sampled_from(["", "Call the council"]),
        "next_step_on": DAYS,
    },
)
NULL_IF_EMPTY = {"rtb_date", "cod_date", "probability_pct", "next_step_on"}


def by_form(desk: Desk, pipeline: Pipeline, write: dict) -> dict[str, set[str]]:
    """The errors by field; empty if it was saved."""
    data = desk.open(pipeline)
    values = {name: value for name, value in write.items() if name != "reason"}
    for name, value in values.items():
        if name == "stage":
            data[name] = str(Stage.objects.get(code=value).pk)
        elif isinstance(value, bool):
            data.pop(name, None)
            if value:
                data[name] = "on"
        else:
            data[name] = value
    data["change_reason"] = write["reason"]
    answer = desk.send(pipeline, data)
    if answer.status_code == 302:
        return {}
    found: dict[str, set[str]] = {}
    for line in errors_of(answer).splitlines():
        name, _, message = line.partition(": ")
        found.setdefault(name, set()).add(message)
    return found


def by_api(api: APIClient, pipeline: Pipeline, write: dict) -> dict[str, set[str]]:
    body = {
        name: None if name in NULL_IF_EMPTY and value == "" else value
        for name, value in write.items()
    }
    answer = api.patch(
        f"/api/v1/pipelines/{pipeline.pk}/",
        body,
        format="json",
        HTTP_IF_MATCH=f'"{pipeline.version}"',
    )
    if answer.status_code == 200:
        return {}
    assert answer.status_code == 400, answer.json()
    found: dict[str, set[str]] = {}
    for error in answer.json()["errors"]:
        # The API writes decimals with all their places.
        message = error["message"].replace(".00.", ".")
        found.setdefault(error["field"] or "__all__", set()).add(message)
    return found


def history_of(pipeline: Pipeline) -> list:
    """What the history says, but for the times and the way it came."""
    rows = pipeline.history.order_by("history_id")
    skipped = {"id", "created_at", "modified_at", "rag_confirmed_at"}
    fields = [one.attname for one in Pipeline._meta.concrete_fields if one.name not in skipped]
    moves = StageTransition.history.filter(pipeline=pipeline.pk).order_by("history_id")
    return [
        *(
            (
                row.history_type,
                row.history_change_reason,
                bool(row.rag_confirmed_at),
                *(getattr(row, name) for name in fields),
            )
            for row in rows
        ),
        *((one.stage_id, one.on_hold, one.outcome, one.effective_on) for one in moves),
    ]


@pytest.mark.parametrize("examples", [8, pytest.param(300, marks=pytest.mark.heavy)])
def test_history_and_refusals_are_the_same(examples):
    person = make_user("Portfolio managers")
    _, secret = make_token(person, scopes=tuple(Scope))
    api, browser = APIClient(), Client()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    browser.force_login(person)
    desk = Desk(browser)
    saved = refused = 0

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(writes=st.lists(WRITES, min_size=1, max_size=2))
    def play(writes):
        nonlocal saved, refused
        with transaction.atomic():
            one, other = (make_pipeline("Larch", rtb_date=date(2027, 1, 1)) for _ in range(2))
            for write in writes:
                one.refresh_from_db()
                other.refresh_from_db()
                in_form, in_api = by_form(desk, one, write), by_api(api, other, write)
                in_form = {
                    "reason" if name == "change_reason" else name: messages
                    for name, messages in in_form.items()
                }
                # What can't be read as a value is told before the rules are asked.
                assert set(in_api) <= set(in_form), (write, in_form, in_api)
                assert bool(in_api) == bool(in_form), (write, in_form, in_api)
                for name in in_api.keys() - {"reason"}:
                    assert in_api[name] <= in_form[name], (write, in_form, in_api)
                saved, refused = saved + (not in_form), refused + bool(in_form)
            assert history_of(one) == history_of(other)
            change_set = audit.history_model(Pipeline).objects.filter(id=other.pk).last().change_set
            assert change_set.person in (person, None)
            transaction.set_rollback(True)

    play()
    assert saved and refused, (saved, refused)
