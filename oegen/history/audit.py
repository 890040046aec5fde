"""The audit page, with all recorded entries, and the page of one change set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.apps import apps
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.text import capfirst
from django.views.generic import DetailView

from oegen import audit, exports
from oegen.alerts import anchors
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.integrity.models import IntegrityCheck
from oegen.audit.narrative import timeline
from oegen.audit.narrative.names import NameCache
from oegen.audit.revert import undoing
from oegen.core import clock
from oegen.history.filters import ACTIONS, AuditFilter
from oegen.history.trail import Trail
from oegen.pages import downloads
from oegen.pages.lists import FilteredPage

PAGE_SIZE = 50

#: Entries are counted up to this number.
MAX_COUNTED = 1_000

#: The number of entries up to which a file is made at once; more are made by a job.
MAX_DIRECT = 5_000

#: The number of answered questions of a change set that are shown in full.
ANSWERS_SHOWN = 50

KINDS = (audit.CREATED, audit.CHANGED, audit.REMOVED)

#: The labels of the actions.
ACTION_LABELS = {kind: name for name, kind in ACTIONS.items()}

HEADINGS = [
    "Change set",
    "Recorded at",
    "Person",
    "Source",
    "Reason",
    "Record type",
    "Record",
    "Record id",
    "Version",
    "Action",
    "Field",
    "Old value",
    "New value",
    "Token",
]


def file_rows(trail: Trail) -> Iterator[list]:
    """The entries as rows of a file: one per changed field, or one for the whole entry."""
    sources = dict(audit.Source.choices)
    for entries in trail.chunks(exports.CHUNK):
        for entry in entries:
            facts = [
                entry.change_set_number,
                exports.export_value(entry.when),
                entry.person or "The system",
                sources.get(entry.source, entry.source),
                entry.reason,
                entry.noun,
                entry.subject,
                str(entry.record_id),
                entry.version,
                ACTION_LABELS[entry.kind],
            ]
            for change in entry.changes:
                yield [*facts, change.label, *_values(change), entry.token_name]
            if not entry.changes:
                yield [*facts, *_whole(entry), entry.token_name]


def _values(change: timeline.FieldChange) -> list[str]:
    """The old and new value; empty for None."""
    pairs = ((change.raw_old, change.old), (change.raw_new, change.new))
    return ["" if raw is None or raw == "" else text for raw, text in pairs]


def _whole(entry: timeline.Entry) -> list[str]:
    """Field, old and new value of an entry about a whole record."""
    what = entry.comment or entry.subject
    if entry.link:
        what = f"{entry.link} {ACTION_LABELS[entry.kind]}"
    if entry.kind == audit.CREATED:
        return ["", "", what]
    return ["", what, ""] if entry.kind == audit.REMOVED else ["", "", ""]


class AuditPage(FilteredPage):
    """All recorded entries, newest first. ``?before=`` is the last entry of the previous page;
    ``?download=csv`` returns all pages of the filtered entries as a file."""

    queryset = ChangeSet.objects.order_by()
    filterset_class = AuditFilter
    context_object_name = "trail"
    template_name = "oegen/history/audit.html"
    state_template_name = "oegen/history/parts/audit_state.html"
    switch_template_name = "oegen/history/parts/switch.html"
    section = "changes"
    page_parameters = FilteredPage.page_parameters | {"before"}

    def get(self, request, *args, **kwargs):
        if request.GET.get("download") == exports.CSV:
            self.filterset = self.get_filterset(self.get_filterset_class())
            if not self.has_invalid_filters():
                return self._download()
        return super().get(request, *args, **kwargs)

    def _download(self):
        columns = [exports.FileColumn(heading) for heading in HEADINGS]
        sheet = exports.Sheet("audit", columns, file_rows(self.filterset.qs))
        number = len(self.filterset.qs.positions(MAX_DIRECT + 1))
        known = number if number <= MAX_DIRECT else None
        return downloads.answer(self.request, sheet, exports.CSV, known)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        page = Page.none() if context["is_wrong"] else Page.of(self.object_list, self.request)
        return context | {
            "page": page,
            "total": page.total,
            "anchor": anchors.newest_anchor(),
            "check": IntegrityCheck.objects.order_by("-checked_at").first(),
            "status_text": f"{page.count_in_words} {'entry' if page.total == 1 else 'entries'}",
        }


@dataclass(frozen=True)
class Page:
    """A page of entries. ``total`` is counted up to MAX_COUNTED, and on the first page only."""

    entries: list[timeline.Entry]
    total: int
    is_first: bool
    #: The value of ``before`` for the next page; empty on the last page.
    last: str

    @classmethod
    def none(cls) -> Page:
        return cls([], 0, True, "")

    @classmethod
    def of(cls, trail: Trail, request: HttpRequest) -> Page:
        """The page that the request asks for. Raises Http404 for an unknown entry in ``before``."""
        before = request.GET.get("before", "")
        if before:
            trail = trail.after_position(_position(trail, before))
        positions = trail.positions((PAGE_SIZE if before else MAX_COUNTED) + 1)
        entries = trail.entries_at(positions[:PAGE_SIZE])
        last = ""
        if len(positions) > PAGE_SIZE:
            last = f"{entries[-1].model._meta.model_name}-{entries[-1].history_id}"
        return cls(entries, len(positions), not before, last)

    @property
    def count_in_words(self) -> str:
        return f"{self.total:,}" if self.total <= MAX_COUNTED else f"More than {MAX_COUNTED:,}"


def _position(trail: Trail, entry: str) -> tuple:
    found = re.fullmatch(r"([a-z]{1,60})-([0-9]{1,18})", entry)
    position = found and trail.position_of(found[1], int(found[2]))
    if not position:
        raise Http404(f"“{entry}” names no entry from which to read on.")
    return position


@dataclass(frozen=True)
class Counts:
    """The number of entries of a change set for one model; None for none."""

    plural: str
    added: int | None
    changed: int | None
    removed: int | None


@dataclass(frozen=True)
class Answer:
    """A question that was answered with "save anyway", with its record."""

    name: str
    url: str
    text: str


def answers_of(change_set: ChangeSet) -> list[Answer]:
    """The first ANSWERS_SHOWN answered questions."""
    shown = change_set.answers[:ANSWERS_SHOWN]
    names, about = NameCache(), [_record_of(answer["record"]) for answer in shown]
    for one in about:
        names.prefetch(*one)
    return [
        Answer(names.get(*one), _history_url(*one), answer["text"])
        for one, answer in zip(about, shown, strict=True)
    ]


@dataclass(frozen=True)
class Merger:
    """A record that was merged, and the one into which it was merged."""

    name: str
    url: str
    survivor: str
    survivor_url: str


def mergers_of(change_set: ChangeSet) -> list[Merger]:
    names, pairs = NameCache(), []
    for merged, survivor in change_set.mergers.items():
        model, key = _record_of(merged)
        pairs.append((model, key, UUID(survivor)))
        names.prefetch(model, key)
        names.prefetch(model, UUID(survivor))
    return [
        Merger(
            names.get(model, key),
            _history_url(model, key),
            names.get(model, survivor),
            names.url(model, survivor) or _history_url(model, survivor),
        )
        for model, key, survivor in pairs
    ]


def _record_of(text: str) -> tuple[type[AuditedModel], UUID]:
    label, _, key = text.partition(":")
    return apps.get_model(label), UUID(key)


def _history_url(model: type[AuditedModel], key: UUID) -> str:
    return reverse("history", args=[model._meta.model_name, key])


class ChangeSetPage(DetailView):
    """The page of one change set, by its number."""

    queryset = ChangeSet.objects.select_related("person", "undoes")
    template_name = "oegen/history/change_set.html"

    def get_object(self, queryset=None):
        return get_object_or_404(self.queryset, number=self.kwargs["number"])

    def get_context_data(self, **kwargs):
        change_set = self.object
        needed = undoing.permissions_for(change_set)
        return super().get_context_data(**kwargs) | {
            "section": "changes",
            "change_set": change_set,
            "counts": [
                Counts(capfirst(str(model._meta.verbose_name_plural)), *map(tally.get, KINDS))
                for model, tally in undoing.count_rows(change_set).items()
            ],
            "is_later": change_set.recorded_at >= clock.now(),
            "answers": answers_of(change_set),
            "mergers": mergers_of(change_set),
            "answers_beyond": max(change_set.answer_count - ANSWERS_SHOWN, 0),
            "total": sum(number for number, _ in change_set.contents.values()),
            "undone_by": list(change_set.undone_by.recorded().order_by("number")),
            "may_undo": change_set.source != audit.Source.MIGRATION
            and self.request.user.has_perms(needed),
            "page": Page.of(Trail(number=change_set.number), self.request),
        }
