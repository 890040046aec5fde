"""The triggers that keep history from being changed, and the index that finds removals.

Both are (re)made after every ``migrate``, with the rules that applications register
(oegen.core.triggers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig, apps
from django.db import connections
from django.db.backends.utils import CursorWrapper

from oegen.audit.choices import REMOVED
from oegen.audit.registry import history_model, tracked_models
from oegen.core.triggers import AppendOnly, TableRule, make_triggers, registered_triggers


def history_tables() -> Iterator[AppendOnly]:
    """The tables whose rows are never changed: of every history model, and of others that say so
    by ``is_append_only``."""
    for model in apps.get_models():
        if getattr(model, "is_append_only", False):
            yield AppendOnly(model._meta.db_table, model._meta.pk.column)


def table_rules() -> list[TableRule]:
    return [*registered_triggers(), *history_tables()]


def install_triggers(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """post_migrate: make every trigger whose table exists."""
    if sender.name == "oegen":
        make_triggers(using, table_rules())


def install_indexes(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """post_migrate: let the few removals be found among all the rows of each history table.

    Not an index of the models, because django-simple-history makes these.
    """
    if sender.name != "oegen":
        return
    connection = connections[using]
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        for model in tracked_models():
            table = history_model(model)._meta.db_table
            if table in there:
                cursor.execute(
                    f"CREATE INDEX IF NOT EXISTS {table}_removals ON {table} (id, history_id) "
                    f"WHERE history_type = '{REMOVED}'"
                )


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


def _sqlite_triggers(cursor: CursorWrapper) -> dict[str, set[str]]:
    """The statements that made each trigger."""
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {name: {_words(sql)} for name, sql in cursor.fetchall()}


def _postgresql_triggers(cursor: CursorWrapper) -> dict[str, set[str]]:
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
