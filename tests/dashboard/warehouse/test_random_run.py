"""Random writes with syncs beside them, two at once, some of them killed."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import IntegrityError
from django.utils import timezone

from dashboard.warehouse import syncing
from dashboard.warehouse.delta import Destination
from oegen import audit
from oegen.audit.revert.undoing import CannotUndoError, undo
from oegen.models import ChangeSet
from pipelines.models import (
    CounterpartyRole,
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    StageTransition,
)
from tests.dashboard.warehouse.tables import Warehouse, assert_equals_database
from tests.support.builders import make_counterparty, make_facility, make_pipeline
from tests.support.databases import database_url

pytestmark = [pytest.mark.usefixtures("transactional_db"), pytest.mark.heavy]

ROOT = Path(__file__).parents[3]
WRITES, KILLS, AT_ONCE = 2_000, 20, 2


def write(rng: random.Random, number: int, person) -> None:
    """One change set, of whatever kind, or none where a constraint refuses it; a third is dated
    back."""
    when = timezone.now() - timedelta(minutes=rng.randint(0, 300_000))
    dated = {"source": audit.Source.IMPORT, "recorded_at": when}
    if rng.random() < 0.1:
        newest = list(ChangeSet.objects.order_by("-number")[:20])
        with suppress(CannotUndoError):
            undo(change_set=rng.choice(newest), reason="Mistaken", person=person)
        return
    dated = dated if rng.random() < 0.3 else {}
    with suppress(IntegrityError), audit.change_set(person=person, **dated):
        _write(rng, number)


def _write(rng: random.Random, number: int) -> None:
    pipelines, facilities = list(Pipeline.objects.all()), list(Facility.objects.all())
    mw = Decimal(rng.randint(0, 99_999)) / 1000
    kind = rng.randrange(8) if len(pipelines) > 5 else 0
    if kind == 0:
        make_pipeline(f"Project {number}", technology=rng.choice(["wind", "bess"]), capacity_mw=mw)
    elif kind == 1:
        facility = rng.choice(facilities)
        facility.capacity_mw = mw
        facility.save()
    elif kind == 2:
        PipelineFacility.objects.get_or_create(
            pipeline=rng.choice(pipelines), facility=rng.choice(facilities)
        )
    elif kind == 3:
        pipeline = rng.choice(pipelines)
        pipeline.stage = rng.choice(list(Stage.objects.all()))
        pipeline.save()
    elif kind == 4:
        PipelineFacility.objects.filter(pk__in=PipelineFacility.objects.all()[:1]).delete()
    elif kind == 5:
        PipelineCounterparty.objects.get_or_create(
            pipeline=rng.choice(pipelines),
            counterparty=make_counterparty(f"Company {number}"),
            role=CounterpartyRole.objects.all()[rng.randrange(2)],
            share_pct=rng.choice([None, 30, 80]),
        )
    elif kind == 6:
        move = rng.choice(list(StageTransition.objects.all()))
        first = StageTransition.objects.filter(pipeline=move.pipeline).order_by("effective_on")[0]
        if move == first:
            move.effective_on -= timedelta(days=rng.randint(1, 90))
            move.save()
    else:
        make_facility(f"Plant {number}", "solar", capacity_mw=mw)


def start(destination: Destination) -> subprocess.Popen:
    command = [sys.executable, "-m", "django", "warehouse_sync", "--settings", "tests.settings"]
    return subprocess.Popen(
        [*command, "--to", destination.url],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def test_everything_is_there_once(tmp_path, administrator):
    rng = random.Random(19)
    warehouse = Warehouse(Destination(str(tmp_path / "warehouse")), syncing.sync)
    running: list[subprocess.Popen] = []
    killed, ended = 0, []
    for number in range(WRITES):
        write(rng, number, administrator)
        for process in [one for one in running if one.poll() is not None]:
            running.remove(process)
            ended.append(process.returncode)
            assert process.returncode == 0, process.stderr.read()
        while len(running) < AT_ONCE:
            running.append(start(warehouse.destination))
        if killed < KILLS and number >= (killed + 1) * WRITES // (KILLS + 1):
            process = running.pop(rng.randrange(len(running)))
            # It says so when it begins with a table.
            os.read(process.stderr.fileno(), 1)
            time.sleep(rng.random() * 1.5)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += 1
    for process in running:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert killed == KILLS
    assert ended
    warehouse.sync()
    assert_equals_database(warehouse)
    anew = Warehouse(Destination(str(tmp_path / "anew")), syncing.sync)
    anew.sync()
    assert warehouse.contents() == anew.contents()
