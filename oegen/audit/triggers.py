"""The triggers that make the history append-only, and the indexes of history tables.

Both are created after every ``migrate``, together with the rules that applications register
(oegen.core.triggers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig, apps
from django.db import connections
from django.db.backends.utils import CursorWrapper

from oegen.audit.changesets import ChangeSet, sealed_late
from oegen.audit.choices import REMOVED
from oegen.audit.registry import history_model, tracked_models
from oegen.core.triggers import (
    AppendOnly,
    NeverDeleted,
    TableRule,
    create_triggers,
    registered_triggers,
)


def history_tables() -> Iterator[AppendOnly]:
    """The append-only tables: of all models with ``is_append_only``, history models among them."""
    for model in apps.get_models():
        if getattr(model, "is_append_only", False):
            yield AppendOnly(model._meta.db_table, model._meta.pk.column)


def undeletable_tables() -> Iterator[NeverDeleted]:
    """The tables of all models with ``is_never_deleted``, whose rows may change."""
    for model in apps.get_models():
        if getattr(model, "is_never_deleted", False):
            yield NeverDeleted(model._meta.db_table)


def table_rules() -> list[TableRule]:
    return [*registered_triggers(), *history_tables(), *undeletable_tables()]


def install_triggers(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """post_migrate: create the triggers of all tables that exist."""
    if sender.name == "oegen":
        create_triggers(using, table_rules())


def install_indexes(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """post_migrate: create an index on the order of each record's rows in each history table, a
    partial one on the removals, and one on the subjects in that of comments; and a partial one on
    the change sets that were sealed late.

    They can't be declared on the models: django-simple-history creates those of the history, and
    the condition on change sets differs between databases.
    """
    if sender.name != "oegen":
        return
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model in tracked_models():
            table = history_model(model)._meta.db_table
            if table not in tables:
                continue
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {table}_rows ON {table} (id, history_date, history_id)"
            )
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {table}_removals ON {table} (id, history_id) "
                f"WHERE history_type = '{REMOVED}'"
            )
            if model.IS_COMMENT:
                cursor.execute(
                    f"CREATE INDEX IF NOT EXISTS {table}_subjects ON {table} (object_id)"
                )
        change_sets = ChangeSet._meta.db_table
        if change_sets in tables:
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {change_sets}_late ON {change_sets} (number) "
                f"WHERE {sealed_late(connection.vendor)}"
            )


def missing_triggers(using: str) -> list[tuple[str, str]]:
    """(table, trigger) of each required trigger that is missing, disabled or altered."""
    connection = connections[using]
    find = _postgresql_triggers if connection.vendor == "postgresql" else _sqlite_triggers
    with connection.cursor() as cursor:
        existing = find(cursor)
    missing = []
    for rule in table_rules():
        wanted = {_normalize_sql(one) for one in rule.statements(connection.vendor)}
        missing += [
            (rule.table, name)
            for name in rule.names(connection.vendor)
            if name not in existing or not existing[name] <= wanted
        ]
    return missing


def unknown_triggers(using: str) -> list[tuple[str, str, str]]:
    """(table, trigger, SQL) of each trigger, and on PostgreSQL each rewrite rule, that this
    application did not create: it could alter what is written."""
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


def _sqlite_triggers(cursor: CursorWrapper) -> dict[str, set[str]]:
    """The statement that created each trigger."""
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {name: {_normalize_sql(sql)} for name, sql in cursor.fetchall()}


def _postgresql_triggers(cursor: CursorWrapper) -> dict[str, set[str]]:
    """The statements that would create each enabled trigger and its function."""
    cursor.execute(
        """
        SELECT tgname, pg_get_triggerdef(pg_trigger.oid), proname, prosrc
        FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')
        """
    )
    return {
        trigger: {
            _normalize_sql(re.sub(r" ON \w+\.", " ON ", made)),
            _normalize_sql(
                f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql "
                f"AS $${source}$$"
            ),
        }
        for trigger, made, function, source in cursor.fetchall()
    }


def _normalize_sql(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip()
