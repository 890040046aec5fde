"""Many people press Save on one record at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from oegen.people import roles
from tests.support.builders import make_pipeline, make_user
from tests.support.desk import Desk, errors_of

PEOPLE = 8


@pytest.fixture
def desks(transactional_db):
    desks = []
    for _ in range(PEOPLE):
        client = Client()
        client.force_login(make_user(roles.PORTFOLIO_MANAGERS))
        desks.append(Desk(client))
    return desks


def press_save_together(desks, record, changes) -> list:
    """Everybody opens the form, then everybody sends it, each from a thread of its own."""
    forms = [desk.open(record) for desk in desks]
    ready = Barrier(len(desks))

    def press(desk, form, change):
        ready.wait()
        try:
            return desk.send(record, form | change)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(desks)) as pool:
        return list(pool.map(press, desks, forms, changes))


def test_one_is_saved_and_the_others_are_refused(desks):
    pipeline = make_pipeline("Before")
    changes = [{"project_name": f"Name {number}"} for number in range(PEOPLE)]
    responses = press_save_together(desks, pipeline, changes)
    assert sorted(response.status_code for response in responses) == [200] * (PEOPLE - 1) + [302]
    for response in responses:
        if response.status_code == 200:
            assert "changed this while you had it open" in errors_of(response)
    pipeline.refresh_from_db()
    assert pipeline.version == 2
    assert pipeline.history.count() == 2
    winner = next(n for n, response in enumerate(responses) if response.status_code == 302)
    assert pipeline.project_name == f"Name {winner}"


def test_two_new_lead_developers_at_once_are_one_and_a_refusal(desks):
    from pipelines.models import CounterpartyRole

    pipeline = make_pipeline()
    lead = str(CounterpartyRole.objects.get(code="lead-developer").pk)
    changes = [
        {
            "counterparty_links-TOTAL_FORMS": "1",
            "counterparty_links-0-new_counterparty": f"Developer {number}",
            "counterparty_links-0-role": lead,
        }
        for number in range(PEOPLE)
    ]
    responses = press_save_together(desks, pipeline, changes)
    assert sorted(response.status_code for response in responses) == [200] * (PEOPLE - 1) + [302]
    assert pipeline.counterparty_links.count() == 1
