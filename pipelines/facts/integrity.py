"""The integrity check of the facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from oegen.audit.integrity import Finding, register_check
from oegen.core.words import count
from pipelines.facts.models import Fact
from pipelines.facts.services import wrong_facts


@register_check("the facts of pipelines")
def fact_findings(counts: Counter[str]) -> Iterator[Finding]:
    """Compare the facts with those derived from the history."""
    counts["facts"] += Fact.objects.count()
    for key, outdated, missing in wrong_facts():
        yield Finding(
            f"Pipeline {key}",
            f"the facts about it are not what the history says: {count(outdated, 'fact')} should "
            f"not be there, {count(missing, 'fact')} missing. Run manage.py rebuild_facts",
        )
