"""Writers wait for each other's rows before they take the turn to seal, never in their turn."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from counterparties.models import Counterparty
from oegen import audit
from pipelines.models import CounterpartyRole, Pipeline
from tests.support.builders import make_counterparty, make_pipeline

pytestmark = [
    pytest.mark.usefixtures("transactional_db"),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time"),
]

TIMEOUT_SECONDS = 20


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
    for _ in range(TIMEOUT_SECONDS * 100):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        pause.wait(0.01)
    raise AssertionError("Nobody waited.")


def test_a_link_to_a_record_that_is_being_removed_is_refused_and_nobody_is_stuck(
    together, findings
):
    pipeline, acme = make_pipeline(), make_counterparty("Acme")
    owner = CounterpartyRole.objects.get(code="owner")
    ready = Barrier(2, timeout=TIMEOUT_SECONDS)

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
    assert findings() == []


def test_bulk_updates_of_the_same_rows_in_different_orders(together, findings):
    for number in range(60):
        make_pipeline(f"Pipeline {number:02}")
    ready = Barrier(4, timeout=TIMEOUT_SECONDS)

    def write(order):
        def write():
            ready.wait()
            for _ in range(5):
                Pipeline.objects.order_by(order).update(rag_comment=order)

        return write

    orders = ("project_name", "-project_name", "id", "-id")
    assert together(*map(write, orders)) == [None] * 4
    assert set(Pipeline.objects.values_list("version", flat=True)) == {21}
    assert findings() == []


def comment_on(pipeline, text):
    Pipeline.objects.filter(pk=pipeline.pk).update(rag_comment=text)


def test_of_two_transactions_in_each_others_way_one_is_broken_off_whole(together, findings):
    """A transaction of several change sets keeps the turn to seal after its first one: it may
    then wait for somebody's row who waits for the turn."""
    kestrel, rowan = make_pipeline("Kestrel"), make_pipeline("Rowan")
    ready = Barrier(2, timeout=TIMEOUT_SECONDS)

    def two_change_sets():
        with transaction.atomic():
            comment_on(kestrel, "both")
            ready.wait()
            comment_on(rowan, "both")

    def one_change_set():
        with audit.change_set():
            comment_on(rowan, "one")
            ready.wait()

    failures = together(two_change_sets, one_change_set)
    (broken_off,) = filter(None, failures)
    assert isinstance(broken_off, OperationalError)
    assert "deadlock detected" in str(broken_off)
    comments = dict(Pipeline.objects.values_list("project_name", "rag_comment"))
    if failures[0] is None:
        assert comments == {"Kestrel": "both", "Rowan": "both"}
    else:
        assert comments == {"Kestrel": "", "Rowan": "one"}
    assert findings() == []


def test_two_change_sets_become_one_without_being_in_the_way(together, findings):
    """What to do about it: one change set around both."""
    kestrel, rowan = make_pipeline("Kestrel"), make_pipeline("Rowan")
    ready = Barrier(2, timeout=TIMEOUT_SECONDS)

    def two_writes():
        with transaction.atomic(), audit.change_set():
            comment_on(kestrel, "both")
            ready.wait()
            comment_on(rowan, "both")

    def one_write():
        with audit.change_set():
            comment_on(rowan, "one")
            ready.wait()

    assert together(two_writes, one_write) == [None, None]
    assert Pipeline.objects.get(pk=kestrel.pk).rag_comment == "both"
    assert rowan.history.count() == 3
    assert findings() == []
