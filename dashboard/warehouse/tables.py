"""The tables of the warehouse: their names, columns and comments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from dashboard.warehouse.columns import (
    DAY,
    TEXT,
    TIME,
    TRUTH,
    WHOLE,
    Column,
    columns_of,
    decimal,
    key,
)
from oegen.models import AuditedModel

#: The rows that are held in memory at a time: of the database, and of a batch. Writers hold several
#: batches.
BATCH = 2_000


@dataclass(frozen=True)
class Table:
    name: str
    comment: str
    columns: tuple[Column, ...]

    @cached_property
    def schema(self) -> pa.Schema:
        return pa.schema([column.field for column in self.columns])

    def batch(self, rows: list[tuple[object, ...]]) -> pa.RecordBatch:
        """The rows, whose values are in the order of the columns."""
        values = zip(*rows, strict=True) if rows else [()] * len(self.columns)
        arrays = [column.array(list(own)) for column, own in zip(self.columns, values, strict=True)]
        return pa.record_batch(arrays, schema=self.schema)


#: How a number is to be summed, for comments.
ADD = "Add these up."
NEVER_ADD = (
    "Projects share facilities: never add these up, but over distinct facilities their maximum."
)

CHANGE_SETS = Table(
    "change_sets",
    "Every change set: what one person did in one go.",
    (
        Column("change_set", WHOLE, "Its number, from 1 without gaps.", is_required=True),
        key("id", "Its id.", is_required=True),
        Column("recorded_at", TIME, "When it was begun, or what an import is dated."),
        Column("sealed_at", TIME, "When it was written. Never dated back."),
        Column("source", TEXT, "By what: page, admin, import, api, command …", convert=str),
        Column("reason", TEXT, "Why, as whoever made it said."),
        Column("undoes", WHOLE, "The number of the change set that it took back."),
        Column("person_id", WHOLE, "The number of who made it; null: program code."),
        Column("history_rows", WHOLE, "The number of its history rows, of all tables."),
        Column("seal", TEXT, "The hash of it and of all before it.", is_required=True),
    ),
)

#: The columns of history tables before those of the record.
HISTORY_COLUMNS = (
    Column("change_set", WHOLE, "The number of the change set.", is_required=True),
    Column("history_id", WHOLE, "The number of the row in its table.", is_required=True),
    Column(
        "recorded_at",
        TIME,
        "From when on this tool knew it: a state holds until the record's next recorded_at, and of "
        "several at one time the one with the highest history_id.",
        is_required=True,
    ),
    Column("action", TEXT, "One of created, changed, removed.", is_required=True),
    Column("change_source", TEXT, "By what; the rows of “migration” hold on every day."),
    Column("change_set_seal", TEXT, "The seal of the change set.", is_required=True),
)


def history_table(model: type[AuditedModel]) -> Table:
    return Table(
        f"history_{model._meta.model_name}",
        f"Every write of a {model._meta.verbose_name}, with the values after it (or, removed, the "
        "last ones). Only added to.",
        (*HISTORY_COLUMNS, *(one.column for one in columns_of(model))),
    )


def current_table(model: type[AuditedModel]) -> Table:
    return Table(
        f"current_{model._meta.model_name}",
        f"Each {model._meta.verbose_name} as it is.",
        tuple(one.column for one in columns_of(model)),
    )


_INTERVAL = (
    Column("valid_from", TIME, "It holds at times later than this …", is_required=True),
    Column(
        "valid_to",
        TIME,
        "… and not later than this; 9999-12-31 if nothing ends it. As of a day: valid_from < "
        "days.ends_at AND valid_to >= days.ends_at. What time alone will change, such as an RTB "
        "date that passes, is in the intervals to come.",
        is_required=True,
    ),
)

_OF_FACILITY = (
    Column("technology", TEXT, "The code of the facility's technology."),
    Column("technology_name", TEXT, "What the technology is called."),
    Column("capacity_basis", TEXT, "What its MW are of: dc or ac. The two are not the same MW."),
    Column("is_storage", TRUTH, "Batteries and the like."),
    Column("country", TEXT, "The ISO 3166 code of the facility's country."),
)


def _capacities(how: str) -> tuple[Column, ...]:
    return (
        decimal("capacity_mw", 18, 3, f"Capacity in MW; null if it is not known. {how}"),
        decimal("storage_mwh", 18, 3, f"The energy of storage in MWh. {how}"),
        decimal("net_mw", 24, 7, f"Capacity × our ownership. {how}"),
        decimal(
            *("gross_weighted_mw", 24, 7),
            f"Capacity × probability; null without a probability. {how}",
        ),
        decimal("net_weighted_mw", 28, 11, f"Capacity × ownership × probability. {how}"),
    )


FACTS_PROJECT_FACILITY = Table(
    "facts_project_facility",
    "How a project and one of its facilities stood from one time to the next, in whatever state; a "
    "project without a facility has a row without facility_id. For figures by attributes of "
    "projects: sums over distinct facilities of the maximum.",
    (
        key("pipeline_id", "The project's id.", is_required=True),
        key("facility_id", "The facility's id; null: the project has none."),
        *_INTERVAL,
        Column("project_name", TEXT, "The project."),
        Column("stage", TEXT, "The stage's code."),
        Column("stage_name", TEXT, "What the stage is called."),
        Column("stage_order", WHOLE, "To sort stages by."),
        Column("status", TEXT, "The stage's code, on-hold, or the outcome that ended the project."),
        Column("state", TEXT, "One of open, on-hold, completed, ended."),
        Column("is_open", TRUTH, "Active, in a stage that is no end, and not on hold."),
        Column("on_hold", TRUTH, "On hold in its stage."),
        Column("outcome", TEXT, "One of active, withdrawn, refused, sold."),
        Column("rag_status", TEXT, "One of red, amber, green; empty: not rated."),
        Column("rag_confirmed_at", TIME, "When the rating was last set or confirmed."),
        Column("rtb_date", DAY, "Ready to build, expected or when it was."),
        Column("rtb_bucket", TEXT, "The year of the RTB date, or overdue or none."),
        Column("is_overdue", TRUTH, "Open before Construction, and its RTB date has passed."),
        Column("responsible_id", WHOLE, "The number of who moves it forward."),
        decimal("ownership_pct", 5, 2, "Our share in the project, in %."),
        decimal("probability_pct", 5, 2, "The project's own until that expires, else its stage's."),
        *_OF_FACILITY,
        Column("is_shared", TRUTH, "The facility is in several projects."),
        *_capacities(NEVER_ADD),
    ),
)

FACTS_FACILITY = Table(
    "facts_facility",
    "Distinct facilities of open projects, from one time to the next. Plain sums are right for the "
    "total and by the facility's own attributes.",
    (
        key("facility_id", "The facility's id.", is_required=True),
        *_INTERVAL,
        Column("projects", WHOLE, "The number of open projects that it is in."),
        *_OF_FACILITY,
        *_capacities(ADD),
    ),
)

#: The holder of what nobody holds.
NOBODY = "00000000-0000-0000-0000-000000000000"

FACTS_HOLDER = Table(
    "facts_holder",
    "Which counterparty held how much of which facility of open projects, from one time to the "
    "next: by share where shares are given, else all of it by the lead developer; and what nobody "
    "held. Plain sums are right by holder.",
    (
        key("holder_id", f"The counterparty's id; {NOBODY}: nobody.", is_required=True),
        key("facility_id", "The facility's id.", is_required=True),
        *_INTERVAL,
        *_OF_FACILITY,
        decimal("held_mw", 24, 7, "The part that it holds, in MW. Add these up by holder."),
    ),
)

STAGE_STAYS = Table(
    "stage_stays",
    "Each stay of a project in a stage, by the days on which moves took effect, as known now. "
    "Holds don't interrupt a stay.",
    (
        key("transition_id", "The id of the move that began it.", is_required=True),
        key("pipeline_id", "The project's id.", is_required=True),
        Column("stage", TEXT, "The stage's code."),
        Column("began_on", DAY, "Its first day."),
        Column("until_on", DAY, "The day it ended; null while it lasts."),
        Column("moved", TRUTH, "It ended with a move to another stage."),
        Column("went_on", TRUTH, "The project reached a later stage afterwards."),
        Column("sold", TRUTH, "It did not, and was sold."),
        Column("ended", TRUTH, "It did not, and was withdrawn or refused."),
    ),
)

DAYS = Table(
    "days",
    "Each day with the instant at which it ends in London. Join it to read the tables as of a day: "
    "the time zone of a session then changes no figure.",
    (
        Column("day", DAY, "The day.", is_required=True),
        Column("ends_at", TIME, "The first instant after it.", is_required=True),
    ),
)

METRIC_VALUES_DAILY = Table(
    "metric_values_daily",
    "The product's own figures of all projects at the end of a day, to reconcile others with.",
    (
        Column("day", DAY, "The day.", is_required=True),
        Column("figure", TEXT, "The figure, such as open-capacity.", is_required=True),
        Column("row_number", WHOLE, "0: the figure itself; else the row of its table, from 1."),
        Column("measure", TEXT, "“value” is the figure; others have their unit in the name."),
        Column("title", TEXT, "What the figure is called."),
        Column("unit", TEXT, "The unit of the measure “value”."),
        Column("label", TEXT, "What the row is of, in words; empty of row 0."),
        Column("dimensions", TEXT, "The same as codes, such as status=design."),
        decimal("value", 24, 7, "The number. Don't add up different figures."),
        Column("change_set", WHOLE, "The newest change set when it was computed."),
    ),
)

CAPACITY_DAILY = Table(
    "capacity_daily",
    "What was open at the end of each of the last 400 days, by one dimension at a time. For other "
    "groups read the facts as of days.ends_at.",
    (
        Column("day", DAY, "The day, which ends in London.", is_required=True),
        Column(
            "dimension",
            TEXT,
            "What the row is by: total, technology, country, stage, rag_status or rtb_bucket. Read "
            "one at a time.",
            is_required=True,
        ),
        Column("value", TEXT, "The code; empty of the total, and of what has none.", True),
        Column("facilities", WHOLE, "The number of distinct facilities."),
        *(
            decimal(name, 38, scale, f"{what} Add up values of technology and country only.")
            for name, scale, what in (
                ("capacity_mw", 3, "Capacity in MW."),
                ("storage_mwh", 3, "The energy of storage in MWh."),
                ("net_mw", 7, "Capacity × our ownership."),
                ("gross_weighted_mw", 7, "Capacity × probability."),
                ("net_weighted_mw", 11, "Capacity × ownership × probability."),
            )
        ),
        Column("change_set", WHOLE, "The newest change set that the facts contained at least."),
    ),
)

MANIFEST = Table(
    "manifest",
    "Written last: up to which change set every table is complete, in which of its versions.",
    (
        Column("table_name", TEXT, "The table.", is_required=True),
        Column("table_version", WHOLE, "Its Delta version.", is_required=True),
        Column("rows", WHOLE, "The number of its rows."),
        Column("change_set", WHOLE, "It has everything up to this one.", is_required=True),
        Column("change_set_seal", TEXT, "The seal of that.", is_required=True),
        Column("written_at", TIME, "When."),
    ),
)
