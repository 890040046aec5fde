"""The tables of public registers: their projects as they are, and what each edition said of them.

Their columns are those of OData. Licence and attribution stand in each row. An operator that may be
a private individual was stored as “Private individual”, never by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

import pyarrow as pa

from dashboard.warehouse.columns import DAY, RENAMED, WHOLE, Column, key, type_of
from dashboard.warehouse.records import batches
from dashboard.warehouse.tables import BATCH, Table
from oegen.api.odata.sets import SETS
from oegen.core.fields import own_field
from oegen.models import AuditedModel
from pipelines.registers.models import Edition, Register, RegisterProject, Sighting
from pipelines.registers.models.project import Described

#: What the tables are made from. Codes of stages and technologies never change.
MADE_FROM: tuple[type[AuditedModel], ...] = (Edition, Register)


def _columns() -> dict[str, Column]:
    """The columns by their paths from a project."""
    found = {}
    for one in SETS["RegisterProjects"].columns:
        path = str(one.source)
        model: Any = RegisterProject
        for name in path.split("__"):
            field: Any = own_field(model, name)
            model = field.related_model
        type_, convert = type_of(field)
        name = RENAMED.get(one.name, one.name)
        found[path] = Column(name, type_, one.description, field.primary_key, convert)
    return found


_COLUMNS = _columns()

REGISTER_PROJECTS = Table(
    "register_projects",
    "Projects of public registers, as the newest edition describes them that has them. They are "
    "not our pipelines, and in none of our figures.",
    tuple(_COLUMNS.values()),
)

#: What an edition says of a project, and what its register asks for.
_DESCRIBED = {field.name for field in Described._meta.local_concrete_fields}
_SAID = [path for path in _COLUMNS if path.partition("__")[0] in _DESCRIBED]
_OF_REGISTER = [path for path in _COLUMNS if path.startswith("register__")]

REGISTER_EDITIONS = Table(
    "register_project_editions",
    "What each edition of a public register said of a project. current_edition has the editions.",
    (
        key("edition_id", "The edition.", is_required=True),
        Column("edition_on", DAY, "The day up to which the edition is said to be.", True),
        key("project_id", "The project's id, as in register_projects.", is_required=True),
        Column("line", WHOLE, "The line in the edition's file."),
        *(_COLUMNS[path] for path in (*_SAID, *_OF_REGISTER)),
    ),
)


def project_batches() -> Iterator[pa.RecordBatch]:
    rows = RegisterProject.objects.recorded().order_by().values_list(*_COLUMNS)
    return batches(REGISTER_PROJECTS, rows.iterator(chunk_size=BATCH))


def edition_batches(editions: Collection[UUID] | None = None) -> Iterator[pa.RecordBatch]:
    """What these editions said, or all."""
    return batches(REGISTER_EDITIONS, _edition_rows(editions))


def _edition_rows(editions: Collection[UUID] | None) -> Iterator[tuple[Any, ...]]:
    found = Edition.objects.order_by("register", "date")
    if editions is not None:
        found = found.filter(pk__in=editions)
    values = ("pk", "date", "contents", *_OF_REGISTER)
    for edition, day, contents, *of_register in found.values_list(*values):
        said = (
            Sighting.objects.filter(contents=contents)
            .order_by()
            .values_list("state__project_id", "row", *(f"state__{path}" for path in _SAID))
        )
        for row in said.iterator(chunk_size=BATCH):
            yield (edition, day, *row, *of_register)
