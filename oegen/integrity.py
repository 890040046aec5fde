"""Is the history whole, and does it agree with the records? (``manage.py audit_check``)

Four questions, each with its own findings:

- are the triggers there that refuse changes of history;
- does every seal follow from the one before it and from the rows it covers;
- does every record's history run from version to version without a gap;
- does every record say what its last history row says.

Everything is read in the order of its keys; only some hundred change sets, and one record's
history, are held at a time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Exists, OuterRef

from oegen import audit, database, seals
from oegen.models import AuditedModel, ChangeSet

#: How many change sets are compared with their rows at a time.
CHUNK = 500

#: How far the clocks of several servers may be apart.
CLOCK_TOLERANCE = timedelta(seconds=5)

#: Where history rows may have other dates than the day they were written.
TOLD = (audit.Source.IMPORT, audit.Source.SAMPLE)


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was written: ``where`` names the record, table or change set.

    ``field``, ``now`` and ``recorded`` are given where one value differs from another.
    """

    where: str
    what: str
    field: str = ""
    now: str = ""
    recorded: str = ""

    def __str__(self):
        if not self.field:
            return f"{self.where}: {self.what}"
        return f"{self.where}: {self.what}: {self.field} is {self.now}, recorded is {self.recorded}"


class AnchorError(Exception):
    """A file that is no anchor; the text says why to people."""


@dataclass(frozen=True)
class Anchor:
    """The newest seal at a moment, to be kept where nobody who can write here can write."""

    number: int
    seal: str

    @classmethod
    def newest(cls) -> Anchor:
        newest = ChangeSet.objects.order_by("-number").values_list("number", "seal").first()
        return cls(*(newest or (0, seals.START)))

    @classmethod
    def read(cls, path: Path) -> Anchor:
        """Raises AnchorError."""
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            return cls(number=int(facts["change_set"]), seal=str(facts["seal"]))
        except OSError as error:
            raise AnchorError(f"{path} can't be read: {error.strerror}.") from error
        except (ValueError, TypeError, KeyError) as error:
            raise AnchorError(
                f"{path} is no anchor: it should hold what --anchor wrote, such as "
                '{"change_set": 12, "seal": "…"}.'
            ) from error

    def write(self, path: Path) -> None:
        """Raises AnchorError."""
        try:
            path.write_text(
                json.dumps({"change_set": self.number, "seal": self.seal}) + "\n",
                encoding="utf-8",
            )
        except OSError as error:
            raise AnchorError(f"{path} can't be written: {error.strerror}.") from error

    def findings(self) -> Iterator[Finding]:
        if not self.number:
            return
        seal = ChangeSet.objects.filter(number=self.number).values_list("seal", flat=True).first()
        if seal is None:
            yield Finding(
                f"Change set {self.number}",
                "it is in the anchor and no longer here: the end of the history was removed",
            )
        elif seal != self.seal:
            yield Finding(
                f"Change set {self.number}",
                "its seal is not the anchor's: the history up to here was written anew",
                "seal",
                seal,
                self.seal,
            )


