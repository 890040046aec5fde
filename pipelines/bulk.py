"""Changing several pipelines at once: a form that says first what it will do, one reason, one
change set."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views import View

from oegen.core.days import DayField
from oegen.core.fields import ReasonFormField
from oegen.core.words import count
from oegen.models import User
from oegen.pages.forms import DialogForm
from oegen.people.requests import SignedInRequest
from oegen.search.ordering import natural
from pipelines import services
from pipelines.editing import MAY_EDIT, answer_of
from pipelines.models import Pipeline, Stage

#: The most pipelines that are changed at once, which is more than a page of a list has.
MOST = 200

#: The number of names listed of those that are, or are not, changed.
NAMES = 8

#: A pipeline and the version that the preview was of.
_CHOSEN = re.compile(r"([0-9a-f-]{36}):([0-9]{1,9})")


class ChosenField(forms.CharField):
    """Pipelines with the versions that the preview was of; cleans to a dictionary."""

    widget = forms.HiddenInput
    default_error_messages = {
        "invalid": "What this page sent is not valid. Nothing was saved: load the page again."
    }

    def clean(self, value: Any) -> dict[UUID, int]:
        parts = str(value or "").split(",")
        found = [_CHOSEN.fullmatch(part) for part in parts]
        if len(parts) > MOST or not all(found):
            raise ValidationError(self.error_messages["invalid"], "invalid")
        return {UUID(one[1]): int(one[2]) for one in found if one}


class BulkForm(DialogForm):
    """The base of the forms; ``verb`` is what is said of the pipelines when it is done."""

    prefix_of_ids = "bulk"
    title: ClassVar[str]
    verb: ClassVar[str]

    chosen = ChosenField()
    reason = ReasonFormField(
        label="Why",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why: the history keeps this sentence."},
    )

    def change(self, pipeline: Pipeline) -> set[str]:
        """Set what the form says, without saving; returns the names of the fields. Raises what
        ``services.plan_together`` takes for a reason to leave the pipeline as it is."""
        raise NotImplementedError

    def can_change(self, pipeline: Pipeline) -> set[str]:
        """The change that the preview tries, before the form is filled in."""
        return set()


class ConfirmForm(BulkForm):
    title, verb = "Still right", "confirmed"

    def __init__(self, data: QueryDict | None = None, *, initial: dict[str, Any] | None = None):
        super().__init__(data, initial={"reason": services.STILL_RIGHT, **(initial or {})})

    def change(self, pipeline: Pipeline) -> set[str]:
        return services.set_confirmed(pipeline)

    can_change = change


class StageForm(BulkForm):
    title, verb = "Change stage", "moved"

    to = forms.ChoiceField(label="Move to", error_messages={"required": "Choose a stage."})
    effective_on = DayField(label="Since", initial=timezone.localdate)

    field_order = ("chosen", "to", "effective_on", "reason")

    def __init__(self, data: QueryDict | None = None, *, initial: dict[str, Any] | None = None):
        super().__init__(data, initial=initial)
        stages = Stage.objects.active().filter(is_terminal=False).order_by("order")
        self.fields["to"].choices = [  # type: ignore[attr-defined]
            ("", "Choose a stage"),
            *stages.values_list("code", "name"),
        ]

    def change(self, pipeline: Pipeline) -> set[str]:
        day: date = self.cleaned_data["effective_on"]
        services.set_status(pipeline, self.cleaned_data["to"], day)
        return {"stage", "on_hold", "on_hold_reason"}

    def can_change(self, pipeline: Pipeline) -> set[str]:
        services.require_active(pipeline)
        return set()


class ResponsibleForm(BulkForm):
    title, verb = "Change responsible", "changed"

    responsible = forms.ModelChoiceField(
        User.objects.filter(is_active=True), required=False, empty_label="Nobody"
    )

    field_order = ("chosen", "responsible", "reason")

    def change(self, pipeline: Pipeline) -> set[str]:
        pipeline.responsible = self.cleaned_data["responsible"]
        return {"responsible"}


FORMS: dict[str, type[BulkForm]] = {
    "confirm": ConfirmForm,
    "stage": StageForm,
    "responsible": ResponsibleForm,
}


class EditTogether(PermissionRequiredMixin, View):
    """GET ``?key=…&key=…``: the form as HTML, with what it will and will not change. POST: 200,
    JSON with a message and the address of the change set or, of one pipeline, that of the undo;
    422: the form with its errors."""

    permission_required = MAY_EDIT
    raise_exception = True
    http_method_names = ["get", "post"]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if kwargs["what"] not in FORMS:
            raise Http404(f"There is no form for “{kwargs['what']}”.")
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: SignedInRequest, what: str) -> HttpResponse:
        found = self._pipelines(self._keys(request.GET.getlist("key")))
        chosen = ",".join(f"{one.pk}:{one.version}" for one in found)
        form = FORMS[what](initial={"chosen": chosen})
        return self._render_form(form, found, 200)

    def post(self, request: SignedInRequest, what: str) -> HttpResponse:
        form = FORMS[what](request.POST)
        if not form.is_valid():
            keys = [one[1] for one in _CHOSEN.finditer(request.POST.get("chosen", ""))]
            return self._render_form(form, self._pipelines(self._keys(keys)), 422)
        done = services.edit_together(
            versions=form.cleaned_data["chosen"],
            change=form.change,
            reason=form.cleaned_data["reason"],
            person=request.user,
        )
        message = f"{count(len(done.saved), 'pipeline')} {form.verb}."
        if done.left_out:
            others = "; ".join(f"{name}: {why}" for name, why in done.left_out[:NAMES])
            more = f"; and {len(done.left_out) - NAMES} more" if len(done.left_out) > NAMES else ""
            message += f" {len(done.left_out)} left as they are. {others}{more}"
        answer: dict[str, Any] = {"message": message}
        if done.change_set and len(done.saved) == 1:
            answer = answer_of(services.Edit(done.saved[0], done.change_set, message))
        elif done.change_set:
            answer["details"] = reverse("change-set", args=[done.change_set.number])
        return JsonResponse(answer)

    @staticmethod
    def _keys(texts: list[str]) -> list[UUID]:
        try:
            return [UUID(text) for text in texts[:MOST]]
        except ValueError as error:
            raise Http404("There is no such pipeline.") from error

    @staticmethod
    def _pipelines(keys: list[UUID]) -> list[Pipeline]:
        found = Pipeline.objects.filter(pk__in=keys).select_related("stage")
        return list(found.order_by(natural("project_name"), "pk"))

    def _render_form(self, form: BulkForm, found: list[Pipeline], status: int) -> HttpResponse:
        planned, left_out = services.plan_together(found, form.can_change)
        context = {
            "form": form,
            "number": len(planned),
            "names": planned[:NAMES],
            "more": max(len(planned) - NAMES, 0),
            "left_out": left_out,
        }
        return render(self.request, "pipelines/parts/bulk_form.html", context, status=status)
