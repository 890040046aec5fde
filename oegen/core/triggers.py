"""Database triggers: rules that span two tables, and append-only tables.

They are created after every ``migrate`` (oegen.audit.triggers): on SQLite, altering a table
rebuilds it and loses them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from django.apps import apps
from django.db import IntegrityError, connections

from oegen.core.exceptions import RuleBrokenError


class TableRule(Protocol):
    """A rule about one table that triggers enforce.

    ``names`` lists the triggers; ``statements`` create or replace them. A refused write raises
    django.db.IntegrityError on both databases.
    """

    @property
    def table(self) -> str: ...

    def names(self, vendor: str) -> list[str]: ...

    def statements(self, vendor: str) -> list[str]: ...


@dataclass(frozen=True)
class Trigger:
    """Refuse an INSERT or UPDATE of ``table`` if the NEW row meets ``condition``.

    ``condition`` is SQL that is valid on both databases. With ``columns``, an UPDATE is refused
    only if it changes one of them: rows that broke the rule before it existed can still be saved.
    """

    name: str
    table: str
    condition: str
    message: str
    columns: tuple[str, ...] = ()

    def names(self, vendor: str) -> list[str]:
        if vendor == "postgresql":
            return [self.name]
        return [f"{self.name}_insert", f"{self.name}_update"]

    def statements(self, vendor: str) -> list[str]:
        message = self.message.replace("'", "''")
        if vendor == "postgresql":
            changes = [f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in self.columns]
            when = self.condition
            if changes:
                when += f" AND (TG_OP = 'INSERT' OR {' OR '.join(changes)})"
            return [
                f"""
                CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF {when} THEN
                        RAISE EXCEPTION '{message.replace("%", "%%")}'
                            USING ERRCODE = 'check_violation', CONSTRAINT = '{self.name}';
                    END IF;
                    RETURN NEW;
                END $$
                """,
                f"DROP TRIGGER IF EXISTS {self.name} ON {self.table}",
                f"""
                CREATE TRIGGER {self.name} BEFORE INSERT OR UPDATE ON {self.table}
                FOR EACH ROW EXECUTE FUNCTION {self.name}()
                """,
            ]
        statements = []
        for name, event in zip(self.names(vendor), ("INSERT", "UPDATE"), strict=True):
            when = self.condition
            if event == "UPDATE" and self.columns:
                changes = [f"NEW.{name} IS NOT OLD.{name}" for name in self.columns]
                when += f" AND ({' OR '.join(changes)})"
            statements += [
                f"DROP TRIGGER IF EXISTS {name}",
                f"""
                CREATE TRIGGER {name} BEFORE {event} ON {self.table} FOR EACH ROW
                WHEN {when}
                BEGIN SELECT RAISE(ABORT, '{message}'); END
                """,
            ]
        return statements


@dataclass(frozen=True)
class AppendOnly:
    """Refuse every UPDATE, DELETE and replacing INSERT on ``table``."""

    table: str
    key: str

    def names(self, vendor: str) -> list[str]:
        events = ["update", "delete"]
        events.append("truncate" if vendor == "postgresql" else "replace")
        return [f"{self.table}_no_{event}" for event in events]

    def statements(self, vendor: str) -> list[str]:
        update, delete, third = self.names(vendor)
        message = "History is never changed or removed"
        if vendor == "postgresql":
            function = f"""
                CREATE OR REPLACE FUNCTION oegen_append_only() RETURNS trigger LANGUAGE plpgsql
                AS $$
                BEGIN
                    RAISE EXCEPTION '{message} (%)', TG_TABLE_NAME
                        USING ERRCODE = 'check_violation';
                END $$
                """
            call = "EXECUTE FUNCTION oegen_append_only()"
            return [
                function,
                *(f"DROP TRIGGER IF EXISTS {name} ON {self.table}" for name in self.names(vendor)),
                f"CREATE TRIGGER {update} BEFORE UPDATE ON {self.table} FOR EACH ROW {call}",
                f"CREATE TRIGGER {delete} BEFORE DELETE ON {self.table} FOR EACH ROW {call}",
                f"CREATE TRIGGER {third} BEFORE TRUNCATE ON {self.table} FOR EACH STATEMENT {call}",
            ]
        refuse = f"BEGIN SELECT RAISE(ABORT, '{message} ({self.table})'); END"
        # SQLite's REPLACE deletes the old row without firing DELETE triggers.
        existing = f"SELECT 1 FROM {self.table} WHERE {self.key} = NEW.{self.key}"  # noqa: S608
        before_insert = f"CREATE TRIGGER {third} BEFORE INSERT ON {self.table} FOR EACH ROW"
        return [
            *(f"DROP TRIGGER IF EXISTS {name}" for name in self.names(vendor)),
            f"CREATE TRIGGER {update} BEFORE UPDATE ON {self.table} FOR EACH ROW {refuse}",
            f"CREATE TRIGGER {delete} BEFORE DELETE ON {self.table} FOR EACH ROW {refuse}",
            f"{before_insert} WHEN EXISTS ({existing}) {refuse}",
        ]


@dataclass(frozen=True)
class NeverDeleted:
    """Refuse every DELETE on ``table``."""

    table: str

    def names(self, vendor: str) -> list[str]:
        events = ["delete", "truncate"] if vendor == "postgresql" else ["delete"]
        return [f"{self.table}_never_{event}" for event in events]

    def statements(self, vendor: str) -> list[str]:
        message = "These are never deleted"
        drop = "DROP TRIGGER IF EXISTS {}" + (" ON {}" if vendor == "postgresql" else "")
        drops = [drop.format(name, self.table) for name in self.names(vendor)]
        if vendor == "postgresql":
            delete, truncate = self.names(vendor)
            function = f"""
                CREATE OR REPLACE FUNCTION oegen_never_deleted() RETURNS trigger LANGUAGE plpgsql
                AS $$
                BEGIN
                    RAISE EXCEPTION '{message} (%)', TG_TABLE_NAME
                        USING ERRCODE = 'check_violation';
                END $$
                """
            row, all_rows = "FOR EACH ROW", "FOR EACH STATEMENT"
            call = "EXECUTE FUNCTION oegen_never_deleted()"
            return [
                function,
                *drops,
                f"CREATE TRIGGER {delete} BEFORE DELETE ON {self.table} {row} {call}",
                f"CREATE TRIGGER {truncate} BEFORE TRUNCATE ON {self.table} {all_rows} {call}",
            ]
        [delete] = self.names(vendor)
        refuse = f"BEGIN SELECT RAISE(ABORT, '{message} ({self.table})'); END"
        return [
            *drops,
            f"CREATE TRIGGER {delete} BEFORE DELETE ON {self.table} FOR EACH ROW {refuse}",
        ]


_rules: list[Trigger] = []


def register_trigger(trigger: Trigger) -> None:
    _rules.append(trigger)


def registered_triggers() -> list[Trigger]:
    return list(_rules)


def broken_rule(error: IntegrityError) -> str:
    """The message of the constraint or trigger that refused a write; empty if it has none."""
    text = str(error)
    if isinstance(error, RuleBrokenError):
        return text
    for trigger in _rules:
        if trigger.message in text:
            return trigger.message
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            has_message = (
                constraint.violation_error_message != constraint.default_violation_error_message
            )
            if has_message and re.search(rf"\b{re.escape(constraint.name)}\b", text):
                return str(constraint.get_violation_error_message())
    return ""


def create_triggers(using: str, rules: list[TableRule]) -> None:
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for rule in rules:
            if rule.table in tables:
                for statement in rule.statements(connection.vendor):
                    cursor.execute(statement)