class Check:
    """One run over everything. ``counts`` says what was read, once ``findings`` is used up."""

    def __init__(self):
        self.counts: Counter[str] = Counter()

    def findings(self) -> Iterator[Finding]:
        yield from self._triggers()
        yield from self._change_sets()
        for model in audit.tracked_models():
            yield from self._strays(model)
            yield from self._histories(model)

    @staticmethod
    def _triggers() -> Iterator[Finding]:
        for table, name in database.missing_triggers(DEFAULT_DB_ALIAS):
            yield Finding(
                f"Table {table}",
                f"its trigger {name} is missing or was altered; `manage.py migrate` makes it again",
            )

    # The chain of seals ---------------------------------------------------------------------------

    def _change_sets(self) -> Iterator[Finding]:
        number, seal, sealed_at = 0, seals.START, None
        while True:
            # By number and not by one long query: the rows of each chunk are read in between.
            chunk = list(ChangeSet.objects.filter(number__gt=number).order_by("number")[:CHUNK])
            if not chunk:
                return
            for change_set in chunk:
                self.counts["change sets"] += 1
                where = f"Change set {change_set.number}"
                if change_set.number != number + 1:
                    gone = f"{number + 1} to {change_set.number - 1}"
                    yield Finding(where, f"the ones before it are missing (numbers {gone})")
                elif seals.seal_of(change_set, seal) != change_set.seal:
                    yield Finding(
                        where,
                        "its seal does not follow from what it says and the seal before it: it, "
                        "or the seal of the one before, was altered",
                    )
                if sealed_at and change_set.sealed_at < sealed_at - CLOCK_TOLERANCE:
                    yield Finding(
                        where,
                        "the clock was set back before it was written",
                        "sealed at",
                        _moment(change_set.sealed_at),
                        f"after {_moment(sealed_at)}",
                    )
                number, seal = change_set.number, change_set.seal
                sealed_at = change_set.sealed_at
            yield from self._rows_of(chunk)

    def _rows_of(self, chunk: list[ChangeSet]) -> Iterator[Finding]:
        """Compare the rows of some change sets with what was sealed of them."""
        by_key = {change_set.pk: change_set for change_set in chunk}
        there: dict[UUID, dict[str, list]] = {key: {} for key in by_key}
        told: set[tuple[UUID, str]] = set()
        for history in map(audit.history_model, audit.tracked_models()):
            label = history._meta.label_lower
            rows = history.objects.filter(change_set__in=list(by_key)).order_by(
                "change_set_id", "history_id"
            )
            for key, members in groupby(rows.iterator(), lambda row: row.change_set_id):
                tally = seals.Tally()
                for row in members:
                    self.counts["history rows"] += 1
                    digest = seals.digest_of(row)
                    tally.add(row.history_id, digest)
                    if digest != row.digest:
                        told.add((key, label))
                        yield Finding(_entry(row), "it does not say what it said when sealed")
                    yield from _dated_rightly(row, by_key[key])
                there[key][label] = tally.as_contents()
        for key, change_set in by_key.items():
            for label in sorted({*change_set.contents, *there[key]}):
                sealed = change_set.contents.get(label, [0, ""])
                found = there[key].get(label, [0, ""])
                where = f"Change set {change_set.number}"
                if found[0] != sealed[0]:
                    yield Finding(
                        where,
                        "history rows were added or removed",
                        f"number of {label}",
                        str(found[0]),
                        str(sealed[0]),
                    )
                elif found != sealed and (key, label) not in told:
                    yield Finding(where, f"its rows of {label} are not the ones that were sealed")

    # Records --------------------------------------------------------------------------------------

    @staticmethod
    def _strays(model: type[AuditedModel]) -> Iterator[Finding]:
        known = ChangeSet.objects.filter(pk=OuterRef("change_set_id"))
        for row in audit.history_model(model).objects.filter(~Exists(known)).iterator():
            yield Finding(_entry(row), "it belongs to no change set")

    def _histories(self, model: type[AuditedModel]) -> Iterator[Finding]:
        """Walk the records and their histories side by side, both in the order of their keys."""
        rows = audit.history_model(model).objects.order_by("id", "version", "history_id")
        histories = groupby(rows.iterator(), lambda row: row.id)
        records = model._base_manager.order_by("pk").iterator()
        record = next(records, None)
        for key, history in histories:
            while record is not None and record.pk.hex < key.hex:
                yield self._without_history(record)
                record = next(records, None)
            live = record if record is not None and record.pk == key else None
            yield from self._chain(model, list(history), live)
            if live is not None:
                record = next(records, None)
        while record is not None:
            yield self._without_history(record)
            record = next(records, None)

    def _without_history(self, record: AuditedModel) -> Finding:
        self.counts["records"] += 1
        return Finding(_record(type(record), record), "it is here, and no history row says so")

    def _chain(
        self, model: type[AuditedModel], rows: list, live: AuditedModel | None
    ) -> Iterator[Finding]:
        """One record: its history rows by version, and the record as it is, if it is."""
        written = [row for row in rows if row.version]
        last = None
        for row in written:
            expected = _expected(last, row, has_past=len(written) < len(rows))
            if expected:
                yield Finding(_entry(row), expected)
            if last and row.history_id < last.history_id:
                yield Finding(_entry(row), "it stands before the entry it follows on")
            if last and row.history_date < last.history_date - CLOCK_TOLERANCE:
                yield Finding(
                    _entry(row),
                    "the clock was set back before it was written",
                    "date",
                    _moment(row.history_date),
                    f"after {_moment(last.history_date)}",
                )
            last = row
        if live is not None:
            self.counts["records"] += 1
            if last is None:
                yield Finding(_record(model, live), "it is here, and no history row says so")
            elif last.history_type == audit.REMOVED:
                yield Finding(_record(model, live), "it is here, and its last entry is a removal")
            else:
                yield from _differences(model, live, last)
        elif last is not None and last.history_type != audit.REMOVED:
            yield Finding(_record(model, last), "it is gone, and no entry says who removed it")


def _expected(last, row, *, has_past: bool) -> str:
    """What is wrong with ``row`` as the entry that follows on ``last``; empty if nothing is."""
    if last is None:
        # What an import told of a record's past comes before its version 1.
        first = row.history_type == audit.CREATED or (has_past and row.history_type == "~")
        if row.version == 1 and first:
            return ""
        return "the entries before it are missing"
    if last.history_type == audit.REMOVED:
        if row.history_type == audit.CREATED and row.version == last.version + 1:
            return ""
        return "it follows on a removal, and is no return of the record"
    if row.history_type == audit.CREATED:
        return "it adds a record that was there already"
    step = 0 if row.history_type == audit.REMOVED else 1
    if row.version != last.version + step:
        return f"it follows on version {last.version}: the entries between are missing or doubled"
    return ""


def _dated_rightly(row, change_set: ChangeSet) -> Iterator[Finding]:
    if change_set.source in TOLD or change_set.source == audit.Source.MIGRATION:
        return
    if not (
        change_set.recorded_at - CLOCK_TOLERANCE
        <= row.history_date
        <= change_set.sealed_at + CLOCK_TOLERANCE
    ):
        yield Finding(
            _entry(row),
            f"its date lies outside the time of its change set {change_set.number}",
            "date",
            _moment(row.history_date),
            f"{_moment(change_set.recorded_at)} to {_moment(change_set.sealed_at)}",
        )


def _differences(model: type[AuditedModel], live: AuditedModel, last) -> Iterator[Finding]:
    for field in model._meta.concrete_fields:
        if field.generated:
            continue
        now, recorded = (seals.plain(field, getattr(row, field.attname)) for row in (live, last))
        if now != recorded:
            yield Finding(
                _record(model, live),
                "it was changed past the history",
                str(field.verbose_name),
                repr(now),
                repr(recorded),
            )


def _record(model: type[AuditedModel], row) -> str:
    """The kind of record, its name where it has one of its own, and its id."""
    noun = str(model._meta.verbose_name).capitalize()
    if model.LINK_OWNER:
        return f"{noun} {row.id}"
    name = str(getattr(row, "instance", row))
    return f"{noun} “{name}” ({row.id})"


def _entry(row) -> str:
    return f"{_record(row.instance_type, row)}, version {row.version}, {_moment(row.history_date)}"


def _moment(when) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"
