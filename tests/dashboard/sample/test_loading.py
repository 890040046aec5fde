import random
from collections import Counter

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from dashboard.sample import services
from dashboard.sample.services import (
    NotEmptyError,
    counterparties_for,
    information_points_for,
    load_sample,
)
from infopoints.models import InformationPoint
from oegen import audit
from oegen.models import ChangeSet, User
from pipelines.models import Pipeline
from tests.dashboard.sample.conftest import TODAY
from tests.support.builders import make_counterparty, make_information_point, make_pipeline

pytestmark = pytest.mark.django_db


def everything():
    """All rows, without the numbers that the database assigns and the seals over them."""
    change_sets = ChangeSet.objects.filter(source="sample").order_by("pk")
    rows = {
        "changesets": list(
            change_sets.values("id", "person_id", "reason", "source", "recorded_at", "number")
        )
    }
    for model in audit.tracked_models():
        rows[model._meta.label] = list(model._base_manager.order_by("pk").values())
        history = model.history.order_by("history_date", "id").values()
        rows[f"{model._meta.label} history"] = [
            {key: value for key, value in row.items() if key not in ("history_id",)}
            for row in history
        ]
    return rows


def loaded(**options):
    """The rows loaded with the options. Empties the database again; the users stay."""
    with transaction.atomic():
        load_sample(today=TODAY, **options)
        rows = everything()
        transaction.set_rollback(True)
    return rows


def test_the_same_seed_and_day_give_the_same_rows():
    from django.utils import timezone

    from dashboard.sample.history import get_colleagues

    get_colleagues(timezone.now())
    once = loaded(pipelines=20, seed=7)
    random.seed(99)
    again = loaded(pipelines=20, seed=7)
    assert once == again


def test_another_seed_gives_another_portfolio():
    names = set()
    for seed in (7, 8):
        rows = loaded(pipelines=20, seed=seed)
        names.add(tuple(sorted(row["project_name"] for row in rows["pipelines.Pipeline"])))
    assert len(names) == 2


def test_chunks_neither_lose_nor_double_anything(monkeypatch):
    monkeypatch.setattr(services, "CHUNK", 7)
    seen = Counter()
    totals = load_sample(pipelines=30, today=TODAY, progress=lambda done: seen.update(done=done))
    assert Pipeline.objects.count() == totals["pipelines"] == 30
    assert InformationPoint.objects.count() == information_points_for(30)
    assert seen["done"] == 30 + counterparties_for(30)
    history = sum(
        model.history.filter(change_set__source="sample").count()
        for model in audit.tracked_models()
    )
    assert totals["history rows"] == history


@pytest.mark.parametrize("make", [make_pipeline, make_counterparty, make_information_point])
def test_a_database_with_records_is_refused_and_left_as_it_is(make):
    make()
    users = User.objects.count()
    with pytest.raises(CommandError, match="already holds 1 "):
        call_command("load_sample", verbosity=0)
    assert User.objects.count() == users
    assert not ChangeSet.objects.filter(source="sample").exists()


def test_a_failure_half_way_leaves_nothing(monkeypatch):
    monkeypatch.setattr(services, "CHUNK", 10)

    def fail_late(done):
        if Pipeline.objects.count() >= 20:
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        load_sample(pipelines=40, today=TODAY, progress=fail_late)
    assert not Pipeline.objects.exists()
    assert not ChangeSet.objects.filter(source="sample").exists()
    assert not User.objects.exists()


def test_a_second_load_is_refused():
    load_sample(pipelines=3, today=TODAY)
    with pytest.raises(NotEmptyError):
        load_sample(pipelines=3, today=TODAY)


def test_the_command_says_what_it_made(capsys):
    call_command("load_sample", pipelines=5, seed=3)
    out, err = capsys.readouterr()
    assert "Pipelines" in out
    assert "History rows" in out
    assert "Sample portfolio: 100%" in err


@pytest.mark.parametrize("number", ["0", "-3", "many"])
def test_the_command_refuses_what_is_no_number_of_pipelines(number):
    with pytest.raises(CommandError, match=f"give 1 or more, not {number}"):
        call_command("load_sample", f"--pipelines={number}")


def test_the_numbers_grow_less_than_the_portfolio():
    assert (counterparties_for(60), information_points_for(60)) == (25, 40)
    assert 4_500 <= counterparties_for(100_000) <= 5_500
    assert 9_000 <= information_points_for(100_000) <= 11_000
