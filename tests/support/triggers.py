from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connection

from oegen.core import triggers


@contextmanager
def lifted_triggers(rules: list[triggers.TableRule]):
    """Drop the triggers, as a database owner could, and create them again at the end."""
    with connection.cursor() as cursor:
        for rule in rules:
            for name in rule.names(connection.vendor):
                where = f" ON {rule.table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}{where}")
    yield
    triggers.create_triggers(DEFAULT_DB_ALIAS, rules)
