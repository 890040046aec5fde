"""The registers of the sample: excerpts of real ones, and one that is invented."""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random

from django.db import transaction
from django.utils import timezone

from counterparties.models import Counterparty
from dashboard.sample import planning_register
from dashboard.sample.history import get_colleagues
from dashboard.sample.planning_register import Application
from dashboard.sample.tables import DATA
from oegen import audit
from oegen.core.garbage import rare_garbage_collection
from pipelines.registers.adapters.links import named_day
from pipelines.registers.adapters.operators import company_key
from pipelines.registers.editions.ingesting import Origin, ingest_file
from pipelines.registers.editions.states import project_id
from pipelines.registers.models import Match, MatchState, Register, RegisterCompany, RegisterProject

#: Excerpts as published, named by register and day; how they were cut is in DATA_LICENCES.md.
EXCERPTS = DATA / "registers"

#: How many days ago the editions of the invented register were published.
EDITIONS = (210, 30)


@rare_garbage_collection()
@transaction.atomic
def load_registers(*, seed: int = 1, today: date) -> Counter[str]:
    """Write the editions, each as ``manage.py ingest`` does, and decide on some of the matches
    with the portfolio that is there: every third is left to the review queue. Returns the number
    of rows of each kind."""
    for path in sorted(EXCERPTS.glob("*.csv")):
        register = Register.objects.get(code=path.name.split("-")[0])
        _ingest(register, path, named_day(path.name) or today)
    applications = planning_register.invent_applications(Random(seed), today)  # noqa: S311
    register = _write_planning_register(applications, today)
    _decide(register, applications)
    return Counter(
        {
            str(model._meta.verbose_name_plural): model._default_manager.count()
            for model in (RegisterProject, Match)
        }
    )


def _ingest(register: Register, path: Path, on: date) -> None:
    ingest_file(register, path, on=on, origin=Origin(path.name), source=audit.Source.SAMPLE)


def _write_planning_register(applications: list[Application], today: date) -> Register:
    register = Register(**planning_register.REGISTER, mapping=planning_register.MAPPING)
    with audit.change_set(source=audit.Source.SAMPLE, reason="The register of the sample"):
        register.save()
    with tempfile.TemporaryDirectory() as folder:
        for days_ago in EDITIONS:
            day = today - timedelta(days_ago)
            path = Path(folder) / f"{planning_register.CODE}-{day}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, planning_register.FIELDS, restval="")
                writer.writeheader()
                writer.writerows(filter(None, (one.row(day) for one in applications)))
            _ingest(register, path, day)
    return register


def _decide(register: Register, applications: list[Application]) -> None:
    """Accept the matches, of projects and of companies, but those that are left to people."""
    [person, *_] = get_colleagues(timezone.now())
    known = set(RegisterProject.objects.filter(register=register).values_list("pk", flat=True))
    ours = [
        (project_id(register, one.reference), one.facility)
        for one in applications
        if one.facility is not None
    ]
    companies = {
        one.name_key: one
        for one in RegisterCompany.objects.filter(project_links__project__register=register)
    }
    counterparties = [
        (companies[name], one)
        for one in Counterparty.objects.order_by("name")
        if (name := company_key(one.name)) in companies
    ]
    reason = "Matches of the sample's register with its portfolio"
    with audit.change_set(person=person, source=audit.Source.SAMPLE, reason=reason):
        for number, (key, facility) in enumerate(ours):
            if key in known and not planning_register.is_left_to_people(number):
                Match(project_id=key, record=facility, state=MatchState.ACCEPTED).save()
        for number, (company, counterparty) in enumerate(counterparties):
            if not planning_register.is_left_to_people(number):
                Match(company=company, record=counterparty, state=MatchState.ACCEPTED).save()
