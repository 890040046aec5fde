"""The views of PostgreSQL have the rows of the OData sets, now and as of past days."""

from contextlib import nullcontext
from datetime import timedelta

import psycopg
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from oegen.api.reporting import schemas
from oegen.asof import as_of
from oegen.core import clock
from oegen.core.sql import fetch, run
from oegen.people.models import SecurityEvent
from tests.support.builders import make_contact, make_portfolio, make_user
from tests.support.portfolios import make_awkward_portfolio, make_random_portfolio

pytestmark = pytest.mark.django_db

ROLE = "power bi's"


@pytest.fixture(scope="module", params=["awkward", 7])
def portfolio(request, module_db) -> None:
    if request.param == "awkward":
        make_awkward_portfolio()
        make_portfolio(make_user("Portfolio managers", "pam"))
    else:
        make_random_portfolio(request.param)


@pytest.mark.parametrize("days_ago", [None, 0, 20, 200])
def test_every_view_has_the_rows_of_its_set(portfolio, days_ago):
    day = clock.today() - timedelta(days=days_ago or 0)
    number = 0
    for view in schemas.views():
        with nullcontext() if days_ago is None else as_of(day):
            select = view.entity_set.select(view.columns, personal=view.is_personal)
            expected = fetch(*select)
        name = f"{view.schema}.{view.name}"
        if days_ago is not None:
            name += f"_as_of('{day}')"
        found = fetch(f"SELECT * FROM {name}")  # noqa: S608
        assert sorted(map(repr, found)) == sorted(map(repr, expected)), name
        number += len(found)
    assert number


def test_every_view_and_column_is_described():
    rows = fetch(
        """
        SELECT nspname, relname, obj_description(pg_class.oid, 'pg_class'),
            array_agg(attname::text ORDER BY attnum),
            array_agg(col_description(pg_class.oid, attnum) ORDER BY attnum)
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
        WHERE nspname LIKE 'reporting%' GROUP BY 1, 2, 3
        """
    )
    expected = {
        (view.schema, view.name, view.entity_set.description): (
            [column.name for column in view.columns],
            [column.description for column in view.columns],
        )
        for view in schemas.views()
    }
    assert {row[:3]: row[3:] for row in rows} == expected
    names = {name for _, name, _ in expected}
    assert {"open_capacity_by_project", "stage_stays", "pipelines"} < names
    assert "metrics" not in names


def test_a_day_in_the_future_is_refused():
    with pytest.raises(DatabaseError, match="lies in the future"), transaction.atomic():
        fetch("SELECT * FROM reporting.pipelines_as_of((now() + interval '3 days')::date)")


@pytest.fixture
def role(db):
    run(f'CREATE ROLE "{ROLE}" LOGIN')
    return ROLE


def may_read(role: str, what: str) -> bool:
    try:
        with transaction.atomic():
            run(f'SET LOCAL ROLE "{role}"')
            fetch(f"SELECT * FROM {what}")  # noqa: S608
            run("RESET ROLE")
    except DatabaseError as error:
        assert isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege)
        return False
    return True


TODAY = "((now() AT TIME ZONE 'Europe/London')::date)"


def test_a_role_reads_what_it_was_granted(role, django_capture_on_commit_callbacks):
    make_contact("Ann")
    assert not may_read(role, "reporting.pipelines")
    with django_capture_on_commit_callbacks(execute=True):
        call_command("grant_reporting", role, "--timeout", "30")
    assert may_read(role, "reporting.pipelines")
    assert may_read(role, f"reporting.pipelines_as_of{TODAY}")
    for what in (
        "reporting_personal.contacts",
        f"reporting_personal.contacts_as_of{TODAY}",
        "pipelines_pipeline",
        "oegen_user",
    ):
        assert not may_read(role, what), what
    [(settings,)] = fetch(
        "SELECT setconfig FROM pg_db_role_setting JOIN pg_roles ON pg_roles.oid = setrole "
        "WHERE rolname = %s",
        (role,),
    )
    assert {"statement_timeout=30s", "default_transaction_read_only=on"} < set(settings)

    call_command("grant_reporting", role, "--personal")
    assert may_read(role, "reporting_personal.contacts")
    assert may_read(role, f"reporting_personal.contacts_as_of{TODAY}")
    call_command("grant_reporting", role)
    assert not may_read(role, "reporting_personal.contacts")
    call_command("grant_reporting", role, "--revoke")
    assert not may_read(role, "reporting.pipelines")
    assert not may_read(role, f"reporting.pipelines_as_of{TODAY}")
    [event] = SecurityEvent.objects.filter(kind=SecurityEvent.Kind.REPORTING)
    assert event.details == {"role": role, "reads": "reporting"}


def test_roles_keep_their_rights_after_a_migration(role):
    call_command("grant_reporting", role)
    oegen = apps.get_app_config("oegen")
    schemas.drop_views(oegen, "default", plan=["a migration"])
    assert not fetch("SELECT 1 FROM pg_views WHERE schemaname LIKE 'reporting%'")
    schemas.make_views(oegen, "default")
    assert may_read(role, "reporting.pipelines")
    assert may_read(role, f"reporting.pipelines_as_of{TODAY}")
    assert not may_read(role, "reporting_personal.contacts")


def test_what_depends_on_a_view_is_not_dropped(db):
    run("CREATE VIEW board_pack AS SELECT id FROM reporting.pipelines")
    with pytest.raises(CommandError, match=r"view board_pack depends on .*\. Drop that first"):
        schemas.drop_views(apps.get_app_config("oegen"), "default", plan=["a migration"])
    # Nothing to do, nothing to drop.
    schemas.make_views(apps.get_app_config("oegen"), "default")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nobody", "The database has no role “nobody”"),
        (None, "may read and write every table already"),
    ],
)
def test_a_role_that_cannot_be_granted(db, name, sentence):
    [(own,)] = fetch("SELECT current_user")
    with pytest.raises(CommandError, match=sentence):
        call_command("grant_reporting", name or own)
