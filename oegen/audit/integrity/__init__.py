"""Integrity checks of the history and the records (``manage.py audit_check``).

Each check yields findings if it fails:

- the triggers that protect the history exist, and no others;
- every seal matches the previous seal and the rows it covers;
- every record's history has consecutive versions;
- every record equals its last history row;
- accounts, groups and content types are those that the history refers to.

Everything is read in the order of its keys; only a few hundred change sets, and one record's
history, are in memory at a time. An unreadable value is a finding too, and does not stop the check.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from django.contrib.contenttypes.models import ContentType

from oegen import audit
from oegen.audit.integrity import chain, records, tables
from oegen.audit.integrity.finding import Finding

__all__ = ["Check", "Finding", "register_check"]

#: A check of a higher layer: yields findings, and counts what it reads.
CheckFunction = Callable[[Counter[str]], Iterator[Finding]]

#: The registered checks, by what they read.
checks: dict[str, CheckFunction] = {}


def register_check(what: str) -> Callable[[CheckFunction], CheckFunction]:
    """Add a check to ``audit_check``; ``what`` names what it reads. An exception becomes a finding
    and ends that check only."""

    def register(check: CheckFunction) -> CheckFunction:
        checks[what] = check
        return check

    return register


class Check:
    """A run of all checks. ``counts`` is complete once ``findings`` is exhausted."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def findings(self) -> Iterator[Finding]:
        # In a long-running process the cache may be out of date.
        ContentType.objects.clear_cache()
        yield from tables.trigger_findings()
        reported: set[tuple[str, str]] = set()
        yield from self._guarded("the chain of seals", chain.findings(self.counts, reported))
        for model in audit.tracked_models():
            what = f"the history of {model._meta.verbose_name_plural}"
            yield from self._guarded(what, chain.rows_without_change_set(model, reported))
            yield from self._guarded(what, records.findings(model, self.counts, reported))
        for what, check in checks.items():
            yield from self._guarded(what, check(self.counts))

    @staticmethod
    def _guarded(what: str, findings: Iterator[Finding]) -> Iterator[Finding]:
        """Turn an exception into a finding, so that the other checks still run."""
        try:
            yield from findings
        except Exception as error:
            yield Finding(
                what.capitalize(), f"can't be read to its end: {type(error).__name__}: {error}"
            )
