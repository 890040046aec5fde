"""Rules that need a trigger, because a check constraint sees one row of one table only.

The triggers are (re)made after every ``migrate``: on SQLite, altering a table rebuilds it and
loses them.
"""

import re
from dataclasses import dataclass

from django.apps import apps
from django.db import IntegrityError, connections


@dataclass(frozen=True)
class Trigger:
    """Refuse an INSERT or UPDATE of ``table`` while ``condition`` holds of the NEW row.

    ``condition`` is SQL that both databases understand. Both raise django.db.IntegrityError.
    """

    name: str
    table: str
    condition: str
    message: str

    def statements(self, vendor: str) -> list[str]:
        message = self.message.replace("'", "''")
        if vendor == "postgresql":
            return [
                f"""
                CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF {self.condition} THEN
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
        for event in ("INSERT", "UPDATE"):
            name = f"{self.name}_{event.lower()}"
            statements += [
                f"DROP TRIGGER IF EXISTS {name}",
                f"""
                CREATE TRIGGER {name} BEFORE {event} ON {self.table} FOR EACH ROW
                WHEN {self.condition}
                BEGIN SELECT RAISE(ABORT, '{message}'); END
                """,
            ]
        return statements


_triggers: list[Trigger] = []


def register_trigger(trigger: Trigger) -> None:
    _triggers.append(trigger)


def broken_rule(error: IntegrityError) -> str:
    """The sentence of the constraint or trigger that refused a write; empty if it has none."""
    told = str(error)
    for trigger in _triggers:
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


def install_triggers(sender, using, **kwargs) -> None:
    """post_migrate: make every registered trigger whose table exists."""
    connection = connections[using]
    if sender.name != "oegen":
        return
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for trigger in _triggers:
            if trigger.table in tables:
                for statement in trigger.statements(connection.vendor):
                    cursor.execute(statement)
