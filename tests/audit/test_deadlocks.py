"""Writers wait for each other's rows before they take the turn to seal, never in their turn."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import IntegrityError, connection

from counterparties.models import Counterparty
from oegen import audit
from pipelines.models import CounterpartyRole, Pipeline
from tests.builders import make_counterparty, make_pipeline

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time"),
]

PATIENCE = 20


@pytest.fixture
def together():
    """Run functions at once, each in a thread with a connection of its own."""

    def together(*functions):
        def run(function):
            try:
                return function()
            finally:
                connection.close()

        with ThreadPoolExecutor(len(functions)) as pool:
            return [future.exception() for future in [pool.submit(run, one) for one in functions]]

    return together


def wait_until_somebody_waits():
    pause = Event()
    for _ in range(PATIENCE * 100):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        pause.wait(0.01)
    raise AssertionError("Nobody waited.")


def test_a_link_to_a_record_that_is_being_removed_is_refused_and_nobody_is_stuck(
    together, new_findings
):
    pipeline, acme = make_pipeline(), make_counterparty("Acme")
    owner = CounterpartyRole.objects.get(code="owner")
    ready = Barrier(2, timeout=PATIENCE)

    def link():
        with audit.change_set():
            pipeline.counterparty_links.create(counterparty=acme, role=owner)
            ready.wait()

    def remove():
        with audit.change_set():
            Counterparty.objects.get(pk=acme.pk).delete()
            ready.wait()
            wait_until_somebody_waits()

    linking, removing = together(link, remove)
    assert isinstance(linking, IntegrityError)
    assert removing is None
    assert not Counterparty.objects.exists()
    assert new_findings() == []


def test_bulk_updates_of_the_same_rows_in_different_orders(together, new_findings):
    for number in range(60):
        make_pipeline(f"Pipeline {number:02}")
    ready = Barrier(4, timeout=PATIENCE)

    def write(order):
        def write():
            ready.wait()
            for _ in range(5):
                Pipeline.objects.order_by(order).update(rag_comment=order)

        return write

    orders = ("project_name", "-project_name", "id", "-id")
    assert together(*map(write, orders)) == [None] * 4
    assert set(Pipeline.objects.values_list("version", flat=True)) == {21}
    assert new_findings() == []
