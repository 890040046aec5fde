"""Taking a change set back: what it would do, the reason, and what stayed as it was."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import cached_property
from django.views import View

from oegen import audit
from oegen.audit.changesets import ChangeSet
from oegen.audit.narrative import timeline
from oegen.audit.narrative.names import NameCache
from oegen.audit.revert import undoing
from oegen.audit.revert.steps import Step
from oegen.core import words
from oegen.core.fields import ReasonFormField
from oegen.people.comments import Comment
from oegen.people.requests import SignedInRequest

#: Records of a kind that are named; the rest are counted.
NAMED = 50

VERBS = {
    audit.REMOVED: "would be removed",
    audit.CREATED: "would come back",
    audit.CHANGED: "would be set back",
}


@dataclass(frozen=True)
class Line:
    """One record: its name, and for one that is set back what would change."""

    name: str
    url: str
    changes: tuple[timeline.FieldChange, ...] = ()


@dataclass(frozen=True)
class Group:
    """What would be done to the records of one kind; ``beyond`` are not named."""

    noun: str
    verb: str
    number: int
    lines: tuple[Line, ...]

    @property
    def beyond(self) -> int:
        return self.number - len(self.lines)


def groups_of(plan: undoing.Plan) -> list[Group]:
    """The plan's steps by what they do and to what; records before what belongs to them."""
    steps: dict[tuple[str, Any], list[Step]] = defaultdict(list)
    for step in plan.steps:
        steps[step.kind, step.model].append(step)
    order = list(VERBS)
    keys = sorted(
        steps,
        key=lambda key: (order.index(key[0]), bool(key[1].PARENT_FIELD) or key[1] is Comment),
    )
    return [_group(model, kind, steps[kind, model]) for kind, model in keys]


def _group(model, kind: str, steps: list[Step]) -> Group:
    shown = steps[:NAMED]
    names = NameCache()
    for step in shown:
        for row in filter(None, (step.current, step.target)):
            names.prefetch_for(model, row)
    return Group(
        noun=words.noun_of(model, len(steps)),
        verb=VERBS[kind],
        number=len(steps),
        lines=tuple(_line(step, names) for step in shown),
    )


def _line(step: Step, names: NameCache) -> Line:
    row = step.current or step.target
    name, url = _name(step, row, names)
    changes: tuple[timeline.FieldChange, ...] = ()
    if step.kind == audit.CHANGED:
        changes = tuple(timeline.differences(step.model, step.target, step.current, names))
    return Line(name, url, changes)


def _name(step: Step, row, names: NameCache) -> tuple[str, str]:
    if not step.belongs_to:
        return names.get(step.model, step.key), names.url(step.model, step.key)
    owner = names.get(*step.belongs_to)
    what = f"“{row.text}”" if step.model is Comment else step.model.describe_link(row, names)
    return f"{owner}: {what}", names.url(*step.belongs_to)


class UndoForm(forms.Form):
    reason = ReasonFormField(
        label="Why",
        error_messages={"required": "Say why you undo it: the reason stays in the history."},
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"}),
    )


class UndoPage(View):
    """403 for those who may not take the steps that undoing takes; a refusal is told on the page,
    with what was typed."""

    @cached_property
    def change_set(self) -> ChangeSet:
        known = ChangeSet.objects.select_related("person", "undoes")
        return get_object_or_404(known, number=self.kwargs["number"])

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        return self._preview(UndoForm())

    def post(self, request: SignedInRequest, number: int) -> HttpResponse:
        form = UndoForm(request.POST)
        if not form.is_valid():
            return self._preview(form)
        try:
            new, skipped = undoing.undo(
                change_set=self.change_set,
                reason=form.cleaned_data["reason"],
                person=request.user,
            )
        except undoing.CannotUndoError as error:
            self._check(undoing.permissions_for(self.change_set))
            return self._preview(form, refused=str(error))
        if not skipped:
            said = f"Change set {self.change_set.number} is undone, all of it."
            messages.success(request, said)
            return redirect("change-set", number=new.number)
        context = {
            "section": "changes",
            "change_set": self.change_set,
            "new": new,
            "skipped": skipped,
        }
        return render(request, "oegen/history/undone.html", context)

    def _preview(self, form: UndoForm, refused: str = "") -> HttpResponse:
        plan = undoing.plan_undo(self.change_set)
        needed = undoing.permissions_for_steps(self.change_set, plan.steps)
        self._check(needed or undoing.permissions_for(self.change_set))
        context = {
            "section": "changes",
            "change_set": self.change_set,
            "plan": plan,
            "groups": groups_of(plan),
            "skipped": plan.skipped[:NAMED],
            "skipped_beyond": len(plan.skipped) - len(plan.skipped[:NAMED]),
            "refused": refused,
            "form": form,
        }
        return render(self.request, "oegen/history/undo.html", context)

    def _check(self, permissions: set[str]) -> None:
        if not self.request.user.has_perms(permissions):
            raise PermissionDenied
