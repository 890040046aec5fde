"""Changing one fact about a pipeline where it is shown: a small form with the value and why."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views import View

from oegen.audit.narrative import timeline
from oegen.core.days import DayField
from oegen.core.exceptions import StaleRecordError
from oegen.core.fields import ReasonFormField, TextFormField
from oegen.models import AuditedModel, User
from oegen.pages.forms import AnswersField, DialogForm
from oegen.people.requests import SignedInRequest
from pipelines.choices import RAG
from pipelines.models import Pipeline
from pipelines.services import Edit, UndoRefusedError, edit_pipeline, undo_edit

MAY_EDIT = "pipelines.change_pipeline"


class EditForm(DialogForm):
    """The base of the forms; ``names`` are the pipeline's fields that they write."""

    prefix_of_ids = "edit"
    noun = "pipeline"
    title: ClassVar[str]
    names: ClassVar[tuple[str, ...]]

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    save_anyway = AnswersField()

    def __init__(self, data: QueryDict | None = None, *, pipeline: Pipeline):
        initial = {name: getattr(pipeline, name) for name in (*self.names, "version")}
        super().__init__(data, initial=initial)

    @property
    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.names}

    @property
    def reason(self) -> str:
        return str(self.cleaned_data.get("reason", ""))


class RatingForm(EditForm):
    """The comment is also the reason."""

    title = "RAG"
    names = ("rag_status", "rag_comment")

    rag_status = forms.ChoiceField(
        label="RAG",
        required=False,
        choices=[*RAG.choices, ("", "Not rated")],
        widget=forms.RadioSelect,
    )
    rag_comment = TextFormField(
        label="Why, in a sentence",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why: everybody who sees the rating reads this."},
    )

    @property
    def reason(self) -> str:
        return str(self.cleaned_data["rag_comment"])


class RtbForm(EditForm):
    title = "RTB date"
    names = ("rtb_date",)

    rtb_date = DayField(label="Ready to build on", required=False)
    reason = ReasonFormField(  # type: ignore[assignment]  # a field until the class is made
        label="Why",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why it moves: the history keeps this sentence."},
    )


class ResponsibleForm(EditForm):
    title = "Responsible"
    names = ("responsible",)

    responsible = forms.ModelChoiceField(
        User.objects.none(), label="Responsible", required=False, empty_label="Nobody"
    )

    def __init__(self, data: QueryDict | None = None, *, pipeline: Pipeline):
        super().__init__(data, pipeline=pipeline)
        people = User.objects.filter(is_active=True)
        if pipeline.responsible_id:
            people |= User.objects.filter(pk=pipeline.responsible_id)
        self.fields["responsible"].queryset = people  # type: ignore[attr-defined]


class NextStepForm(EditForm):
    title = "Next step"
    names = ("next_step", "next_step_on")

    next_step = TextFormField(label="Next step", required=False, max_length=200)
    next_step_on = DayField(label="Due", required=False)


FORMS: dict[str, type[EditForm]] = {
    "rag": RatingForm,
    "rtb": RtbForm,
    "responsible": ResponsibleForm,
    "next-step": NextStepForm,
}


def answer_of(edit: Edit) -> dict[str, Any]:
    """What a script is told: a message, the URL of the undo and the seconds left for it."""
    undo = reverse("pipeline-undo", args=[edit.pipeline.pk, edit.change_set.pk])
    return {"message": edit.message, "undo": undo, "seconds": edit.seconds_left}


class EditDialog(PermissionRequiredMixin, View):
    """The base of dialogs that change something about a pipeline.

    GET: the form as HTML, with the values and the version of ``record`` at this moment. POST: 200,
    JSON with a message; 422: the form with its errors; 409: the form with what others changed since
    it was opened.
    """

    permission_required = MAY_EDIT
    raise_exception = True
    http_method_names = ["get", "post"]
    request: SignedInRequest
    pipeline: Pipeline

    def prepare(self) -> None:
        """Find what the address names. Raises Http404."""
        self.pipeline = get_object_or_404(Pipeline, pk=self.kwargs["pk"])

    @property
    def record(self) -> AuditedModel:
        """The record that the form changes, as it is stored."""
        raise NotImplementedError

    def form(self, data: QueryDict | None = None) -> DialogForm:
        raise NotImplementedError

    def save(self, form: Any) -> dict[str, Any]:
        """Save what the valid form says; returns the JSON of the answer. Raises StaleRecordError
        and ValidationError."""
        raise NotImplementedError

    def get(self, request: SignedInRequest, **kwargs: Any) -> HttpResponse:
        self.prepare()
        return self._render_form(self.form(), 200)

    def post(self, request: SignedInRequest, **kwargs: Any) -> HttpResponse:
        self.prepare()
        form = self.form(request.POST)
        if not form.is_valid():
            return self._render_form(form, 422)
        try:
            return JsonResponse(self.save(form))
        except StaleRecordError:
            return self._conflict(form)
        except ValidationError as error:
            form.add_errors_of(error)
            return self._render_form(form, 422)

    def _render_form(self, form: DialogForm, status: int, **context: Any) -> HttpResponse:
        context |= {"form": form, "pipeline": self.pipeline}
        return render(self.request, "pipelines/parts/edit_form.html", context, status=status)

    def _conflict(self, form: DialogForm) -> HttpResponse:
        """Show the form with the record's new version, so that posting it again saves."""
        record = self.record
        entries = timeline.entries_since(record, form.cleaned_data["version"])
        data = self.request.POST.copy()
        data["version"] = str(record.version)
        form.data = data
        return self._render_form(form, 409, conflict=entries)


class EditPipeline(EditDialog):
    """The answer to a POST also has the URL of the undo and the seconds left for it."""

    def prepare(self) -> None:
        super().prepare()
        if self.kwargs["what"] not in FORMS:
            raise Http404(f"There is no form for “{self.kwargs['what']}”.")

    @property
    def record(self) -> Pipeline:
        return self.pipeline

    def form(self, data: QueryDict | None = None) -> EditForm:
        return FORMS[self.kwargs["what"]](data, pipeline=self.pipeline)

    def save(self, form: EditForm) -> dict[str, Any]:
        return answer_of(
            edit_pipeline(
                pipeline_id=self.pipeline.pk,
                version=form.cleaned_data["version"],
                values=form.values,
                reason=form.reason,
                person=self.request.user,
                save_anyway=form.cleaned_data["save_anyway"],
            )
        )


class UndoEdit(PermissionRequiredMixin, View):
    """Undoes a move on the board or an edit. JSON with a message: 200, or 409 if it can't be
    undone."""

    permission_required = MAY_EDIT
    raise_exception = True
    http_method_names = ["post"]

    def post(self, request: SignedInRequest, pk: UUID, change_set: UUID) -> HttpResponse:
        get_object_or_404(Pipeline, pk=pk)
        try:
            message = undo_edit(pipeline_id=pk, change_set_id=change_set, person=request.user)
        except UndoRefusedError as error:
            return JsonResponse({"message": str(error)}, status=409)
        return JsonResponse({"message": message})
