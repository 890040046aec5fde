"""The page to undo a change set: preview, reason, and the skipped records."""

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

#: The number of records per group that are listed; the rest are counted.
MAX_LISTED = 50

VERBS = {
    audit.REMOVED: "would be removed",
    audit.CREATED: "would come back",
    audit.CHANGED: "would be set back",
}


@dataclass(frozen=True)
class Line:
    """A record by name, with its changes if it is set back."""

    name: str
    url: str
    changes: tuple[timeline.FieldChange, ...] = ()


@dataclass(frozen=True)
class Group:
    """The records of one model with the same action; ``beyond`` of them are not listed."""

    noun: str
    verb: str
    number: int
    lines: tuple[Line, ...]

    @property
    def beyond(self) -> int:
        return self.number - len(self.lines)


def groups_of(plan: undoing.Plan) -> list[Group]:
    """The plan's steps, grouped by action and model; records before their links and comments."""
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
    shown = steps[:MAX_LISTED]
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
    if not step.parent_key:
        return names.get(step.model, step.key), names.url(step.model, step.key)
    owner = names.get(*step.parent_key)
    what = f"“{row.text}”" if step.model is Comment else step.model.describe_link(row, names)
    return f"{owner}: {what}", names.url(*step.parent_key)


class UndoForm(forms.Form):
    reason = ReasonFormField(
        label="Why",
        error_messages={"required": "Say why you undo it: the reason stays in the history."},
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"}),
    )


class UndoPage(View):
    """The page to undo a change set; 403 without the permissions for the steps. If undoing is
    refused, it shows the message and the input."""

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
            message = f"Change set {self.change_set.number} is undone, all of it."
            messages.success(request, message)
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
            "skipped": plan.skipped[:MAX_LISTED],
            "skipped_beyond": max(len(plan.skipped) - MAX_LISTED, 0),
            "refused": refused,
            "form": form,
        }
        return render(self.request, "oegen/history/undo.html", context)

    def _check(self, permissions: set[str]) -> None:
        if not self.request.user.has_perms(permissions):
            raise PermissionDenied
