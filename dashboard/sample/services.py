from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import date
from random import Random

from django.db import transaction

from counterparties.models import Counterparty
from dashboard.sample.companies import Companies
from dashboard.sample.history import History
from dashboard.sample.information_points import InformationPoints
from dashboard.sample.projects import Projects
from infopoints.models import InformationPoint
from oegen.core import words
from oegen.core.garbage import rare_garbage_collection
from pipelines.models import Pipeline

DEFAULT_PIPELINES = 60

#: The number of projects or companies written together, to limit the use of memory.
CHUNK = 500


class NotEmptyError(Exception):
    """The database has business records, with which sample data must not be mixed."""


def counterparties_for(pipelines: int) -> int:
    """The number of counterparties: 25 for 60 pipelines, about 5,000 for 100,000."""
    return max(8, round(25 * math.pow(pipelines / DEFAULT_PIPELINES, 0.714)))


def information_points_for(pipelines: int) -> int:
    """The number of information points: 40 for 60 pipelines, about 10,000 for 100,000."""
    return max(5, round(40 * math.pow(pipelines / DEFAULT_PIPELINES, 0.745)))


@rare_garbage_collection()
@transaction.atomic
def load_sample(
    *,
    pipelines: int = DEFAULT_PIPELINES,
    seed: int = 1,
    today: date,
    progress: Callable[[int], object] = lambda done: None,
) -> Counter[str]:
    """Write a sample portfolio whose history ends on the working day before ``today``.

    ``progress`` is called with the number of companies or projects written since the last call.
    Returns the number of rows of each kind. Raises NotEmptyError if there are business records.
    """
    _require_empty()
    history = History(Random(seed), today)  # noqa: S311, it makes up data and keeps no secret
    companies = Companies(history)
    for number, _ in enumerate(companies.create(counterparties_for(pipelines)), start=1):
        if number % CHUNK == 0:
            history.write()
        progress(1)
    history.write()

    projects = Projects(history, companies)
    information_points = InformationPoints(history, companies)
    points = information_points_for(pipelines)
    for start in range(0, pipelines, CHUNK):
        end = min(start + CHUNK, pipelines)
        created = projects.create(end - start)
        information_points.create(points * end // pipelines - points * start // pipelines, created)
        history.write()
        progress(end - start)
    return history.totals


def _require_empty() -> None:
    for model in (Pipeline, Counterparty, InformationPoint):
        if number := model.objects.count():
            raise NotEmptyError(
                f"The database already holds {number:,} {words.noun_of(model, number)}. The sample "
                "is for an empty one, so that it never mixes with your own records: nothing was "
                "changed. Name another database in DATABASE_URL to load it there."
            )
