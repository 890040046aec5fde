"""The schemas of views. They are dropped before migrations change tables, and made after them."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.utils import InternalError

from oegen.api.odata.sets import Column, EntitySet, sets_for
from oegen.api.reporting import statements
from oegen.core import database
from oegen.core.sql import fetch, run

logger = logging.getLogger(__name__)

#: What everybody may read who may read the portfolio; and the views that hold personal data.
SCHEMA, PERSONAL_SCHEMA = "reporting", "reporting_personal"
SCHEMAS = (SCHEMA, PERSONAL_SCHEMA)

_WORD = re.compile(r"(?<!^)(?=[A-Z])")

_CHECK = "check_day"


@dataclass(frozen=True)
class View:
    schema: str
    entity_set: EntitySet
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        return _WORD.sub("_", self.entity_set.name).lower()

    @property
    def is_personal(self) -> bool:
        return self.schema == PERSONAL_SCHEMA


def views() -> Iterator[View]:
    """A set is in the schema of personal data only if it holds some, and then with all columns."""
    for entity_set in sets_for(personal=True):
        if not entity_set.is_in_sql:
            continue
        columns = entity_set.columns_for(personal=False)
        if not entity_set.is_personal:
            yield View(SCHEMA, entity_set, columns)
        if entity_set.is_personal or columns != entity_set.columns:
            yield View(PERSONAL_SCHEMA, entity_set, entity_set.columns)


# Before and after migrations ---------------------------------------------------------------------


def drop_views(sender: AppConfig, using: str, plan: list[Any], **kwargs: Any) -> None:
    """pre_migrate: a view keeps columns of its tables from being changed. Raises CommandError if
    something else depends on a view."""
    if sender.name == "oegen" and plan and _is_ours(using):
        with transaction.atomic():
            _drop()


def make_views(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """post_migrate: make the views, unless they are as they should be."""
    if sender.name != "oegen" or not _is_ours(using) or not database.is_migrated(using):
        return
    if not may_make_schemas():
        logger.warning("There are no reporting views. %s", how_to_make_schemas())
        return
    script = list(_script())
    digest = hashlib.sha256("\n".join(script).encode()).hexdigest()
    if _digest() == digest:
        return
    with transaction.atomic():
        _drop()
        for statement in script:
            run(statement)
        comment = statements.literal(f"{_ABOUT} {digest}")
        run(f"COMMENT ON SCHEMA {SCHEMA} IS {comment}")


_ABOUT = "Views of the OEGen pipeline tool, made anew after each migrate. Definitions:"


def how_to_make_schemas() -> str:
    """What an administrator of the database has to do where ``may_make_schemas`` is False."""
    [(user,)] = fetch("SELECT quote_ident(current_user)")
    made = " ".join(f"CREATE SCHEMA {schema} AUTHORIZATION {user};" for schema in SCHEMAS)
    return (
        "The database's user may make no schemas, or they are somebody else's. Let an "
        f"administrator of the database run {made} Then migrate again."
    )


def may_make_schemas() -> bool:
    """Whether the schemas are there and the connection's own, or can be made."""
    [(allowed,)] = fetch("SELECT has_database_privilege(current_database(), 'CREATE')")
    rows = fetch(
        "SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = ANY(%s)",
        (list(SCHEMAS),),
    )
    return all(own for (own,) in rows) and (allowed or len(rows) == len(SCHEMAS))


def _is_ours(using: str) -> bool:
    return using == DEFAULT_DB_ALIAS and connection.vendor == "postgresql"


def _digest() -> str:
    """Of the definitions of the views that there are; empty if there are none."""
    rows = fetch(
        """
        SELECT obj_description(pg_namespace.oid, 'pg_namespace') FROM pg_namespace
        WHERE nspname = %s AND EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = pg_namespace.oid)
        """,
        (SCHEMA,),
    )
    return str(rows[0][0]).rpartition(" ")[2] if rows else ""


def _drop() -> None:
    """Drop what is in the schemas. They stay, with what roles may read of them later on."""
    found = fetch(
        """
        SELECT format('FUNCTION %%s', pg_proc.oid::regprocedure), 0 FROM pg_proc
        JOIN pg_namespace ON pg_namespace.oid = pronamespace WHERE nspname = ANY(%s)
        UNION ALL
        SELECT format('VIEW %%s', pg_class.oid::regclass), 1 FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relkind = 'v' AND nspname = ANY(%s)
        ORDER BY 2, 1
        """,
        (list(SCHEMAS), list(SCHEMAS)),
    )
    for what, _ in found:
        try:
            run(f"DROP {what}")
        except InternalError as error:
            detail = getattr(getattr(error.__cause__, "diag", None), "message_detail", "")
            raise CommandError(
                f"The reporting views can't be made anew: {detail or error}. Drop that first, and "
                "make it again afterwards. Nothing was changed."
            ) from error


# What is made ------------------------------------------------------------------------------------


def _script() -> Iterator[str]:
    for schema in SCHEMAS:
        yield f"CREATE SCHEMA IF NOT EXISTS {schema}"
    yield _check_of_day()
    for view in views():
        yield from _view(view)


def _check_of_day() -> str:
    today = statements.today_sql()
    return f"""
        CREATE FUNCTION {SCHEMA}.{_CHECK}(day date) RETURNS void LANGUAGE plpgsql STABLE AS $body$
        BEGIN
            IF day IS NULL OR day > {today} THEN
                RAISE EXCEPTION '% lies in the future: there is nothing to show yet.', day
                    USING ERRCODE = 'datetime_field_overflow';
            END IF;
        END $body$
    """


def _view(view: View) -> Iterator[str]:
    name = f"{view.schema}.{view.name}"
    columns = ", ".join(f'"{column.name}"' for column in view.columns)
    live, past = (
        make(view.entity_set, view.columns, personal=view.is_personal)
        for make in (statements.live, statements.past)
    )
    yield f"CREATE VIEW {name} ({columns}) AS {live}"
    # By definition of the owner, because readers may not read the tables.
    yield f"""
        CREATE FUNCTION {name}_as_of(day date) RETURNS SETOF {name} LANGUAGE sql STABLE
        SECURITY DEFINER SET search_path = public, pg_temp AS $body$
            SELECT {SCHEMA}.{_CHECK}({statements.DAY});
            {past}
        $body$
    """
    yield f"REVOKE ALL ON FUNCTION {name}_as_of FROM PUBLIC"
    yield _comment("VIEW", name, view.entity_set.description)
    yield _comment("FUNCTION", f"{name}_as_of", f"As of the end of a day: {name}.")
    for column in view.columns:
        yield _comment("COLUMN", f'{name}."{column.name}"', column.description)


def _comment(kind: str, name: str, text: str) -> str:
    return f"COMMENT ON {kind} {name} IS {statements.literal(text)}"
