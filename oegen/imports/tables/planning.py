"""Planning an import: what each row of a file would do, and everything that stands against it.

The data flow::

    file → reading.open_table → Table           cells as the file has them
         → mapping.match_columns                columns → fields, formats; or questions
         → rows.RowReader → RowValues           cells → values of fields; or problems
         → matching.Matcher → Match             values → the record that is meant; or a question
         → finding.RecordFinder                 one record for each row, or group of rows
         → records, parts → Planned             values → changes of records and links; or conflicts
         → checking.Checker                     rules, permissions, questions of the models
         → Plan                                 rows with old and new values, problems, questions
         → applying.apply_plan                  change sets, in slices; tried first and rolled back

Rows are planned in batches, each in a fixed number of queries. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from oegen.audit.audited import AuditedModel
from oegen.core.words import count
from oegen.imports.tables import conflicts
from oegen.imports.tables.checking import Checker, close_refusals
from oegen.imports.tables.finding import Found, RecordFinder
from oegen.imports.tables.groups import GroupComparer
from oegen.imports.tables.kinds import REFERENCE, VERSION, ImportField, ImportKind
from oegen.imports.tables.links import LinkReader, Links
from oegen.imports.tables.lists import ListPlanner
from oegen.imports.tables.lookups import Lookups
from oegen.imports.tables.mapping import Mapping, MatchedColumns, match_columns
from oegen.imports.tables.matching import Matcher
from oegen.imports.tables.models import ExternalReference
from oegen.imports.tables.owners import OwnerFinder
from oegen.imports.tables.parts import PartPlanner, RowPart
from oegen.imports.tables.plans import Missing, Plan, Problem, RowState
from oegen.imports.tables.reading import Table
from oegen.imports.tables.records import FieldSetter, Registry
from oegen.imports.tables.rows import CLEAR, RowReader, RowValues
from oegen.people.models import User

BATCH = 500

#: The number of missing records that are named.
_MISSING = 1_000


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of an import. ``namespace`` makes the keys of its new records, the same
    whenever it is planned. ``save_anyway`` answers questions without looking: the file is right."""

    kind: ImportKind
    mapping: Mapping
    namespace: UUID
    person: User | None = None
    reason: str = "Import"
    choices: dict[str, str] = field(default_factory=dict)
    save_anyway: bool = False
    #: Whether slices of it are written already.
    is_resumed: bool = False


def plan(
    table: Table, request: Request, progress: Callable[[int], object] = lambda done: None
) -> Plan:
    """Plan the import of the table. ``progress`` is called with the number of rows planned."""
    matched = match_columns(table, request.kind, request.mapping, request.choices)
    remarks = [*table.remarks, *matched.remarks]
    if matched.questions:
        return Plan(questions=matched.questions, remarks=remarks)
    planner = _Planner(table, request, matched)
    found = planner.run(progress)
    found.remarks = remarks + found.remarks
    return found


