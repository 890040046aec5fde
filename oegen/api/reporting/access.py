"""Which roles of the database may read the views."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction
from django.db.utils import ProgrammingError
from psycopg import sql

from oegen.api.reporting.schemas import PERSONAL_SCHEMA, SCHEMA, SCHEMAS
from oegen.core.sql import fetch, run
from oegen.people.models import SecurityEvent
from oegen.people.security import record_security_event


class RoleError(Exception):
    """The role can't be given this; the text says why and what to do."""


@dataclass(frozen=True)
class Access:
    """``statement_seconds`` is the longest that one of the role's statements may take."""

    personal: bool
    statement_seconds: int


def set_access(role: str, access: Access | None) -> None:
    """Let the role read just that, and nothing if None; also what later migrations make anew.

    It can only read, each of its statements ends after a time, and changes of what it may read are
    recorded as security events. Raises RoleError, and then nothing was changed.
    """
    _check(role)
    granted = _schemas(access)
    with transaction.atomic():
        try:
            for schema in SCHEMAS:
                _set_schema(role, schema, granted=schema in granted)
            _set_limits(role, access)
        except ProgrammingError as error:
            raise RoleError(
                f"This connection may not change the role {role}: {str(error).strip()} Use a "
                "connection that may, by DATABASE_URL, or ask an administrator of the database."
            ) from error
        record_security_event(
            SecurityEvent.Kind.REPORTING,
            details={"role": role, "reads": ", ".join(granted) or "nothing"},
        )


def _schemas(access: Access | None) -> tuple[str, ...]:
    if access is None:
        return ()
    return (SCHEMA, PERSONAL_SCHEMA) if access.personal else (SCHEMA,)


def _check(role: str) -> None:
    rows = fetch(
        """
        SELECT rolsuper, pg_has_role(oid, current_user, 'MEMBER') FROM pg_roles WHERE rolname = %s
        """,
        (role,),
    )
    name = _name(role)
    if not rows:
        raise RoleError(
            f"The database has no role “{role}”. An administrator can make one: CREATE ROLE "
            f"{name} LOGIN PASSWORD '…';"
        )
    [(is_super, is_ours)] = rows
    if is_super or is_ours:
        raise RoleError(
            f"The role “{role}” may read and write every table already, because it is "
            f"{'a superuser' if is_super else 'the owner of the tables or a member of it'}. Make "
            "one for reading alone."
        )
    made = fetch(
        "SELECT DISTINCT schemaname FROM pg_views WHERE schemaname = ANY(%s)", (list(SCHEMAS),)
    )
    if len(made) < len(SCHEMAS):
        raise RoleError("There are no reporting views yet: run manage.py migrate, which says why.")


def _set_schema(role: str, schema: str, *, granted: bool) -> None:
    verb, preposition = ("GRANT", "TO") if granted else ("REVOKE", "FROM")
    name = _name(role)
    for rights, things in (
        ("USAGE", f"SCHEMA {schema}"),
        ("SELECT", f"ALL TABLES IN SCHEMA {schema}"),
        ("EXECUTE", f"ALL FUNCTIONS IN SCHEMA {schema}"),
    ):
        run(f"{verb} {rights} ON {things} {preposition} {name}")
    for rights, things in (("SELECT", "TABLES"), ("EXECUTE", "FUNCTIONS")):
        run(
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} "
            f"{verb} {rights} ON {things} {preposition} {name}"
        )


def _set_limits(role: str, access: Access | None) -> None:
    database = _name(connection.settings_dict["NAME"])
    where = f"ALTER ROLE {_name(role)} IN DATABASE {database}"
    if access is None:
        run(f"{where} RESET statement_timeout")
        return
    run(f"{where} SET statement_timeout = '{access.statement_seconds}s'")
    run(f"{where} SET default_transaction_read_only = on")
    # A transaction that is left open keeps old rows from being cleared away.
    run(f"{where} SET idle_in_transaction_session_timeout = '{access.statement_seconds}s'")


def _name(name: str) -> str:
    return sql.Identifier(name).as_string(connection.connection)
