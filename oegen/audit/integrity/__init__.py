"""Is the history whole, and does it agree with the records? (``manage.py audit_check``)

Five questions, each with its own findings:

- are the triggers there that refuse changes of history, and no others;
- does every seal follow from the one before it and from the rows it covers;
- does every record's history run from version to version without a gap;
- does every record say what its last history row says;
- do accounts, groups and kinds of record mean what the history takes them to mean.

Everything is read in the order of its keys; only some hundred change sets, and one record's
history, are held at a time. A value that can't be read is a finding like any other, and the check
goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from django.contrib.contenttypes.models import ContentType

from oegen import audit
from oegen.audit.integrity import chain, records, tables
from oegen.audit.integrity.finding import Finding

__all__ = ["Check", "Finding", "register_check"]

#: A question of a higher layer: yields findings, and counts what it reads.
CheckFunction = Callable[[Counter[str]], Iterator[Finding]]

#: Each by what it reads.
questions: dict[str, CheckFunction] = {}


def register_check(what: str) -> Callable[[CheckFunction], CheckFunction]:
    """Have ``audit_check`` ask it too; ``what`` is what it reads. What it raises ends that question
    alone, as a finding."""

    def register(question: CheckFunction) -> CheckFunction:
        questions[what] = question
        return question

    return register


class Check:
    """One run over everything. ``counts`` says what was read, once ``findings`` is used up."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def findings(self) -> Iterator[Finding]:
        # A process that runs on would know kinds of record as they were.
        ContentType.objects.clear_cache()
        yield from tables.trigger_findings()
        reported: set[tuple[str, str]] = set()
        yield from self._go_on("the chain of seals", chain.findings(self.counts, reported))
        for model in audit.tracked_models():
            what = f"the history of {model._meta.verbose_name_plural}"
            yield from self._go_on(what, chain.strays(model, reported))
            yield from self._go_on(what, records.findings(model, self.counts, reported))
        for what, question in questions.items():
            yield from self._go_on(what, question(self.counts))

    @staticmethod
    def _go_on(what: str, findings: Iterator[Finding]) -> Iterator[Finding]:
        """What one question runs into doesn't keep the others from being asked."""
        try:
            yield from findings
        except Exception as error:
            yield Finding(
                what.capitalize(), f"can't be read to its end: {type(error).__name__}: {error}"
            )
