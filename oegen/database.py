"""Rules that need a trigger: those over two tables, and that history is never changed; and the
index that finds removals.

Both are (re)made after every ``migrate``: on SQLite, altering a table rebuilds it and loses them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, transaction
from django.db.migrations.executor import MigrationExecutor

from oegen.exceptions import RuleBrokenError


class TableRule(Protocol):
    """A rule about one table that the database keeps by triggers.

    ``names`` lists the triggers, ``statements`` makes them, again if they are there. What a
    trigger refuses raises django.db.IntegrityError on both databases.
    """

    table: str

    def names(self, vendor: str) -> list[str]: ...

    def statements(self, vendor: str) -> list[str]: ...


@dataclass(frozen=True)
class Trigger:
    """Refuse an INSERT or UPDATE of ``table`` while ``condition`` holds of the NEW row.

    ``condition`` is SQL that both databases understand. With ``columns``, an UPDATE is refused
    only when it changes one of them: a rule that older rows break must not stop the saving of
    their other fields.
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
            changes = [f"NEW.{one} IS DISTINCT FROM OLD.{one}" for one in self.columns]
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
                changes = [f"NEW.{one} IS NOT OLD.{one}" for one in self.columns]
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
    """Rows of ``table`` are never changed, removed or written over, whoever asks."""

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
        # SQLite's REPLACE removes the old row without asking the triggers for DELETE.
        there = f"SELECT 1 FROM {self.table} WHERE {self.key} = NEW.{self.key}"  # noqa: S608
        before_insert = f"CREATE TRIGGER {third} BEFORE INSERT ON {self.table} FOR EACH ROW"
        return [
            *(f"DROP TRIGGER IF EXISTS {name}" for name in self.names(vendor)),
            f"CREATE TRIGGER {update} BEFORE UPDATE ON {self.table} FOR EACH ROW {refuse}",
            f"CREATE TRIGGER {delete} BEFORE DELETE ON {self.table} FOR EACH ROW {refuse}",
            f"{before_insert} WHEN EXISTS ({there}) {refuse}",
        ]


_rules: list[Trigger] = []


def register_trigger(trigger: Trigger) -> None:
    _rules.append(trigger)


def triggers() -> list[Trigger]:
    """The rules that the applications have registered."""
    return list(_rules)


def history_tables() -> Iterator[AppendOnly]:
    """What must never be changed: the history of every audited model, the change sets and the
    security events."""
    from oegen import audit
    from oegen.models import ChangeSet, SecurityEvent

    for model in [*map(audit.history_model, audit.tracked_models()), ChangeSet, SecurityEvent]:
        yield AppendOnly(model._meta.db_table, model._meta.pk.column)


def table_rules() -> list[TableRule]:
    return [*_rules, *history_tables()]


def broken_rule(error: IntegrityError) -> str:
    """The sentence of the constraint or trigger that refused a write; empty if it has none."""
    told = str(error)
    if isinstance(error, RuleBrokenError):
        return told
    for trigger in _rules:
        if trigger.message in told:
            return trigger.message
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            has_words = (
                constraint.violation_error_message != constraint.default_violation_error_message
            )
            if has_words and re.search(rf"\b{re.escape(constraint.name)}\b", told):
                return str(constraint.get_violation_error_message())
    return ""


def is_migrated(using: str) -> bool:
    """Whether its tables are those of the models: not so where it was taken back to some earlier
    migration."""
    executor = MigrationExecutor(connections[using])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def install_triggers(sender, using, **kwargs) -> None:
    """post_migrate: make every trigger whose table exists."""
    if sender.name == "oegen":
        make_triggers(using, table_rules())


def install_indexes(sender, using, **kwargs) -> None:
    """post_migrate: let the few removals be found among all the rows of each history table.

    Not an index of the models, because django-simple-history makes these.
    """
    from oegen import audit

    if sender.name != "oegen":
        return
    connection = connections[using]
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        for model in audit.tracked_models():
            table = audit.history_model(model)._meta.db_table
            if table in there:
                cursor.execute(
                    f"CREATE INDEX IF NOT EXISTS {table}_removals ON {table} (id, history_id) "
                    f"WHERE history_type = '{audit.REMOVED}'"
                )


def make_triggers(using: str, rules: list[TableRule]) -> None:
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for rule in rules:
            if rule.table in tables:
                for statement in rule.statements(connection.vendor):
                    cursor.execute(statement)


def missing_triggers(using: str) -> list[tuple[str, str]]:
    """(table, trigger) of every rule's trigger that is not there, switched off, or not the one
    that ``migrate`` makes."""
    connection = connections[using]
    find = _postgresql_triggers if connection.vendor == "postgresql" else _sqlite_triggers
    with connection.cursor() as cursor:
        there = find(cursor)
    missing = []
    for rule in table_rules():
        wanted = {_words(one) for one in rule.statements(connection.vendor)}
        missing += [
            (rule.table, name)
            for name in rule.names(connection.vendor)
            if name not in there or not there[name] <= wanted
        ]
    return missing


def unknown_triggers(using: str) -> list[tuple[str, str, str]]:
    """(table, trigger, what makes it) of every trigger, and on PostgreSQL every rewriting rule,
    that none of our rules makes: it could change what the program writes."""
    connection = connections[using]
    known = {(rule.table, name) for rule in table_rules() for name in rule.names(connection.vendor)}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                """
                SELECT relname, tgname, pg_get_triggerdef(pg_trigger.oid) || ' ' || prosrc
                FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
                JOIN pg_class ON pg_class.oid = tgrelid
                WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace
                UNION ALL
                SELECT tablename, rulename, definition FROM pg_rules
                WHERE schemaname = current_schema()
                ORDER BY 1, 2
                """
            )
        else:
            cursor.execute(
                "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY 1, 2"
            )
        return [row for row in cursor.fetchall() if row[:2] not in known]


@contextmanager
def snapshot(using: str) -> Iterator[None]:
    """Whatever is read inside is as of one moment, and no writer waits for it."""
    connection = connections[using]
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(using), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # Not atomic(), whose transactions take SQLite's write lock.
        with connection.cursor() as cursor:
            usual = connection.connection.text_factory
            # Bytes that are no text are to be read and told, not to end the reading.
            connection.connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
                connection.connection.text_factory = usual


@contextmanager
def short_wait(using: str = DEFAULT_DB_ALIAS, *, seconds: float) -> Iterator[None]:
    """On SQLite, wait so long for another writer's lock rather than the usual time; then
    django.db.OperationalError is raised. On PostgreSQL writers of other rows are not waited for."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        (usual,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")


def _sqlite_triggers(cursor) -> dict[str, set[str]]:
    """The statements that made each trigger."""
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {name: {_words(sql)} for name, sql in cursor.fetchall()}


def _postgresql_triggers(cursor) -> dict[str, set[str]]:
    """The statements that would make each trigger that fires, and its function, as they are."""
    cursor.execute(
        """
        SELECT tgname, pg_get_triggerdef(pg_trigger.oid), proname, prosrc
        FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')
        """
    )
    return {
        trigger: {
            _words(re.sub(r" ON \w+\.", " ON ", made)),
            _words(
                f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql "
                f"AS $${source}$$"
            ),
        }
        for trigger, made, function, source in cursor.fetchall()
    }


def _words(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip()
