"""Writing an edition: one change set, whatever it holds, or nothing."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

from oegen import audit
from oegen.core import bulk
from oegen.core.words import count
from oegen.people.models import User
from pipelines.registers.adapters.base import Row
from pipelines.registers.adapters.registry import adapter_of
from pipelines.registers.choices import RegisterOutcome
from pipelines.registers.editions.states import Contents, read_contents
from pipelines.registers.models import (
    Edition,
    Match,
    Register,
    RegisterProject,
    RegisterState,
    Reject,
    Sighting,
)
from pipelines.registers.models.project import DESCRIBED

#: How many keys a statement names.
_BATCH = 500

#: After how many rows the progress is reported.
_REPORT_EVERY = 1_000

#: Takes the steps that are done and those of all, as ``oegen.jobs.Run.report``, and a note.
Report = Callable[[int, int | None, str], object]

#: The outcomes whose number a summary gives, of projects that have them since.
_TOLD = (RegisterOutcome.REFUSED, RegisterOutcome.WITHDRAWN, RegisterOutcome.BUILT)


def _silent(done: int, total: int | None, note: str) -> None:
    return None


@dataclass(frozen=True)
class Origin:
    """Where a file came from: its name, and what the server said of it, for the next request."""

    file_name: str
    url: str = ""
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True)
class Ingested:
    """The edition that is there now. ``is_new`` says whether anything was written."""

    edition: Edition
    is_new: bool

    @property
    def message(self) -> str:
        what = f"{self.edition.register}, edition of {self.edition.date:%d %b %Y}"
        if not self.is_new:
            return f"{what}: nothing new, it is here already."
        rejected = (
            f" {count(self.edition.rejected, 'row')} rejected." if self.edition.rejected else ""
        )
        return f"{what}: {self.edition.summary}.{rejected}"


def ingest_file(
    register: Register,
    path: Path,
    *,
    on: date,
    origin: Origin,
    source: str,
    person: User | None = None,
    report: Report = _silent,
    finish: Callable[[str], object] = lambda message: None,
) -> Ingested:
    """Read the file and write it as the register's edition of that day.

    A file that says what the edition says already writes nothing, however it was saved. One that
    says something else takes its place. ``report`` is told how far it is; ``finish`` is called in
    the transaction of the write, with a sentence about it. Raises UnreadableFileError.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    known = Edition.objects.filter(register=register, date=on).first()
    if known is not None and known.file_digest == digest:
        return Ingested(known, is_new=False)
    rows = _counted(adapter_of(register).read(path, on), report)
    contents = read_contents(register, rows)
    report(0, None, f"{count(len(contents.states), 'project')} read, which are being written")
    with audit.change_set(
        person=person, source=source, reason=f"{register}, edition of {on:%d %b %Y}"
    ):
        # One edition of a register is written at a time.
        Register.objects.select_for_update().get(pk=register.pk)
        known = Edition.objects.filter(register=register, date=on).first()
        if known is not None and _says(known, contents):
            return Ingested(known, is_new=False)
        edition = known or Edition(register=register, date=on)
        edition.contents = uuid4()
        edition.file_name, edition.file_digest = origin.file_name, digest
        edition.source_url, edition.etag = origin.url, origin.etag
        edition.last_modified = origin.last_modified
        edition.rows, edition.rejected = len(contents.states), len(contents.rejects)
        edition.summary = _summary(register, on, contents)
        _write(edition, contents)
        # The projects are presented when it is written (editions/receivers.py).
        edition.save()
        ingested = Ingested(edition, is_new=True)
        finish(ingested.message)
    return ingested


def _counted(rows: Iterable[Row], report: Report) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number % _REPORT_EVERY == 0:
            report(0, None, f"{count(number, 'row')} read; they are written at the end")
        yield row


def _says(edition: Edition, contents: Contents) -> bool:
    said = set(
        Sighting.objects.filter(contents=edition.contents).values_list("state_id", flat=True)
    )
    rejected = sorted(edition.rejected_rows.values_list("reason", "text"))
    return said == contents.state_ids and rejected == sorted(
        (one.reason, one.text) for one in contents.rejects
    )


def _write(edition: Edition, contents: Contents) -> None:
    """Insert what is not there yet."""
    states = [state for state, _ in contents.states]
    known_projects = _known(RegisterProject, contents.keys)
    bulk.insert(
        RegisterProject,
        [
            RegisterProject(
                pk=state.project_id,
                register_id=edition.register_id,
                key=contents.keys[state.project_id],
                **{name: getattr(state, name) for name in DESCRIBED},
            )
            for state in states
            if state.project_id not in known_projects
        ],
    )
    known_states = _known(RegisterState, [state.pk for state in states])
    bulk.insert(RegisterState, [state for state in states if state.pk not in known_states])
    bulk.insert(
        Sighting,
        [
            Sighting(contents=edition.contents, state_id=state.pk, row=row)
            for state, row in contents.states
        ],
    )
    for reject in contents.rejects:
        reject.edition_id, reject.contents = edition.pk, edition.contents
    bulk.insert(Reject, contents.rejects)


def _known(model: type[RegisterProject | RegisterState], keys: Iterable[UUID]) -> set[UUID]:
    wanted = list(keys)
    found: set[UUID] = set()
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        found.update(model.objects.filter(pk__in=batch).values_list("pk", flat=True))
    return found


def _summary(register: Register, on: date, contents: Contents) -> str:
    """What is new against the edition before: “214 new, 31 refused, 14 vanished, 9 about our
    projects”, which are those of all that are matched with records of ours."""
    before = Edition.objects.filter(register=register, date__lt=on).order_by("-date").first()
    if before is None:
        return count(len(contents.states), "project")
    rows = Sighting.objects.filter(contents=before.contents).values_list(
        *("state__project_id", "state__stage_id", "state__outcome", "state__capacity_mw")
    )
    known = {project: values for project, *values in rows.iterator()}
    new = moved = 0
    became: Counter[str] = Counter()
    changed: set[UUID] = set()
    for state, _ in contents.states:
        old = known.pop(state.project_id, None)
        if old is None:
            new += 1
        elif old[:2] != [state.stage_id, state.outcome]:
            moved += 1
            became[state.outcome] += state.outcome != old[1]
        if old != [state.stage_id, state.outcome, state.capacity_mw]:
            changed.add(state.project_id)
    ours = Match.objects.accepted().filter(project__register=register)
    about = (changed | known.keys()).intersection(ours.values_list("project_id", flat=True))
    parts = [(new, "new")]
    parts += [(became[outcome], str(outcome.label).lower()) for outcome in _TOLD]
    parts += [(moved - sum(became[outcome] for outcome in _TOLD), "moved otherwise")]
    parts += [(len(known), "vanished"), (len(about), "about our projects")]
    return ", ".join(f"{number:,} {word}" for number, word in parts if number) or "nothing moved"