class _Planner:
    def __init__(self, table: Table, request: Request, matched: MatchedColumns):
        self.table = table
        self.request = request
        self.kind = request.kind
        self.since = table.marker.change_set if table.marker else None
        self.lookups = Lookups(
            matched.mapping.source, request.choices, save_anyway=request.save_anyway
        )
        self.reader = RowReader(table, matched, self.lookups)
        self.registry = Registry(self.lookups)
        self.setter = FieldSetter(self.registry, self.reader, request.choices)
        self.links = LinkReader(self.registry, self.since)
        self.is_grouped = matched.grouping_place is not None
        self.parts = PartPlanner(
            self.registry,
            self.reader,
            self.setter,
            request.choices,
            request.namespace,
            renames=table.marker is not None,
            is_grouped=self.is_grouped or REFERENCE in self._part_identities(matched),
            save_anyway=request.save_anyway,
        )
        self.matcher = self._matcher(self.kind, "")
        self.own_fields = [one for one in self._mapped_fields("") if one.link is None]
        self.list_fields = [one for one in self._mapped_fields("") if one.link is not None]
        self.row_parts = {
            part.name: RowPart(
                part,
                self._matcher(part.own_kind, part.name, by_name=part.is_single),
                self._mapped_fields(part.name),
            )
            for part in self.kind.parts
        }
        self.lists = ListPlanner(self.parts)
        self.finder = self._finder()
        self.plan = Plan()

    def _part_identities(self, matched: MatchedColumns) -> set[str]:
        return {one.field.name.rpartition(".")[2] for one in matched.columns if one.field.part}

    def _matcher(self, kind: ImportKind, part: str, *, by_name: bool = True) -> Matcher:
        request = self.request
        return Matcher(
            kind,
            self.lookups,
            request.choices,
            request.namespace,
            save_anyway=request.save_anyway,
            part=part,
            by_name=by_name,
        )

    def _finder(self) -> RecordFinder:
        request = self.request
        row_parts = self.row_parts.values()
        owners = OwnerFinder(
            self.kind,
            self.lookups,
            self.reader,
            row_parts,
            request.choices,
            save_anyway=request.save_anyway,
        )
        comparer = GroupComparer(
            self.kind,
            self.reader,
            self.own_fields,
            row_parts,
            request.choices,
            save_anyway=request.save_anyway,
        )
        return RecordFinder(
            self.kind,
            self.registry,
            self.reader,
            self.matcher,
            owners,
            comparer,
            row_parts,
            request.namespace,
        )

    def _mapped_fields(self, part: str) -> list[ImportField]:
        return [one for one in self.kind.fields_of(part) if one.name in self.reader.by_field]

    def run(self, progress: Callable[[int], object]) -> Plan:
        done = 0
        for rows in self._batches():
            self._plan_batch(rows)
            done += len(rows)
            progress(done)
        self._check()
        self._find_missing()
        if self.reader.formulas:
            self.plan.remarks.append(
                f"{count(self.reader.formulas, 'cell')} had a formula; its stored result was read."
            )
        if self.reader.other_basis:
            self.plan.remarks.append(
                f"{count(self.reader.other_basis, 'capacity', 'capacities')} left out: the column "
                "measures DC or AC otherwise than the technology does here."
            )
        return self.plan

    def _batches(self) -> Iterator[list[RowValues]]:
        rows = self.reader.rows()
        while batch := list(islice(rows, BATCH)):
            for row in batch:
                self.plan.rows.append(row.plan)
                if row.is_left_out:
                    row.plan.state = RowState.LEFT_OUT
            yield batch

    # A batch -----------------------------------------------------------------------------------

    def _plan_batch(self, batch: list[RowValues]) -> None:
        for row in batch:
            if not (row.values or row.failed or row.plan.problems):
                row.is_left_out = True
                row.plan.state = RowState.LEFT_OUT
        rows = [row for row in batch if not row.is_left_out and not row.plan.problems]
        if self.request.is_resumed:
            made = self.matcher.made_before(rows)
            rows = [row for row in rows if row.number not in made]
        found = self.finder.find(rows)
        for part in self.row_parts.values():
            part.matcher.prefetch(
                part.matcher.identity(row) for row, _, _ in found if part.is_in(row)
            )
        stored = [record for _, record, is_new in found if not is_new]
        bases = self._bases(found)
        links = self._read_links(stored)
        for row, record, is_new in found:
            self._plan_row(row, record, is_new, bases, links)
        for row in batch:
            self.reader.settle_failures(row)
        self.registry.release({row.number for row in batch if not row.plan.is_plain})

    def _bases(self, found: list[Found]) -> dict[Any, AuditedModel]:
        """The records as they were in the versions that the file says, of those changed since."""
        versions = {}
        one = self.kind.fields[VERSION]
        for row, record, is_new in found:
            text = row.values.get(VERSION)
            if is_new or text is None or text is CLEAR:
                continue
            if not str(text).isdigit() or int(text) > record.version:
                self.reader.refuse(
                    row,
                    one,
                    f"“{record}” never had this version: it is at {record.version}. Export it "
                    "again.",
                )
            elif int(text) < self.registry.planned[type(record), record.pk].version:
                versions[record.pk] = int(text)
        bases = conflicts.at_versions(self.kind.model, versions)
        for base in bases.values():
            self.registry.attach(base)
        return bases

    def _read_links(self, owners: list[AuditedModel]) -> dict[str, Links]:
        found = {}
        for name, part in self.row_parts.items():
            if any(field in self.reader.by_field for field in part.names):
                found[name] = self.links.read(part.part.link, owners, with_targets=True)
        for one in self.list_fields:
            assert one.link is not None  # noqa: S101 - for mypy
            found[one.name] = self.links.read(one.link, owners, with_targets=False)
        return found

    def _plan_row(
        self,
        row: RowValues,
        record: AuditedModel,
        is_new: bool,
        bases: dict[Any, AuditedModel],
        links: dict[str, Links],
    ) -> None:
        self.setter.set_fields(
            row, record, self.own_fields, base=bases.get(record.pk), is_new=is_new
        )
        row.plan.name = str(record) if not self.kind.key_fields or not is_new else row.plan.name
        for name, part in self.row_parts.items():
            if name in links:
                self._share_new_links(record, links[name])
                self.parts.plan_part(row, record, part, links[name])
        for one in self.list_fields:
            self._share_new_links(record, links[one.name])
            self.lists.plan_list(row, record, one, links[one.name])

    def _share_new_links(self, record: AuditedModel, links: Links) -> None:
        """Let a group's row of a later batch see the links that an earlier one made."""
        if not self.is_grouped or record.pk in links.by_owner:
            return
        to = links.to
        for (model, _), planned in self.registry.planned.items():
            if (
                model is to.model
                and planned.is_new
                and getattr(planned.record, f"{to.owner}_id") == record.pk
                and all(getattr(planned.record, n) == v for n, v in to.values.items())
            ):
                links.by_owner[record.pk].append(planned.record)

    # The whole ----------------------------------------------------------------------------------

    def _check(self) -> None:
        request = self.request
        rows = {row.number: row for row in self.plan.rows}
        planned = list(self.registry.planned.values())
        Checker(
            rows,
            request.person,
            request.reason,
            request.choices,
            save_anyway=request.save_anyway,
        ).check(planned)
        self.plan.planned = [one for one in planned if one.has_effect]
        settle(self.plan)

    def _find_missing(self) -> None:
        """The records that the source knew and the file has no more."""
        if not self.lookups.source or REFERENCE not in self.reader.by_field:
            return
        model = self.kind.model
        rows = ExternalReference.objects.filter(
            source=self.lookups.source, content_type__model=model._meta.model_name
        )
        gone = set(rows.values_list("object_id", flat=True)) - self.finder.claimed.keys()
        records = model._base_manager.filter(pk__in=list(gone)[:_MISSING])
        self.plan.missing = [Missing(str(one.pk), str(one)) for one in records]


def settle(found: Plan) -> None:
    """Set the state of each row from what stands against it and what it writes."""
    rows = {row.number: row for row in found.rows}
    refused = {
        number
        for number, row in rows.items()
        if row.problems or row.asked or row.conflicts or row.state == RowState.LEFT_OUT
    }
    closed = close_refusals(found.planned, refused)
    for number in closed - refused:
        rows[number].problems.append(
            Problem(
                None,
                "",
                "",
                "A row is refused that belongs to this one, or that adds what it "
                "names: correct that row.",
            )
        )
    new = {str(one.record.pk) for one in found.planned if one.is_new}
    touched = {number for one in found.planned for number in one.setters}
    for number, row in rows.items():
        if row.state == RowState.LEFT_OUT:
            continue
        if row.problems or row.asked:
            row.state = RowState.REFUSED
        elif row.conflicts:
            row.state = RowState.CONFLICTING
        elif row.record in new:
            row.state = RowState.CREATED
        elif number in touched:
            row.state = RowState.CHANGED
        else:
            row.state = RowState.UNCHANGED
