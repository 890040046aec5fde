"""The processes of the concurrency tests. A process sends "ready", waits for a message, writes, and
reports each write: its kind, its text, and the number of rows.

The module can be imported before a fork: it sets up Django without connecting to the database.
"""

import multiprocessing
import os
import random
from collections.abc import Callable
from io import StringIO
from multiprocessing.connection import Connection

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
if not apps.ready:
    django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError
from django.urls import reverse

from oegen import audit
from oegen.core.exceptions import StaleRecordError
from oegen.models import Comment
from pipelines.models import Facility, Pipeline, PipelineFacility

# Imports the URL configuration now, which the first message with an address would do.
reverse("pipelines")

Report = Callable[..., None]


def edit(report: Report, number: int, count: int) -> None:
    """Write in every way to the records that the other processes edit; retry stale ones."""
    rng = random.Random(number)
    keys = sorted(Pipeline.objects.values_list("pk", flat=True))
    facilities = sorted(Facility.objects.values_list("pk", flat=True))

    def save(text):
        pipeline = Pipeline.objects.get(pk=rng.choice(keys))
        pipeline.rag_comment = text
        pipeline.save()
        return "pipeline", 1

    def update(text):
        return "pipeline", Pipeline.objects.filter(pk__in=rng.sample(keys, 3)).update(
            rag_comment=text
        )

    def bulk_update(text):
        pipelines = list(Pipeline.objects.filter(pk__in=rng.sample(keys, 3)))
        for pipeline in pipelines:
            pipeline.rag_comment = text
        return "pipeline", Pipeline.objects.bulk_update(pipelines, ["rag_comment"])

    def comment(text):
        Comment.objects.create(subject=Pipeline(pk=rng.choice(keys)), text=text)
        return "comment", 1

    def link(text):
        pair = {"pipeline_id": rng.choice(keys), "facility_id": rng.choice(facilities)}
        PipelineFacility.objects.create(**pair)
        return "link", 1

    def unlink(text):
        chosen = PipelineFacility.objects.filter(pipeline=rng.choice(keys)).first()
        if chosen is None:
            return "nothing", 0
        chosen.delete()
        return "unlink", 1

    works = [save, save, update, bulk_update, comment, link, unlink]
    for turn in range(count):
        text = f"{number}-{turn}"
        work = rng.choice(works)
        while True:
            try:
                kind, rows = work(text)
            except (StaleRecordError, IntegrityError):
                report("again", text)
            else:
                report(kind, text, rows)
                break


def save_for_ever(report: Report, number: int, count: int) -> None:
    """Write a pipeline and a comment in one change set, repeatedly."""
    for turn in range(count):
        text = f"{number}-{turn}"
        with audit.change_set(reason=text):
            pipeline = Pipeline.objects.select_for_update().order_by("pk")[0]
            pipeline.rag_comment = text
            pipeline.save()
            Comment.objects.create(subject=pipeline, text=text)
        report("both", text)


def bulk_edit(report: Report, number: int, count: int) -> None:
    for turn in range(count):
        text = f"{number}-{turn}"
        rows = Pipeline.objects.update(rag_comment=text)
        report("bulk", text, rows)


def import_demo(report: Report, number: int, count: int) -> None:
    from tests.dashboard.demo_import import DEMO

    settings.VAR_DIR = settings.VAR_DIR / f"writer-{number}"
    # The progress bar's lock is then this process's own, and is not missed when it is killed.
    multiprocessing.set_start_method("fork", force=True)
    call_command("import_demo_csv", DEMO, apply=True, stdout=StringIO())
    report("import", str(number))


def write(work: str, number: int, count: int, line: Connection) -> None:
    """Run the function of the process; ``line`` is the connection to the test."""

    def report(kind: str, text: str, rows: int = 1) -> None:
        line.send([kind, text, rows])

    line.send("ready")
    line.recv()
    WORKS[work](report, number, count)


WORKS = {work.__name__: work for work in (edit, save_for_ever, bulk_edit, import_demo)}
