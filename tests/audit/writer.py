"""A process that writes: ``python -m tests.audit.writer WORK NUMBER COUNT``.

It says "ready", waits for a line, works, and tells what the database took, one JSON list a line:
what was written, its text, and how many rows of it.
"""

import json
import os
import random
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")


def tell(kind: str, text: str, rows: int = 1) -> None:
    sys.stdout.write(json.dumps([kind, text, rows]) + "\n")
    sys.stdout.flush()


def edit(number: int, count: int) -> None:
    """Edits of every kind, on the records that the others edit; a stale one is tried again."""
    from django.db import IntegrityError

    from oegen.exceptions import StaleRecordError
    from oegen.models import Comment
    from pipelines.models import Facility, Pipeline, PipelineFacility

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
                tell("again", text)
            else:
                tell(kind, text, rows)
                break


def save_for_ever(number: int, count: int) -> None:
    """A pipeline and a comment in one change set, again and again."""
    from oegen import audit
    from oegen.models import Comment
    from pipelines.models import Pipeline

    for turn in range(count):
        text = f"{number}-{turn}"
        with audit.change_set(reason=text):
            pipeline = Pipeline.objects.select_for_update().order_by("pk")[0]
            pipeline.rag_comment = text
            pipeline.save()
            Comment.objects.create(subject=pipeline, text=text)
        tell("both", text)


def bulk_edit(number: int, count: int) -> None:
    from pipelines.models import Pipeline

    for turn in range(count):
        text = f"{number}-{turn}"
        rows = Pipeline.objects.update(rag_comment=text)
        tell("bulk", text, rows)


def import_demo(number: int, count: int) -> None:
    from io import StringIO

    from django.conf import settings
    from django.core.management import call_command

    from tests.imports.conftest import DEMO

    settings.VAR_DIR = settings.VAR_DIR / f"writer-{number}"
    call_command("import_demo_csv", DEMO, apply=True, stdout=StringIO())
    tell("import", str(number))


WORKS = {work.__name__: work for work in (edit, save_for_ever, bulk_edit, import_demo)}


def main(work: str, number: str, count: str) -> None:
    django.setup()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    WORKS[work](int(number), int(count))


if __name__ == "__main__":
    main(*sys.argv[1:])
