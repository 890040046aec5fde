"""The set Changes: which record was written when, and why. Values are in the REST feed."""

from __future__ import annotations

from oegen import asof, audit
from oegen.api.odata import types
from oegen.api.odata.sets import Column, EntitySet, of_subquery, register
from oegen.api.rest.registry import VIEWSETS
from oegen.audit.changesets import ChangeSet
from oegen.core.sql import Values

ACTIONS = {audit.CREATED: "created", audit.CHANGED: "changed", audit.REMOVED: "removed"}


def _changes_sql(*, personal: bool) -> tuple[str, Values]:
    """A row for each history row of the records that everybody may read."""
    action = " ".join(f"WHEN '{stored}' THEN '{name}'" for stored, name in ACTIONS.items())
    # Joined in each part, so that the databases can use a condition on the change set there.
    parts = [
        f"""
        SELECT change_sets.number AS change_set, '{route}' AS kind, history_id AS entry_id,
            change_sets.recorded_at AS recorded_at, CASE history_type {action} END AS action,
            history.id AS record_id, history.version AS version, change_sets.reason AS reason,
            change_sets.source AS source, undone.number AS undoes,
            change_sets.person_id AS person_id, change_sets.person_name AS person_name
        FROM {asof.table(audit.history_model(view.queryset.model))} AS history
        JOIN {asof.table(ChangeSet)} AS change_sets ON change_sets.id = history.change_set_id
        LEFT JOIN {asof.table(ChangeSet)} AS undone ON undone.id = change_sets.undoes_id
        """  # noqa: S608 - no user input
        for route, view in sorted(VIEWSETS.items())
        if not view.read_permission and (personal or not view.is_personal)
    ]
    return " UNION ALL ".join(parts), ()


register(
    EntitySet(
        "Changes",
        "Change",
        "Every write of a record, by the change set that it was part of. Values before and after "
        "are in the feed of the REST interface.",
        (
            Column("change_set", types.LONG, "The number of the change set, without gaps."),
            Column("kind", types.STRING, "The kind of record, such as pipelines."),
            Column("entry_id", types.LONG, "The number of the entry among those of its kind."),
            Column("recorded_at", types.TIME, "When the change set was recorded."),
            Column("action", types.STRING, "One of created, changed, removed."),
            Column("record_id", types.GUID, "The record's id."),
            Column("version", types.LONG, "The record's version after it; 0 of imported history."),
            Column("reason", types.STRING, "Why, as whoever made the change set said."),
            Column("source", types.STRING, "By what: page, admin, import, api, command …"),
            Column(
                "undoes",
                types.LONG,
                "The number of the change set that it took back.",
                "",
                True,
            ),
            Column("person_id", types.LONG, "The number of who made it.", "", True),
            Column(
                "person_name",
                types.STRING,
                "The name of who made it, as it was then.",
                is_personal=True,
            ),
        ),
        of_subquery(_changes_sql),
        key=("change_set", "kind", "entry_id"),
    )
)
