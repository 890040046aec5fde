"""Several processes write at once, and some are killed: nothing is lost or half done."""

import multiprocessing
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest

from oegen import audit
from oegen.models import ChangeSet, Comment
from pipelines.models import Pipeline, PipelineFacility, Stage
from tests.support.builders import make_facility, make_pipeline
from tests.support.databases import database_url
from tests.support.writer import write

pytestmark = pytest.mark.usefixtures("transactional_db")

WRITERS = 8
#: Of each writer; in full many more.
EDITS, MANY_EDITS = 40, 200
TIMEOUT_SECONDS = 120


#: Every writer is a process of its own, forked from one that has Django ready: starting Python and
#: Django for each took longer than the writing.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([write.__module__])


class Writer:
    """A process of tests.support.writer that waits for ``go``."""

    def __init__(self, work: str, number: int, count: int = 10**6):
        self.line, child_connection = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=write, args=(work, number, count, child_connection))
        self.process.start()
        # Only the writer holds its end now: when it ends, so does what it tells.
        child_connection.close()

    def wait_until_ready(self):
        assert self.line.recv() == "ready"

    def go(self):
        self.line.send("go")

    def _reports(self) -> Iterator[list]:
        with suppress(EOFError):
            while self.line.poll(TIMEOUT_SECONDS):
                yield self.line.recv()

    def finish(self) -> list[list]:
        """What it told, once it is done; fails if it failed."""
        reported = list(self._reports())
        self.process.join(TIMEOUT_SECONDS)
        assert self.process.exitcode == 0
        return reported

    def kill_after(self, seconds: float) -> list[list]:
        """What it told until then."""
        self.process.join(seconds)
        self.process.kill()
        reported = list(self._reports())
        self.process.join(TIMEOUT_SECONDS)
        assert self.process.exitcode in (0, -signal.SIGKILL)
        return reported


@pytest.fixture
def start(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database_url())
    writers = []

    def start(*args) -> Writer:
        writers.append(Writer(*args))
        return writers[-1]

    yield start
    for writer in writers:
        writer.process.kill()
        writer.process.join()


def start_together(start, work: str, number: int, *args) -> list[Writer]:
    writers = [start(work, one, *args) for one in range(number)]
    for writer in writers:
        writer.wait_until_ready()
    return writers


def numbers_follow_on() -> bool:
    numbers = list(ChangeSet.objects.order_by("number").values_list("number", flat=True))
    return numbers == list(range(1, len(numbers) + 1))


def test_eight_writers_lose_no_edit_no_history_row_and_no_seal(start, findings, is_full):
    edits = MANY_EDITS if is_full else EDITS
    for number in range(20):
        make_pipeline(f"Pipeline {number}")
        make_facility(f"Facility {number}")
    before = ChangeSet.objects.count()

    writers = start_together(start, "edit", WRITERS, edits)
    for writer in writers:
        writer.go()
    reported = [entry for writer in writers for entry in writer.finish()]

    done = [entry for entry in reported if entry[0] not in ("again", "nothing")]
    texts = Counter(Pipeline.history.filter(version__gt=1).values_list("rag_comment", flat=True))
    assert texts == {text: rows for kind, text, rows in done if kind == "pipeline"}
    comments = {text for kind, text, _ in done if kind == "comment"}
    assert set(Comment.objects.values_list("text", flat=True)) == comments
    links = Counter(PipelineFacility.history.values_list("history_type", flat=True))
    kinds = Counter(kind for kind, _, _ in done)
    assert (links["+"], links["-"]) == (kinds["link"], kinds["unlink"])
    assert PipelineFacility.objects.count() == kinds["link"] - kinds["unlink"]

    assert len(done) > WRITERS * edits * 0.8
    assert ChangeSet.objects.count() - before == len(done)
    assert numbers_follow_on()
    versions = sum(Pipeline.objects.values_list("version", flat=True))
    assert versions == 20 + sum(texts.values())
    assert findings() == []


@pytest.fixture
def moments():
    """Random moments, in seconds, the same with each run."""
    return random.Random(4)


def assert_the_next_write_works(findings):
    pipeline = make_pipeline("The next", capacity_mw=1)
    assert pipeline.history.count() == 1
    assert numbers_follow_on()
    assert findings() == []


def test_killed_in_a_save(start, moments, findings):
    make_pipeline()
    writers = start_together(start, "save_for_ever", 4)
    for writer in writers:
        writer.go()
    reported = [one for writer in writers for one in writer.kill_after(moments.uniform(0.1, 0.6))]

    assert {writer.process.exitcode for writer in writers} == {-signal.SIGKILL}
    texts = list(Pipeline.history.filter(version__gt=1).values_list("rag_comment", flat=True))
    assert {text for _, text, _ in reported} <= set(texts)
    assert sorted(Comment.history.values_list("text", flat=True)) == sorted(texts)
    assert_the_next_write_works(findings)


@pytest.mark.heavy
def test_killed_in_a_bulk_edit(start, moments, findings):
    design = Stage.objects.get(code="design")
    Pipeline.objects.bulk_create(Pipeline(project_name=f"{n}", stage=design) for n in range(1200))
    writers = start_together(start, "bulk_edit", 3)
    for writer in writers:
        writer.go()
        reported = writer.kill_after(moments.uniform(0.1, 1.2))
        (text,) = Pipeline.objects.values_list("rag_comment", flat=True).distinct().order_by()
        assert not reported or text.split("-")[0] == reported[-1][1].split("-")[0]
    assert Pipeline.objects.values("version").distinct().order_by().count() == 1
    assert_the_next_write_works(findings)


@pytest.mark.heavy
def test_killed_in_an_import(start, moments, findings):
    empty = counts()
    writers = start_together(start, "import_demo", 4)
    for writer in writers[:-1]:
        writer.go()
        reported = writer.kill_after(moments.uniform(0.05, 0.5))
        is_there = ChangeSet.objects.filter(source="import").exists()
        assert is_there or not reported
        assert (counts() != empty) == is_there
    writers[-1].go()
    writers[-1].finish()
    assert Pipeline.objects.count() == 9
    assert_the_next_write_works(findings)


def counts() -> list[int]:
    models = audit.tracked_models()
    return [one.objects.count() for model in models for one in (model, model.history.model)]
