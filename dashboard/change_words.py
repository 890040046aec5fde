"""Phrases for the changes of a pipeline, on the changes page and in its downloads."""

from __future__ import annotations

from datetime import date

from django.utils import timezone
from django.utils.formats import date_format

from dashboard.metrics.changes import Change, PipelineState
from oegen.audit.narrative.names import NOTHING
from oegen.core.bidi import isolated
from oegen.core.words import count, number
from pipelines import wording
from pipelines.choices import ON_HOLD, RAG, Outcome
from pipelines.models import Stage
from pipelines.querysets import ENDED, HELD, Capacity


class ChangeWords:
    """Uses the names that the stages have on the day of the page."""

    def __init__(self):
        self._stages = dict(Stage.objects.values_list("code", "name"))

    def phrase(self, change: Change) -> str:
        describe = getattr(self, f"_{change.kind.replace('-', '_')}")
        phrase: str = describe(change, change.was, change.now)
        effective, write = change.effective_on, change.last_write
        if effective and write and effective != timezone.localdate(write.when):
            phrase = f"{phrase}, effective {date_format(effective)}"
        return phrase

    def cells(self, change: Change) -> tuple[str | date | None, str | date | None]:
        """The old and the new value; dates as ``date``."""
        was, now = (self._cell(change.kind, end) for end in (change.was, change.now))
        return was, now

    def _cell(self, kind: str, end: PipelineState | None) -> str | date | None:
        if end is None:
            return None
        if kind in ("slipped", "earlier", "dated", "undated"):
            return end.rtb_date
        if kind == "rated":
            return _rag(end.rag)
        if kind in ("resized", "basis"):
            return size(end.capacity)
        if kind == "renamed":
            return end.name
        return self._stage(end) if kind == "moved" else self._status(end)

    def _stage(self, end: PipelineState) -> str:
        return isolated(self._stages.get(end.stage, end.stage))

    def _status(self, end: PipelineState) -> str:
        if end.state == ENDED:
            return Outcome(end.status).label
        return ON_HOLD if end.state == HELD else self._stage(end)

    def _where(self, end: PipelineState) -> str:
        """The stage, and the status if it is another."""
        status = self._status(end)
        stage = self._stage(end)
        return stage if status == stage else f"{stage}, {status.lower()}"

    # One method for each kind of change: the change, the pipeline before, the pipeline after.

    def _new(self, change, was, now) -> str:
        return f"added in {self._where(now)}"

    def _restored(self, change, was, now) -> str:
        return f"brought back in {self._where(now)}"

    def _removed(self, change, was, now) -> str:
        return f"removed; it was in {self._where(was)}"

    def _moved(self, change, was, now) -> str:
        stages = self._stage(was), self._stage(now)
        return wording.stage_moved(*stages, *stages)

    def _completed(self, change, was, now) -> str:
        return f"completed; it was in {self._where(was)}"

    def _reopened(self, change, was, now) -> str:
        return f"reopened in {self._where(now)}; it was {self._status(was).lower()}"

    def _on_hold(self, change, was, now) -> str:
        return f"put on hold in {self._stage(now)}"

    def _off_hold(self, change, was, now) -> str:
        return f"taken off hold in {self._stage(now)}"

    def _sold(self, change, was, now) -> str:
        return f"sold in {self._stage(now)}"

    def _ended(self, change, was, now) -> str:
        return f"{self._status(now).lower()} in {self._stage(now)}"

    def _slipped(self, change, was, now) -> str:
        return f"slipped by {count(change.days, 'day')}, {_from_to(was, now)}"

    def _earlier(self, change, was, now) -> str:
        return f"brought forward by {count(-change.days, 'day')}, {_from_to(was, now)}"

    def _dated(self, change, was, now) -> str:
        return wording.rtb_moved(NOTHING, _day(now), None, now.rtb_date)

    def _undated(self, change, was, now) -> str:
        return wording.rtb_moved(_day(was), NOTHING, was.rtb_date, None)

    def _rated(self, change, was, now) -> str:
        return wording.rag_changed(_rag(was.rag), _rag(now.rag), was.rag, now.rag)

    def _resized(self, change, was, now) -> str:
        if was.capacity is None:
            return f"given a capacity of {size(now.capacity)}"
        if now.capacity is None:
            return f"left without a capacity; it was {size(was.capacity)}"
        return f"resized from {size(was.capacity)} to {size(now.capacity)}"

    def _basis(self, change, was, now) -> str:
        technology = change.last_write and change.last_write.technology
        subject = f"basis of {isolated(technology)}" if technology else "capacity basis"
        return f"{subject} changed: {size(was.capacity)} became {size(now.capacity)}"

    def _renamed(self, change, was, now) -> str:
        return f"renamed; it was “{isolated(was.name)}”"


def size(capacity: Capacity | None) -> str:
    """Such as “40.0 MWp and 20.0 MW, 80.0 MWh”."""
    if capacity is None:
        return ""
    parts = [f"{number(capacity.mwp_dc)} MWp"] if capacity.mwp_dc else []
    if capacity.mw_ac or not parts:
        parts.append(f"{number(capacity.mw_ac)} MW")
    storage = f", {number(capacity.storage_mwh)} MWh" if capacity.storage_mwh else ""
    return f"{' and '.join(parts)}{storage}"


def _rag(code: str) -> str:
    return RAG(code).label if code else NOTHING


def _from_to(was: PipelineState, now: PipelineState) -> str:
    return f"from {_day(was)} to {_day(now)}"


def _day(end: PipelineState) -> str:
    return date_format(end.rtb_date) if end.rtb_date else NOTHING
