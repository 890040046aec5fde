"""Four processes write the same thing from the same page at the same moment, in every way there is
to write: one of them does it, and the others are told, never with a 500."""

import multiprocessing
import re
from collections import Counter

import pytest

from counterparties.models import Counterparty
from oegen import audit
from oegen.models import ChangeSet, Comment
from pipelines.models import CounterpartyRole, Pipeline, PipelineCounterparty, Stage
from tests.support.builders import make_counterparty, make_pipeline, make_user
from tests.support.databases import database_url
from tests.support.racer import race

pytestmark = pytest.mark.usefixtures("transactional_db")

WRITERS = 4
TIMEOUT_SECONDS = 120

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([race.__module__])


@pytest.fixture
def racers(monkeypatch):
    """Connections to four processes that wait for tasks."""
    monkeypatch.setenv("DATABASE_URL", database_url())
    connections, processes = [], []
    for number in range(WRITERS):
        racer, child_connection = PROCESSES.Pipe()
        process = PROCESSES.Process(target=race, args=(number, child_connection))
        process.start()
        child_connection.close()
        connections.append(racer)
        processes.append(process)
    yield connections
    for process in processes:
        process.kill()
        process.join()


@pytest.fixture
def person():
    return make_user(None, "ada", is_superuser=True)


@pytest.fixture
def run(racers, person):
    """Have everybody prepare, then send; the answers, as (status, words)."""

    def run(action: str, *args, **kwargs) -> list[tuple[int, str]]:
        for racer in racers:
            racer.send((person.pk, action, [str(one) for one in args], kwargs))
        for racer in racers:
            assert racer.poll(TIMEOUT_SECONDS)
            assert racer.recv() == "ready"
        for racer in racers:
            racer.send("go")
        answers = []
        for racer in racers:
            assert racer.poll(TIMEOUT_SECONDS)
            status, text = racer.recv()
            answers.append((status, " ".join(re.sub(r"<[^>]+>", " ", text).split())))
        return answers

    return run


def assert_one_won(answers, won: int, lost: int, words: str) -> None:
    statuses = Counter(status for status, _ in answers)
    losers = [text for status, text in answers if status == lost and words in text]
    assert statuses[won] >= 1, answers
    assert len(losers) == WRITERS - 1, [
        (status, text[:3000]) for status, text in answers if status != won
    ]


def written_since(number: int) -> int:
    return ChangeSet.objects.filter(number__gt=number).count()


COUNTERPARTY = "counterparties.counterparty"
CHANGED = "changed this while you had it open"


def test_one_wins_and_the_others_are_refused(run, person, subtests, findings):
    def pipeline() -> tuple:
        return (make_pipeline().pk,)

    def changed() -> Pipeline:
        one = make_pipeline()
        one.rag_comment = "Then"
        one.save()
        return one

    def newest() -> ChangeSet:
        return ChangeSet.objects.latest("number")

    def new_comment() -> Comment:
        return Comment.objects.create(subject=make_pipeline(), author=person, text="Well")

    def moved() -> tuple:
        one = make_pipeline()
        one.stage = Stage.objects.get(code="procurement")
        with audit.change_set(person=person, reason="Moved", source=audit.Source.BOARD) as current:
            one.save()
        return one.pk, current.pk

    def undone() -> tuple:
        changed()
        return (newest().number,)

    def restored() -> tuple:
        one = changed()
        return one.pk, one.history.get(version=1).history_id

    cases = [
        # action, its arguments, the status and words of who won, and of who lost
        ("form", pipeline, 302, 200, CHANGED),
        ("form_status", pipeline, 302, 200, CHANGED),
        ("editable_list", pipeline, 302, 200, CHANGED),
        ("board", pipeline, 201, 409, "moved"),
        ("undo_move", moved, 200, 409, "The pipeline has been changed since"),
        ("correct_comment", lambda: (new_comment().pk,), 302, 200, "changed this comment while"),
        ("remove_comment", lambda: (new_comment().pk,), 302, 409, "This comment has been removed"),
        ("undo", undone, 302, 200, "There is nothing left to undo"),
        ("restore", restored, 302, 200, "Somebody changed it meanwhile"),
        ("remove", pipeline, 302, 409, "has been removed"),
    ]
    for action, arguments, won, lost, words in cases:
        with subtests.test(action):
            args = arguments()
            before = newest().number
            answers = run(action, *args)
            assert_one_won(answers, won, lost, words)
            assert written_since(before) == 1
    assert findings() == []


def test_two_are_merged_once_and_never_over_a_change_that_was_not_seen(
    run, person, subtests, findings
):
    epc = CounterpartyRole.objects.get(code="epc")

    def pair() -> tuple:
        stays, goes = make_counterparty(), make_counterparty()
        for one in (stays, goes):
            PipelineCounterparty.objects.create(
                pipeline=make_pipeline(), counterparty=one, role=epc
            )
        return stays.pk, goes.pk

    with subtests.test("merge"):
        there = Counterparty.objects.count()
        answers = run("merge", *pair())
        assert_one_won(answers, 302, 409, "Nothing was merged")
        assert Counterparty.objects.count() == there + 1
        assert PipelineCounterparty.objects.count() == 2
    for _ in range(3):
        with subtests.test("merge or change"):
            stays, goes = pair()
            before = ChangeSet.objects.latest("number").number
            answers = run("merge_or_change", stays, goes)
            assert written_since(before) == 1
            assert [status for status, _ in answers].count(302) == 1, answers
            is_merged = not Counterparty.objects.filter(pk=goes).exists()
            for number, (status, text) in enumerate(answers):
                if status == 302:
                    assert is_merged == bool(number % 2)
                elif number % 2:
                    assert (status, "Nothing was merged" in text) == (409, True), text[:3000]
                elif is_merged:
                    assert (status, "has been removed" in text) == (409, True), text[:3000]
                else:
                    assert (status, CHANGED in text) == (200, True), text[:3000]
    assert findings() == []


def test_what_needs_no_version_is_written_by_all(run, person, subtests, findings):
    one = make_pipeline(rag_status="red")
    for action, args in [
        ("comment", (one.pk,)),
        ("action", ("confirm_rag", one.pk)),
        ("choose_page_size", ()),
    ]:
        with subtests.test(action):
            answers = run(action, *args)
            assert [status for status, _ in answers] == [302] * WRITERS, answers
    assert Comment.objects.count() == WRITERS
    assert findings() == []


def test_the_same_thing_is_made_or_removed_once(run, person, subtests, findings):
    def removed():
        return "delete_selected", make_pipeline().pk, make_pipeline().pk

    cases = [
        # action, its arguments, the statuses, words for who lost, and change sets
        ("action", removed, {}, {302}, "", 1),
        ("add", lambda: (COUNTERPARTY,), {"name": "Larch"}, {200, 302}, "There is already", 1),
        ("save_view", tuple, {}, {302}, "You have a view called", 0),
        ("import_demo", tuple, {}, {200, 409}, "", 1),
    ]
    for action, arguments, kwargs, statuses, words, number in cases:
        with subtests.test(action):
            args = arguments()
            before = ChangeSet.objects.latest("number").number
            answers = run(action, *args, **kwargs)
            assert {status for status, _ in answers} <= statuses, answers
            assert sum(words in text for _, text in answers) >= WRITERS - 1, answers
            assert written_since(before) == number
    assert findings() == []
