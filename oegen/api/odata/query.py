"""The query options of a request, and the SQL of a page.

A page follows the last row of the one before: its token holds the values that the rows are ordered
by. So a page costs the same wherever it is, and while rows are written each is read once.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from oegen.api.odata.errors import ODataError
from oegen.api.odata.filters import parse_filter
from oegen.api.odata.sets import Column, EntitySet
from oegen.api.odata.terms import text_in_order
from oegen.api.odata.types import STRING
from oegen.core.sql import Values, fetch

PAGE_SIZE = 5_000

#: The most rows that $skip passes over: it reads them all.
MAX_SKIP = 1_000_000

OPTIONS = ("$select", "$filter", "$orderby", "$top", "$skip", "$count", "$skiptoken", "$format")


@dataclass(frozen=True)
class Order:
    column: Column
    is_descending: bool = False

    def __str__(self) -> str:
        return f"{self.column.name} desc" if self.is_descending else self.column.name


@dataclass(frozen=True)
class Query:
    """What a request asks of a set. ``after``: the values of ``order`` in the last row read;
    ``top``: the most rows that are still to come; None: all."""

    entity_set: EntitySet
    columns: tuple[Column, ...]
    selected: tuple[Column, ...] | None
    condition: str
    params: Values
    filter_text: str
    order: tuple[Order, ...]
    top: int | None
    skip: int
    wants_count: bool
    after: tuple[Any, ...] | None
    personal: bool


@dataclass(frozen=True)
class Page:
    """``rows`` hold the values of ``columns``, and behind them what else the order needs;
    ``following`` is the query of the next page."""

    columns: tuple[Column, ...]
    rows: list[Values]
    following: Query | None


def read_query(
    entity_set: EntitySet, options: Iterable[tuple[str, list[str]]], *, personal: bool
) -> Query:
    """The query of a request with these options. Raises ODataError."""
    given = {}
    for name, values in options:
        if name not in OPTIONS:
            raise ODataError(
                f"There is no “{name}” here. There are {', '.join(OPTIONS)}.", target=name
            )
        if len(values) > 1:
            raise ODataError(f"“{name}” is given {len(values)} times: give it once.", target=name)
        given[name] = values[0].strip()
    columns = entity_set.columns_for(personal=personal)
    by_name = {column.name: column for column in columns}
    if given.get("$format", "json").partition(";")[0] not in ("json", "application/json"):
        raise ODataError("The only format is json.", target="$format", status=406)
    condition, params = "", ()
    if text := given.get("$filter", ""):
        condition, params = parse_filter(text, by_name)
    query = Query(
        entity_set,
        columns,
        _selection(given["$select"], by_name) if "$select" in given else None,
        condition,
        params,
        text,
        _order(given.get("$orderby", ""), entity_set, by_name),
        _number("$top", given["$top"]) if "$top" in given else None,
        _number("$skip", given["$skip"], MAX_SKIP) if "$skip" in given else 0,
        _flag(given.get("$count", "false")),
        None,
        personal,
    )
    if "$skiptoken" in given:
        query = replace(query, after=_position(given["$skiptoken"], query))
    return query


def read_page(query: Query) -> Page:
    """One statement."""
    columns = query.selected or query.columns
    size = PAGE_SIZE if query.top is None else min(query.top, PAGE_SIZE)
    if not size:
        return Page(columns, [], None)
    needed = list(dict.fromkeys([*columns, *(one.column for one in query.order)]))
    condition, params = query.condition, query.params
    if query.after is not None:
        following, after = _follows(query.order, query.after)
        condition = f"({condition}) AND ({following})" if condition else following
        params += after
    order = ", ".join(map(_order_sql, query.order))
    # One row more than the page tells whether there are others.
    sql, params = _statement(query, needed, condition, params)
    sql += f" ORDER BY {order} LIMIT {size + 1}"
    if query.skip and query.after is None:
        sql += f" OFFSET {query.skip}"
    rows = fetch(sql, params)
    is_last = len(rows) <= size or size == query.top
    following_query = None
    if not is_last:
        places = [needed.index(one.column) for one in query.order]
        last = tuple(rows[size - 1][place] for place in places)
        top = query.top and query.top - size
        following_query = replace(query, after=last, top=top, skip=0)
    return Page(columns, rows[:size], following_query)


def count_rows(query: Query) -> int:
    """The rows that meet the filter, whatever page. One statement."""
    column = query.order[-1].column
    sql, params = _statement(query, [column], query.condition, query.params)
    [(number,)] = fetch(f"SELECT COUNT(*) FROM ({sql}) AS counted", params)  # noqa: S608
    return int(number)


def query_string(query: Query) -> str:
    """The options of the address of the page ``query.after``, which a client follows as it is."""
    options = {}
    if query.selected is not None:
        options["$select"] = ",".join(column.name for column in query.selected)
    if query.filter_text:
        options["$filter"] = query.filter_text
    options["$orderby"] = ",".join(map(str, query.order))
    if query.top is not None:
        options["$top"] = str(query.top)
    if query.wants_count:
        options["$count"] = "true"
    options["$skiptoken"] = _token(query)
    return urlencode(options, quote_via=quote, safe="$,'")


# Options -----------------------------------------------------------------------------------------


def _selection(text: str, by_name: dict[str, Column]) -> tuple[Column, ...] | None:
    names = [name.strip() for name in text.split(",")]
    if "*" in names:
        return None
    for name in names:
        _known(name, by_name, "$select")
    return tuple(by_name[name] for name in dict.fromkeys(names))


def _order(text: str, entity_set: EntitySet, by_name: dict[str, Column]) -> tuple[Order, ...]:
    """With the key at its end, so that no two rows are at the same place."""
    found: dict[str, Order] = {}
    for part in text.split(",") if text else ():
        match = re.fullmatch(r"\s*(\S+?)(?:\s+(asc|desc))?\s*", part)
        if not match:
            raise ODataError(
                "“$orderby” takes columns, each with asc or desc behind it or nothing.",
                target="$orderby",
            )
        column = _known(match[1], by_name, "$orderby")
        found.setdefault(column.name, Order(column, match[2] == "desc"))
    for name in entity_set.key:
        found.setdefault(name, Order(by_name[name]))
    return tuple(found.values())


def _known(name: str, by_name: dict[str, Column], option: str) -> Column:
    if name not in by_name:
        raise ODataError(
            f"There is no column “{name}” here. The columns are {', '.join(by_name)}.",
            target=option,
        )
    return by_name[name]


def _number(option: str, text: str, most: int = 2_000_000_000) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text, re.ASCII) or int(text) > most:
        raise ODataError(f"“{option}” takes a number from 0 to {most:,}.", target=option)
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ODataError("“$count” takes true or false.", target="$count")
    return text == "true"


# Position ----------------------------------------------------------------------------------------


def _token(query: Query) -> str:
    """The position after the row ``query.after``, as text for the address."""
    values = [
        value if value is None or not (to_json := one.column.type.to_json) else to_json(value)
        for one, value in zip(query.order, query.after or (), strict=True)
    ]
    text = json.dumps([_order_text(query), *values], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(token: str, query: Query) -> tuple[Any, ...]:
    """The values in the token, as parameters. Raises ODataError."""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        order, *values = json.loads(text)
        if order != _order_text(query):
            raise ValueError("Of another order.")
        return tuple(
            None if value is None and one.column.is_nullable else _parameter(one.column, value)
            for one, value in zip(query.order, values, strict=True)
        )
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ODataError(
            "“$skiptoken” is not one that an “@odata.nextLink” of this set gave, with the same "
            "$orderby. Follow that address as it is.",
            target="$skiptoken",
        ) from error


def _parameter(column: Column, value: Any) -> Any:
    found = column.type.parse(value)
    if isinstance(found, str) and "\0" in found:
        raise ValueError("A text can't hold the character NUL.")
    return column.type.to_sql(found)


def _order_text(query: Query) -> str:
    return f"{query.entity_set.name}:{','.join(map(str, query.order))}"


# SQL ---------------------------------------------------------------------------------------------


def _statement(
    query: Query, needed: Sequence[Column], condition: str, params: Values
) -> tuple[str, Values]:
    """SELECT of the needed columns of the rows that meet the condition."""
    names = ", ".join(f'"{column.name}"' for column in needed)
    # Columns of the filter are read, too; the databases leave out what is in neither.
    read = list(dict.fromkeys([*needed, *_named_in(condition, query.columns)]))
    rows, row_params = query.entity_set.select(read, personal=query.personal)
    known = ", ".join(f'"{column.name}"' for column in read)
    where = f" WHERE {condition}" if condition else ""
    sql = f"WITH known ({known}) AS ({rows}) SELECT {names} FROM known{where}"  # noqa: S608
    return sql, row_params + params


def _named_in(condition: str, columns: Iterable[Column]) -> list[Column]:
    names = set(re.findall(r'"(\w+)"', condition))
    return [column for column in columns if column.name in names]


def _in_order(column: Column) -> str:
    name = f'"{column.name}"'
    return text_in_order(name) if column.type is STRING else name


def _order_sql(one: Order) -> str:
    direction = "DESC" if one.is_descending else "ASC"
    nulls = ""
    if one.column.is_nullable:
        nulls = " NULLS LAST" if one.is_descending else " NULLS FIRST"
    return f"{_in_order(one.column)} {direction}{nulls}"


def _follows(order: Sequence[Order], after: Sequence[Any]) -> tuple[str, Values]:
    """The condition, with parameters, that a row comes after the values."""
    one, value = order[0], after[0]
    name = _in_order(one.column)
    params: Values
    if value is None:
        beyond, equal, params = f"{name} IS NOT NULL", f"{name} IS NULL", ()
        if one.is_descending:
            beyond = "FALSE"
    else:
        beyond = f"{name} {'<' if one.is_descending else '>'} %s"
        if one.is_descending and one.column.is_nullable:
            beyond = f"({beyond} OR {name} IS NULL)"
        equal, params = f"{name} = %s", (value,)
    if len(order) == 1:
        return beyond, params
    rest, rest_params = _follows(order[1:], after[1:])
    if one.column.is_nullable:
        return f"({beyond} OR ({equal} AND {rest}))", params + params + rest_params
    # So that an index of the first column serves.
    limit = f"{name} {'<=' if one.is_descending else '>='} %s"
    return f"({limit} AND ({beyond} OR {rest}))", params + params + rest_params
