"""Views for merging two records: choose the other record, preview with decisions, merge.

The URL has the surviving record; the query parameter ``with`` the one that is merged into it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.views import View

from oegen import search
from oegen.audit.audited import AuditedModel
from oegen.audit.narrative.names import NameCache
from oegen.audit.revert import merging
from oegen.audit.revert.merging import Choice, Plan
from oegen.core import words
from oegen.pages.removed import removed_context
from oegen.people.requests import SignedInRequest
from oegen.search import keys
from oegen.search.ordering import natural

#: The number of rows per model that are listed; the rest are counted.
MAX_LISTED = 50

#: The maximum number of suggested records.
MAX_SUGGESTIONS = 20


@dataclass(frozen=True)
class Group:
    """References to the merged record from one model; ``beyond`` of them are not listed."""

    noun: str
    number: int
    lines: tuple[str, ...]

    @property
    def beyond(self) -> int:
        return self.number - len(self.lines)


def groups_of(plan: Plan) -> list[Group]:
    by_model: dict[type[AuditedModel], list] = defaultdict(list)
    for move in plan.moves:
        by_model[type(move.row)].append(move.row)
    return [_group(model, rows) for model, rows in by_model.items()]


def _group(model: type[AuditedModel], rows: list[AuditedModel]) -> Group:
    names = NameCache()
    shown = rows[:MAX_LISTED]
    for row in shown:
        names.prefetch_for(model, row)
    lines = tuple(merging.describe_reference(row, names) for row in shown)
    return Group(words.noun_of(model, len(rows)), len(rows), lines)


class MergeForm(forms.Form):
    """The merge form, with a field for each choice of the plan."""

    token = forms.CharField(widget=forms.HiddenInput, required=False)
    reason = forms.CharField(
        label="Why",
        max_length=1000,
        help_text="How you know that they are one and the same. Kept in the history.",
        error_messages={
            "required": "Say why they are one and the same: the reason stays in the history."
        },
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"}),
    )

    def __init__(self, plan: Plan, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.plan = plan
        self.fields["token"].initial = plan.token
        for choice in plan.choices:
            self.fields[choice.name] = self._field_for(choice)

    @staticmethod
    def _field_for(choice: Choice) -> forms.ChoiceField:
        return forms.ChoiceField(
            label=capfirst(choice.label),
            choices=[(option.code, option.words) for option in choice.options],
            initial=choice.default,
            widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
            error_messages={
                "required": "Choose one of these.",
                "invalid_choice": "Choose one of these.",
            },
        )

    @property
    def choice_fields(self) -> list[forms.BoundField]:
        return [self[choice.name] for choice in self.plan.choices]

    @property
    def decisions(self) -> dict[str, str]:
        return {choice.name: self.cleaned_data[choice.name] for choice in self.plan.choices}

    def update_token(self) -> None:
        """Take the token of the current plan, so that the form can be sent again."""
        self.data = {**dict(self.data.items()), "token": self.plan.token}


class GoneError(Exception):
    """One of the two records was removed or merged in the meantime."""

    def __init__(self, context: dict):
        super().__init__()
        self.context = context


class MergePage(View):
    """The base of pages that merge two records.

    403 without the permissions to change and to delete such records; 409 if the plan changed since
    the preview, with the new preview, or if one of the records was removed.
    """

    model: type[AuditedModel]
    section = ""

    def dispatch(self, request, *args, **kwargs):
        if not request.user.has_perms(merging.permissions_for(self.model)):
            raise PermissionDenied
        try:
            return super().dispatch(request, *args, **kwargs)
        except GoneError as error:
            context = error.context | {"section": self.section}
            if request.method == "POST":
                return render(request, "oegen/history/merge_gone.html", context, status=409)
            return render(request, "oegen/record_removed.html", context, status=404)

    def _find(self, key: UUID) -> AuditedModel:
        """The record. Raises GoneError if it was removed, Http404 if it never existed."""
        if record := self.model.objects.filter(pk=key).first():
            return record
        if context := removed_context(self.model, key):
            raise GoneError(context)
        raise Http404("There is no such record.")

    @cached_property
    def survivor(self) -> AuditedModel:
        return self._find(self.kwargs["pk"])

    @property
    def other(self) -> AuditedModel | None:
        """The record to merge into the survivor; None if it is not chosen yet."""
        if "with" not in self.request.GET:
            return None
        try:
            key = UUID(self.request.GET["with"])
        except ValueError:
            raise Http404("“with” is to be the id of a record.") from None
        return self._find(key)

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        other = self.other
        if other is None or other == self.survivor:
            return self._choose()
        return self._preview(MergeForm(merging.plan_merge(self.survivor, other)))

    def post(self, request: SignedInRequest, pk: UUID) -> HttpResponse:
        survivor, other = self.survivor, self.other
        if other is None:
            return self._choose()
        form = self._bound(survivor, other)
        if not form.is_valid():
            return self._preview(form)
        try:
            change_set = merging.merge(
                survivor=survivor,
                merged=other,
                decisions=form.decisions,
                token=form.cleaned_data["token"],
                reason=form.cleaned_data["reason"],
                person=request.user,
            )
        except merging.PlanChangedError as error:
            form = self._bound(self._find(pk), self._find(other.pk))
            form.update_token()
            return self._preview(form, refused=str(error), status=409)
        except merging.CannotMergeError as error:
            return self._preview(form, refused=str(error))
        messages.success(
            request,
            f"“{other}” is merged into this {self.model._meta.verbose_name}. Change set "
            f"{change_set.number} can be undone.",
        )
        return redirect(survivor.get_absolute_url())

    def _bound(self, survivor: AuditedModel, other: AuditedModel) -> MergeForm:
        try:
            plan = merging.plan_merge(survivor, other)
        except merging.CannotMergeError as error:
            raise Http404(str(error)) from error
        return MergeForm(plan, self.request.POST)

    def _preview(self, form: MergeForm, refused: str = "", status: int = 200) -> HttpResponse:
        plan = form.plan
        context = self._context() | {
            "plan": plan,
            "other": plan.merged,
            "form": form,
            "groups": groups_of(plan),
            "already": [one.words for one in plan.collisions if one.choice is None],
            "refused": refused,
        }
        return render(self.request, "oegen/history/merge.html", context, status=status)

    def _choose(self) -> HttpResponse:
        """List similar records, or the results of a search."""
        text = self.request.GET.get("q", "").strip()
        if text:
            found = search.matching(self.model.objects.all(), text)
        else:
            found = self.model.objects.filter(self._is_similar())
        found = found.exclude(pk=self.survivor.pk).order_by(natural("name"), "pk")
        offered = found[:MAX_SUGGESTIONS]
        context = self._context() | {
            "text": text,
            "offered": list(offered),
            "limit": MAX_SUGGESTIONS,
        }
        return render(self.request, "oegen/history/merge_choice.html", context)

    def _is_similar(self) -> Q:
        """The condition for records with a similar name or the same first word."""
        name = getattr(self.survivor, self.model.name_field())
        lookups = (keys.same_name, keys.alias_holders, keys.similar_names)
        condition = Q(name__istartswith=f"{name.split()[0]} ") if name.split() else Q()
        for lookup in lookups:
            condition |= Q(pk__in=lookup(self.model, name).order_by().values("pk"))
        return condition

    def _context(self) -> dict:
        meta = self.model._meta
        return {
            "section": self.section,
            "record": self.survivor,
            "noun": meta.verbose_name,
            "plural": meta.verbose_name_plural,
        }
