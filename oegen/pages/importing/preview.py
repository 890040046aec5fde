"""The page of an import after its columns: its progress, its preview, and what it wrote."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import TemplateView

from oegen.audit.changesets import ChangeSet
from oegen.audit.revert.undoing import permissions_for
from oegen.core.fields import ReasonFormField
from oegen.core.words import count, noun_of
from oegen.imports.tables.asking import KEEP, TAKE, is_about_rows
from oegen.imports.tables.jobs import APPLY, PREVIEW, UNDO, ask_for
from oegen.imports.tables.models import ImportState, TableImport
from oegen.imports.tables.preview_file import CONFLICT, PreviewFile, opened
from oegen.jobs import queue
from oegen.jobs.models import Job, State
from oegen.pages.importing.access import ImportMixin
from oegen.pages.importing.sections import answers_for_all, show
from oegen.people.requests import SignedInRequest

#: What the names of the answers in the form begin with; the key of the choice follows.
ANSWER = "answer:"

#: The number of change sets, and of records that undoing skipped, that are listed.
MAX_LISTED = 50

WRITTEN = (ImportState.APPLIED, ImportState.UNDONE)


class ApplyForm(forms.Form):
    """``plan`` is the digest of the preview that the person saw."""

    plan = forms.CharField(widget=forms.HiddenInput)
    only_right_rows = forms.BooleanField(required=False)
    reason = ReasonFormField(
        label="Why",
        error_messages={"required": "Say why: the reason stays in the history of each record."},
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"}),
    )

    def __init__(self, one: TableImport, data: QueryDict | None = None):
        super().__init__(data, initial={"plan": one.result.get("digest", "")})
        self.refused = one.refused

    def clean_only_right_rows(self) -> bool:
        only_right = bool(self.cleaned_data["only_right_rows"])
        if self.refused and not only_right:
            raise forms.ValidationError(
                f"{count(self.refused, 'row')} can't be imported as they are. Answer and correct "
                "them, or choose to import the others only."
            )
        return only_right


class UndoForm(forms.Form):
    reason = ReasonFormField(
        label="Why",
        error_messages={"required": "Say why you undo it: the reason stays in the history."},
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control", "id": "undo_reason"}),
    )


class ImportPage(ImportMixin, TemplateView):
    """An import: while a job is at it, its progress (``?part=state`` returns what changes); then
    its preview, and once it is applied what it wrote. A POST with ``do`` acts on it."""

    request: SignedInRequest

    ACTIONS = ("answer", "answer-all", "ask-again", "preview", "cancel", "apply", "undo")

    def get(self, request, *args: Any, **kwargs: Any) -> Any:
        return self._page()

    def post(self, request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        action = request.POST.get("do", "")
        if action not in self.ACTIONS:
            raise BadRequest("This page does not know what to do with that form.")
        act = getattr(self, f"do_{action.replace('-', '_')}")
        return act() or redirect(self._address())

    def _address(self) -> str:
        """The page, with what it showed."""
        query = self.request.GET.urlencode()
        address = reverse("import", args=[self.one.pk])
        return f"{address}?{query}" if query else address

    # Acting -----------------------------------------------------------------------------------

    def do_cancel(self) -> None:
        if self.one.job is None or not queue.cancel(self.one.job):
            messages.warning(self.request, "It had ended already.")

    def do_preview(self) -> None:
        if self._may_plan():
            ask_for(PREVIEW, self.one)

    def do_ask_again(self) -> None:
        if self._may_plan():
            self._change_choices(remove=is_about_rows)
            ask_for(PREVIEW, self.one)

    def do_answer(self) -> None:
        """Keep the answers that the preview offers."""
        given = {
            name.removeprefix(ANSWER): str(value)
            for name, value in self.request.POST.items()
            if name.startswith(ANSWER) and value
        }
        with self._file() as file:
            offered = {one.key: one.options for one in file.open_among(given)}
            self._keep_answers(
                file, {key: given[key] for key, options in offered.items() if given[key] in options}
            )

    def do_answer_all(self) -> None:
        family, answer = self.request.POST.get("family", ""), self.request.POST.get("answer", "")
        with self._file() as file:
            self._keep_answers(file, answers_for_all(file, family, answer))

    def _keep_answers(self, file: PreviewFile, answers: dict[str, str]) -> None:
        """Keep the answers; the last of them makes a new preview."""
        if not answers:
            messages.warning(self.request, "No answer was chosen. Choose one, then save.")
        elif self._may_plan():
            choices = self._change_choices(add=answers)
            left = len(file.open_keys() - choices.keys())
            if left:
                messages.success(
                    self.request,
                    f"{count(len(answers), 'answer')} saved, {left:,} to go. Preview again to see "
                    "what the rows do with these.",
                )
            else:
                ask_for(PREVIEW, self.one)

    def _change_choices(self, *, add: dict[str, str] | None = None, remove=None) -> dict[str, str]:
        with transaction.atomic():
            locked = TableImport.objects.select_for_update().get(pk=self.one.pk)
            kept = {
                key: value
                for key, value in locked.choices.items()
                if remove is None or not remove(key)
            }
            locked.choices = kept | (add or {})
            locked.save(update_fields=["choices"])
        self.one.choices = locked.choices
        return self.one.choices

    def _may_plan(self) -> bool:
        """Whether the import is still to be written; says so if it is not."""
        if self.one.state in WRITTEN or self._is_writing:
            messages.warning(self.request, "It is imported already, or being imported.")
            return False
        return True

    def do_apply(self) -> HttpResponse | None:
        one = self.one
        if not self._may_plan():
            return None
        if one.is_outdated or one.result.get("digest") != self.request.POST.get("plan"):
            messages.warning(
                self.request,
                "Nothing was imported: the columns, the answers or the records were changed since "
                "the preview that you saw. Look at this one, then import.",
            )
            if one.is_outdated:
                ask_for(PREVIEW, one)
            return None
        form = ApplyForm(one, self.request.POST)
        if not form.is_valid():
            return self._preview(form)
        with transaction.atomic():
            one.reason = form.cleaned_data["reason"]
            one.only_right_rows = form.cleaned_data["only_right_rows"]
            one.save(update_fields=["reason", "only_right_rows"])
            ask_for(APPLY, one)
        self.request.is_form_stored = True
        return None

    def do_undo(self) -> HttpResponse | None:
        if self.one.state == ImportState.UNDONE or not self.one.change_sets:
            messages.warning(self.request, "There is nothing of it to undo any more.")
            return None
        form = UndoForm(self.request.POST)
        if not form.is_valid():
            is_written = self.one.state in WRITTEN
            return self._written(form) if is_written else self._preview(ApplyForm(self.one), form)
        ask_for(UNDO, self.one, reason=form.cleaned_data["reason"])
        self.request.is_form_stored = True
        return None

    # Showing ----------------------------------------------------------------------------------

    @property
    def _job(self) -> Job | None:
        return self.one.job

    @property
    def _is_writing(self) -> bool:
        job = self._job
        return job is not None and not job.has_ended and job.kind in (APPLY, UNDO)

    def _file(self):
        return opened(self.one.plan_path)

    def _page(self) -> HttpResponseBase:
        one, job = self.one, self._job
        is_part = self.request.GET.get("part") == "state"
        if job is not None and not job.has_ended:
            return self._render("progress" if is_part else "working", job=job)
        if is_part:
            # It has ended: the whole page is another one.
            return HttpResponse(headers={"HX-Refresh": "true"})
        if one.state in WRITTEN:
            return self._written(UndoForm())
        if job is not None and job.kind == PREVIEW and job.state != State.DONE:
            return self._render("failed", job=job)
        asks_columns = one.result.get("column_questions") and not one.change_sets
        if one.state == ImportState.UPLOADED or asks_columns:
            return redirect("import-columns", pk=one.pk)
        if not one.plan_path.exists():
            return self._render("failed", job=job, is_gone=True)
        return self._preview(ApplyForm(one))

    def _preview(self, form: ApplyForm, undo_form: UndoForm | None = None) -> HttpResponse:
        one = self.one
        with self._file() as file:
            shown = show(file, one, self.kind, self.request.GET)
            unsaved = len(file.open_keys() & one.choices.keys()) if one.is_outdated else 0
        counts = one.result["counts"]
        return self._render(
            "preview",
            shown=shown,
            form=form,
            failure=self._failure(APPLY),
            counts=counts,
            left_out=counts["left out"],
            writes=counts["created"] + counts["changed"],
            new_answers=unsaved,
            answered=sum(map(is_about_rows, one.choices)),
            sides={"family": CONFLICT, "keep": KEEP, "take": TAKE},
            written=self._change_sets(),
            undo_form=undo_form or UndoForm(),
        )

    def _written(self, form: UndoForm) -> HttpResponse:
        one = self.one
        undone = one.result.get("undone", {})
        skipped = [record for part in undone.values() for record in part["skipped"]]
        by = ChangeSet.objects.in_bulk([part["by"] for part in undone.values()])
        written = self._change_sets()
        may_undo = not written or self.request.user.has_perms(permissions_for(written[0]))
        return self._render(
            "written",
            form=form,
            failure=self._failure(UNDO),
            counts=one.result["counts"],
            left_out=one.result["counts"]["left out"],
            has_file=one.path.exists() and one.plan_path.exists(),
            written=written,
            beyond=max(len(one.change_sets) - MAX_LISTED, 0),
            undone=sorted(by.values(), key=lambda change_set: change_set.number or 0)[:MAX_LISTED],
            skipped=skipped[:MAX_LISTED],
            skipped_beyond=max(len(skipped) - MAX_LISTED, 0),
            may_undo=may_undo,
        )

    def _failure(self, kind: str) -> str:
        """Why the last job did not do it, if it was of this kind."""
        job = self._job
        if job is None or job.kind != kind or job.state == State.DONE:
            return ""
        return job.error or "It was cancelled."

    def _change_sets(self) -> list[ChangeSet]:
        found = ChangeSet.objects.in_bulk(self.one.change_sets[:MAX_LISTED])
        return sorted(found.values(), key=lambda change_set: change_set.number or 0)

    def _render(self, name: str, **context: Any) -> HttpResponse:
        kind = self.kind
        rows = self.one.result.get("rows", 0)
        context |= {
            "one": self.one,
            "kind": kind,
            "noun": noun_of(kind.model, rows),
            "section": "imports",
        }
        self.template_name = f"oegen/importing/{name}.html"
        return self.render_to_response(self.get_context_data(**context))
