from contextlib import contextmanager

import pytest
from django.db import transaction

from oegen.audit import seals
from oegen.audit.integrity import Check
from tests.support.builders import make_portfolio, make_user

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
