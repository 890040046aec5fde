from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from oegen.audit import seals, triggers
from oegen.audit.integrity import Check
from tests.support.builders import make_portfolio, make_user
from tests.support.triggers import lifted_triggers

pytest.register_assert_rewrite("tests.support.tracked")


@pytest.fixture(scope="module")
def portfolio(module_db):
    """A record of every tracked model."""
    make_portfolio(make_user())


@pytest.fixture
def part(subtests):
    """One of the many parts of a test, in a savepoint: the others go on when it fails."""

    @contextmanager
    def part(what):
        with subtests.test(getattr(what, "__name__", str(what))), transaction.atomic():
            yield

    return part


@pytest.fixture
def sealing_fails(monkeypatch):
    """What is written inside fails at its last step, the sealing, and the failure is expected."""

    def fail(*args):
        raise ZeroDivisionError

    @contextmanager
    def sealing_fails():
        with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
            patch.setattr(seals, "close", fail)
            yield

    return sealing_fails


@pytest.fixture
def findings():
    """What audit_check finds now, as sentences."""

    def findings() -> list[str]:
        return [str(finding) for finding in Check().findings()]

    return findings


@pytest.fixture
def tamper():
    """Let somebody through who can drop triggers and write SQL."""

    def tamper(sql: str, *values):
        with lifted_triggers(triggers.table_rules()), connection.cursor() as cursor:
            cursor.execute(sql, values)

    return tamper
