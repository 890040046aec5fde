"""Entity sets: flat tables with typed columns, which applications register in
``AppConfig.ready()``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import models
from django.db.models import BooleanField, Case, F, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat, NullIf, Trim
from django.utils.text import capfirst

from oegen.api.odata import types
from oegen.api.odata.types import Type
from oegen.core.sql import Values

#: What computes a column of a queryset: a path such as "stage__code", or a function, because some
#: expressions depend on the day.
Source = str | Callable[[], Combinable]


@dataclass(frozen=True)
class Column:
    """``description`` is a sentence for $metadata. ``is_personal``: left out unless the token may
    read personal data."""

    name: str
    type: Type
    description: str
    source: Source = ""
    is_nullable: bool = False
    is_personal: bool = False


class Select(Protocol):
    """SQL, with parameters, that selects these columns of a set in their order.

    ``personal``: whether the reader may read rows about people, where a set has some.
    """

    def __call__(self, columns: Sequence[Column], *, personal: bool) -> tuple[str, Values]: ...


@dataclass(frozen=True)
class EntitySet:
    """A table.

    No two rows have the same values in the columns of ``key``, which are never null; pages follow
    them. With ``is_personal`` the set is there only for tokens that may read personal data. Without
    ``is_in_sql`` there is no view of it for reporting: the server computes the rows, or which ones
    a past day has.
    """

    name: str
    entity: str
    description: str
    columns: tuple[Column, ...]
    select: Select
    key: tuple[str, ...] = ("id",)
    is_personal: bool = False
    is_in_sql: bool = True
    #: The columns by name.
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name: one for one in self.columns})

    def columns_for(self, *, personal: bool) -> tuple[Column, ...]:
        return tuple(one for one in self.columns if personal or not one.is_personal)


#: The registered sets by name.
SETS: dict[str, EntitySet] = {}


def register(entity_set: EntitySet) -> None:
    SETS[entity_set.name] = entity_set


def sets_for(*, personal: bool) -> list[EntitySet]:
    """The sets in the order of their names."""
    return [one for _, one in sorted(SETS.items()) if personal or not one.is_personal]


def of_queryset(rows: Callable[[], QuerySet[Any, Any]]) -> Select:
    """``select`` for a set whose columns' sources are expressions of this queryset."""

    def select(columns: Sequence[Column], *, personal: bool) -> tuple[str, Values]:
        # A prefix, because annotations can't be named as a field.
        named: dict[str, Any] = {
            f"c_{column.name}": F(source) if isinstance(source, str) else source()
            for column in columns
            for source in [column.source or column.name]
        }
        sql, params = (
            rows().order_by().annotate(**named).values_list(*named).query.sql_with_params()
        )
        return sql, params

    return select


def of_subquery(sql: Callable[..., tuple[str, Values]]) -> Select:
    """``select`` for a set that is SQL with all its columns by name; ``sql`` takes ``personal``."""

    def select(columns: Sequence[Column], *, personal: bool) -> tuple[str, Values]:
        names = ", ".join(f'"{column.name}"' for column in columns)
        rows, params = sql(personal=personal)
        return f"SELECT {names} FROM ({rows}) AS known", params  # noqa: S608 - SQL of our own

    return select


def fields(model: type[models.Model], *names: str, **described: str) -> list[Column]:
    """Columns of a model's fields of these names, with what the fields say of themselves.

    A foreign key gives the other record's id, under its column's name. ``described`` are sentences
    by name, for fields that have none of their own.
    """
    return [_of_field(model, name, described.get(name, "")) for name in (*names, *described)]


def _of_field(model: type[models.Model], name: str, description: str) -> Column:
    own: Any = model._meta.get_field(name)
    target = own.target_field if own.remote_field else own
    text = description or str(own.help_text) or f"{capfirst(str(own.verbose_name))}."
    return Column(own.attname, type_of(target), text, own.attname, bool(own.null))


def type_of(own: models.Field[Any, Any] | None) -> Type:
    """The type of a model's field. Raises TypeError for one that a flat table can't hold."""
    match own:
        case models.UUIDField():
            return types.GUID
        case models.BooleanField():
            return types.BOOLEAN
        case models.DateTimeField():
            return types.TIME
        case models.DateField():
            return types.DATE
        case models.DecimalField():
            return types.decimal(own.decimal_places)
        case models.BigIntegerField():
            return types.LONG
        case models.IntegerField():
            return types.INTEGER
        case models.GeneratedField():
            return type_of(own.output_field)
        case models.CharField() | models.TextField():
            return types.STRING
    raise TypeError(f"{own} has no type in OData.")


def bookkeeping(model: type[models.Model]) -> list[Column]:
    """The last columns of every set of records."""
    return fields(
        model,
        created_at="When it was entered.",
        modified_at="When it was last changed. Incremental refreshes filter by it.",
        version="The number of times it was written.",
    )


def truth(name: str, condition: Callable[[], Q], description: str) -> Column:
    """A column that says whether the condition holds."""

    def source() -> Combinable:
        return Case(When(condition(), then=True), default=False, output_field=BooleanField())

    return Column(name, types.BOOLEAN, description, source)


def person_name(name: str, person: str, description: str) -> Column:
    """A personal column with the name of the user at the path ``person``."""

    return Column(
        name,
        types.STRING,
        description,
        lambda: name_of(f"{person}__"),
        is_nullable=True,
        is_personal=True,
    )


def name_of(prefix: str = "") -> Coalesce:
    """A user's name, as ``str`` gives it; ``prefix`` is a lookup that leads to the user."""
    whole = Trim(Concat(f"{prefix}first_name", Value(" "), f"{prefix}last_name"))
    return Coalesce(NullIf(whole, Value("")), f"{prefix}username")
