"""The alerts of registers, registered with oegen.alerts by ``AppConfig.ready``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from django.urls import reverse

from oegen.alerts.events import Event, Held, Occurrence, Subject, describes, detects, stands
from oegen.audit.changes import Changes
from pipelines.choices import FindingKind
from pipelines.models import Pipeline, RegisterFinding
from pipelines.querysets import ANY_FINDING
from pipelines.registers.models import Edition

NEW_EDITION = Event(
    "register-edition",
    "New edition of a public register",
    "the newest one; an older one that comes later is not told",
)

SAYS_OTHERWISE = Event(
    "register-differs",
    "A public register says otherwise",
    "the morning after it began to say something else than we do about a pipeline",
    kinds=tuple((str(kind), str(kind.label)) for kind in FindingKind),
    list_url=lambda: f"{reverse('pipelines')}?registers={ANY_FINDING}",
)


@detects(NEW_EDITION, models=[Edition])
def new_editions(changes: Changes) -> Iterator[Occurrence]:
    for change in changes.of(Edition, "register_id", "date", "summary"):
        if change.before is not None or change.after is None or not change.is_new:
            continue
        others = Edition.objects.filter(register_id=change.after["register_id"])
        if not others.filter(date__gt=change.after["date"]).exists():
            yield Occurrence(NEW_EDITION, Edition, change.key, new=change.after["summary"])


@describes(Edition)
def editions_in_messages(keys: list[UUID]) -> dict[UUID, Subject]:
    editions = Edition.objects.select_related("register").in_bulk(keys)
    return {
        key: Subject(
            name=str(edition),
            noun=str(Edition._meta.verbose_name),
            url=reverse("history", args=[Edition._meta.model_name, key]),
            countries=frozenset(filter(None, [str(edition.register.country)])),
        )
        for key, edition in editions.items()
    }


def _facts_of_findings(keys: list[UUID]) -> dict[UUID, tuple[tuple[str, str], ...]]:
    found: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    findings = RegisterFinding.objects.now().filter(pipeline_id__in=keys).order_by("pk")
    for finding in findings:
        found[finding.pipeline_id].append((str(finding.get_kind_display()), finding.text))
    return {key: tuple(facts) for key, facts in found.items()}


@stands(SAYS_OTHERWISE, Pipeline, facts=_facts_of_findings)
def findings_that_stand(counting: bool) -> Held:
    found: dict[UUID, set[str]] = defaultdict(set)
    for key, kind in RegisterFinding.objects.now().values_list("pipeline_id", "kind"):
        found[key].add(kind)
    return {key: frozenset(kinds) for key, kinds in found.items()}
