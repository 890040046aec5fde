"""SQL of the rows of a model as of a past time, made from the stored records and their history.

What ``oegen.asof.tables`` describes, for whoever makes tables, views or functions of it.
"""

from __future__ import annotations

from django.db.models import Model

from oegen import audit
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet


def stored(model: type[Model], connection) -> str:
    """The quoted name of the model's real table."""
    schema = "public" if connection.vendor == "postgresql" else "main"
    return f'"{schema}"."{model._meta.db_table}"'


def not_by_set_up(connection) -> str:
    """The condition on a history row that the set-up did not write it."""
    set_up = f"""
            SELECT 1 FROM {stored(ChangeSet, connection)} AS change_sets
            WHERE change_sets.id = change_set_id
              AND change_sets.source = '{audit.Source.MIGRATION}'
        """  # noqa: S608
    return f"NOT EXISTS ({set_up})"


def columns_of(model: type[Model], prefix: str = "") -> str:
    """Column names, not ``*``: the column order of an altered table differs."""
    return ", ".join(f'{prefix}"{field.column}"' for field in model._meta.concrete_fields)


class PastRows:
    """SELECTs as of the time that the SQL expression ``until`` gives."""

    def __init__(self, connection, until: str):
        self._connection = connection
        self._until = until

    def records(self, model: type[AuditedModel]) -> str:
        """The records with their past values."""
        return f"{self.unchanged(model, model, 'id')} UNION ALL {self.rebuilt(model)}"

    def rebuilt(self, model: type[AuditedModel]) -> str:
        """The records that were written since, with their past values."""
        if any(model.link_models()):
            return f"{self.changed_records(model)} UNION ALL {self._not_yet_entered(model)}"
        return self.changed_records(model)

    def history(self, model: type[AuditedModel]) -> str:
        """The history rows that existed."""
        history = audit.history_model(model)
        return f"SELECT * FROM {self._stored(history)} WHERE NOT ({self._later(model)})"  # noqa: S608

    def changed(self, model) -> str:
        """SELECT of the ids that were written since, with duplicates."""
        history = self._stored(audit.history_model(model))
        return f"SELECT id FROM {history} WHERE {self._later(model)}"  # noqa: S608

    def unchanged(self, model, table, key: str, condition: str = "TRUE") -> str:
        """SELECT of the rows of the model ``table`` whose ``key`` refers to a record that was not
        written since."""
        changed = self.changed(model)
        if self._connection.vendor == "postgresql":
            # NOT IN would scan the whole list for each row.
            is_unchanged = f"NOT EXISTS ({changed} AND id = existing.{key})"
        else:
            # NOT EXISTS would run the subquery for each row.
            is_unchanged = f"existing.{key} NOT IN ({changed})"
        return f"""
            SELECT {columns_of(table, "existing.")} FROM {self._stored(table)} AS existing
            WHERE {is_unchanged} AND {condition}
        """  # noqa: S608

    def changed_records(self, model) -> str:
        """SELECT of the records that were changed or removed since, with their past values."""
        history = self._stored(audit.history_model(model))
        # Reference tables: ``migrate`` made the oldest row whatever its date, so order by version.
        # Other tables: rows back-dated by an import all have version 0, so order by date.
        newest = "version DESC" if model.is_vocabulary() else "history_date DESC"
        order = f"{newest}, history_id DESC"
        changed = f"SELECT DISTINCT id FROM ({self.changed(model)}) AS written"  # noqa: S608
        earlier = f"earlier.id = changed.id AND NOT ({self._later(model)})"
        # One look into the index for each record (oegen.audit.triggers.install_indexes).
        if self._connection.vendor == "postgresql":
            return f"""
                SELECT {columns_of(model, "newest.")} FROM ({changed}) AS changed
                CROSS JOIN LATERAL (
                    SELECT * FROM {history} AS earlier WHERE {earlier} ORDER BY {order} LIMIT 1
                ) AS newest
                WHERE newest.history_type <> '-'
            """  # noqa: S608
        return f"""
            SELECT {columns_of(model)} FROM {history} WHERE history_type <> '-' AND history_id IN (
                WITH known AS MATERIALIZED (
                    SELECT (
                        SELECT history_id FROM {history} AS earlier
                        WHERE {earlier} ORDER BY {order} LIMIT 1
                    ) AS history_id
                    FROM ({changed}) AS changed
                )
                SELECT history_id FROM known
            )
        """  # noqa: S608

    def _not_yet_entered(self, model) -> str:
        """SELECT of the records that others refer to but that were created after the day, with the
        values of their first history rows."""
        history = self._stored(audit.history_model(model))
        columns = ", ".join(
            f'{audit.NOT_YET_ENTERED} AS "version"'
            if field.name == "version"
            else f'"{field.column}"'
            for field in model._meta.concrete_fields
        )
        return f"""
            SELECT {columns} FROM {history} WHERE history_id IN (
                SELECT history_id FROM (
                    SELECT history_id, ROW_NUMBER() OVER (
                        PARTITION BY id ORDER BY history_date, history_id
                    ) AS place
                    FROM {history} WHERE id IN ({self._referenced_early(model)})
                ) AS entries WHERE place = 1
            )
        """  # noqa: S608

    def _referenced_early(self, model, visited: tuple = ()) -> str:
        """SELECT of the ids that were created after the day but are referred to by a record that
        existed by then, or that is itself included for this reason (recursive; ``visited`` holds
        the models visited so far)."""
        history = self._stored(audit.history_model(model))
        references = []
        for other, name in model.link_models():
            known = f"NOT ({self._later(other)})"
            if other not in (model, *visited) and any(other.link_models()):
                known += f" OR id IN ({self._referenced_early(other, (model, *visited))})"
            column = other._meta.get_field(name).column
            rows = self._stored(audit.history_model(other))
            references.append(
                f'EXISTS (SELECT 1 FROM {rows} AS other WHERE "{column}" = new.id AND ({known}))'  # noqa: S608
            )
        return f"""
            SELECT id FROM {history} AS new
            WHERE history_type = '{audit.CREATED}' AND {self._later(model)} AND NOT EXISTS (
                SELECT 1 FROM {history} AS old WHERE old.id = new.id AND NOT ({self._later(model)})
            ) AND ({" OR ".join(references)})
        """  # noqa: S608

    def _later(self, model) -> str:
        """The condition on a history row that it was recorded after the day."""
        later = f"history_date >= {self._until}"
        if not model.is_vocabulary():
            return later
        return f"{later} AND {not_by_set_up(self._connection)}"

    def _stored(self, model: type[Model]) -> str:
        return stored(model, self._connection)
