"""Integrity checks of the history and the records (``manage.py audit_check``).

Each check yields findings if it fails:

- the triggers that protect the history exist, and no others;
- every seal matches the previous seal and the rows it covers;
- every record's history has consecutive versions;
- every record equals its last history row;
- accounts, groups and content types are those that the history refers to.

Everything is read in the order of its keys; only a few thousand change sets, and one record's
history, are in memory at a time. An unreadable value is a finding too, and does not stop the check.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain as chain_of
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType

from oegen import audit
from oegen.audit.integrity import chain, records, tables
from oegen.audit.integrity.finding import Finding
from oegen.core.processes import processes_in_snapshot

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
    """A run of all checks. ``counts`` is complete once ``findings`` is exhausted.

    Each part of it runs in one of the ``processes``, which read the snapshot of the transaction of
    whoever asks; only PostgreSQL can share one.
    """

    def __init__(self, processes: int = 1) -> None:
        self.counts: Counter[str] = Counter()
        self._processes = processes

    def findings(self) -> Iterator[Finding]:
        """Each once: what can't be read is found by the checks of the chain and of the record."""
        reported: set[str] = set()
        for finding in chain_of(tables.trigger_findings(), self._findings()):
            if finding.fingerprint not in reported:
                reported.add(finding.fingerprint)
                yield finding

    def _findings(self) -> Iterator[Finding]:
        parts = ["", *(model._meta.label for model in audit.tracked_models()), *checks]
        if self._processes < 2:
            for part in parts:
                yield from _part(part, self.counts)
            return
        with processes_in_snapshot(self._processes) as pool:
            for found, counts in pool.map(_run, parts):
                self.counts.update(counts)
                yield from found


def _run(part: str) -> tuple[list[Finding], Counter[str]]:
    counts: Counter[str] = Counter()
    return list(_part(part, counts)), counts


def _part(part: str, counts: Counter[str]) -> Iterator[Finding]:
    """The findings of the chain of seals (no name), of a model by its label, or of a registered
    check by what it reads."""
    # In a long-running process the cache may be out of date.
    ContentType.objects.clear_cache()
    if not part:
        yield from _guarded("the chain of seals", chain.findings(counts))
    elif part in checks:
        yield from _guarded(part, checks[part](counts))
    else:
        model: Any = apps.get_model(part)
        what = f"the history of {model._meta.verbose_name_plural}"
        yield from _guarded(what, chain.rows_without_change_set(model))
        yield from _guarded(what, records.findings(model, counts))


def _guarded(what: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Turn an exception into a finding, so that the other checks still run."""
    try:
        yield from findings
    except Exception as error:
        yield Finding(
            what.capitalize(), f"can't be read to its end: {type(error).__name__}: {error}"
        )
