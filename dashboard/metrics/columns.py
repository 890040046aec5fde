"""The columns of facts as metrics read them, and how totals are grouped and selected by these."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum, StrEnum
from operator import itemgetter

from oegen.core.sql import Values
from pipelines.querysets import OPEN


class Column(StrEnum):
    """The columns of facts as the metrics read them: one row per pipeline and facility; a pipeline
    without facilities has one row. Booleans are 0 or 1, because SQLite and PostgreSQL differ in
    theirs."""

    ID = "id"
    NAME = "name"
    #: A stage's code.
    STAGE = "stage"
    #: Values of pipelines.querysets.status_of and state_of.
    STATUS = "status"
    STATE = "state"
    #: "" is unrated.
    RAG = "rag"
    RTB_DATE = "rtb_date"
    RTB_BUCKET = "rtb_bucket"
    OVERDUE = "overdue"
    SOLD_READY = "sold_ready"
    UNCONFIRMED = "unconfirmed"
    #: Ownership and probability, in hundredths of a percent.
    OWNERSHIP = "ownership"
    PROBABILITY = "probability"
    #: 0 for pipelines outside the filter.
    IN_FILTER = "in_filter"
    FACILITY = "facility_id"
    TECHNOLOGY = "technology_id"
    #: A CapacityBasis.
    BASIS = "basis"
    #: 1 where the capacity is MW AC of storage.
    IS_STORAGE = "is_storage"
    KW = "kw"
    KWH = "kwh"
    #: 1 in one row of each pipeline, and of each pipeline and technology; else 0.
    FIRST_ROW = "first_row"
    FIRST_ROW_OF_TECHNOLOGY = "first_row_of_technology"
    #: 1 where the facility belongs to several pipelines.
    SHARED = "shared"


#: The columns by which totals can be grouped, in the order of ``SumRow`` and ``SharedRow``.
KEYS = (
    Column.STATUS,
    Column.STATE,
    Column.RAG,
    Column.RTB_BUCKET,
    Column.TECHNOLOGY,
    Column.OVERDUE,
    Column.UNCONFIRMED,
)

#: Those of totals of all pipelines together, as headlines have them.
STATE_KEYS = (Column.STATE, Column.OVERDUE, Column.UNCONFIRMED)


class Condition(Enum):
    """Conditions on facts: a column, one of ``KEYS``, and its value; None is any value at all."""

    IS_OPEN = (Column.STATE, OPEN)
    IS_OVERDUE = (Column.OVERDUE, 1)
    IS_UNCONFIRMED = (Column.UNCONFIRMED, 1)
    HAS_TECHNOLOGY = (Column.TECHNOLOGY, None)

    @property
    def column(self) -> Column:
        column: Column = self.value[0]
        return column

    @property
    def sql(self) -> str:
        column, value = self.value
        return f"{column} IS NOT NULL" if value is None else f"{column} = {value!r}"


def values_of(
    columns: Iterable[Column], keys: tuple[Column, ...] = KEYS
) -> Callable[[Values], Values]:
    """A function that reads these of the values of the ``keys``."""
    places = [keys.index(column) for column in columns]
    if len(places) == 1:
        [place] = places
        return lambda values: (values[place],)
    return itemgetter(*places) if places else lambda values: ()


def selector(
    where: Iterable[Condition], keys: tuple[Column, ...] = KEYS
) -> Callable[[Values], bool]:
    """A function that says whether values of the ``keys`` meet all conditions."""
    checks = [(keys.index(one.column), one.value[1]) for one in where]
    # Without a call for each condition, because there are thousands of keys.
    if len(checks) == 1 and checks[0][1] is not None:
        [(place, only)] = checks
        return lambda values: bool(values[place] == only)
    return lambda values: all(
        values[place] is not None if wanted is None else values[place] == wanted
        for place, wanted in checks
    )
