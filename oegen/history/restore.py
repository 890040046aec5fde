"""The page to restore an earlier state of a record, or a removed record."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.utils import formats, timezone
from django.utils.text import Truncator
from django.views.generic import TemplateView

from oegen.audit.revert import restoring
from oegen.audit.revert.restoring import CannotRestoreError
from oegen.core.bidi import isolated
from oegen.core.fields import OpenedVersionField, ReasonFormField
from oegen.history.record import EntryPage
from oegen.people.requests import SignedInRequest


class RestoreForm(forms.Form):
    """The form to restore a state.

    ``version`` is the record's version in the preview: if the record was changed since, nothing is
    written.
    """

    reason = ReasonFormField(
        label="Why",
        error_messages={"required": "Say why: the reason stays in the history."},
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"}),
    )
    version = OpenedVersionField(min_value=0, advice="look at the differences again, then restore.")

    def update_version(self, version: int) -> None:
        """Take the version of the current preview, so that the form can be sent again."""
        self.data = {**dict(self.data.items()), "version": version}


class HistoryRestore(EntryPage, TemplateView):
    template_name = "oegen/history/restore.html"
    request: SignedInRequest

    def dispatch(self, request, *args, **kwargs):
        if not self.may_restore():
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def post(self, request, *args, **kwargs):
        form = RestoreForm(request.POST)
        refusals: list[str] = []
        if form.is_valid():
            try:
                restoring.restore(
                    model=self.model,
                    key=self.key,
                    history_id=self.row.history_id,
                    person=request.user,
                    **form.cleaned_data,
                )
            except CannotRestoreError as error:
                refusals = error.sentences
            else:
                return self.redirect_to_record()
        return self.render_to_response(self.get_context_data(form=form, refusals=refusals))

    def redirect_to_record(self):
        """Redirect to the record's page, or to its history if it has none."""
        when = formats.date_format(timezone.localtime(self.row.history_date), "DATETIME_FORMAT")
        name = isolated(Truncator(self.name).chars(80))
        words = "back, as it was" if self.live is None else "again as it was"
        messages.success(self.request, f"“{name}” is {words} on {when}.")
        has_page = hasattr(self.record, "get_absolute_url")
        return redirect(self.record.get_absolute_url() if has_page else self.history_url)

    def get_context_data(self, **kwargs):
        plan = restoring.plan_restore(
            model=self.model, key=self.key, history_id=self.row.history_id
        )
        form = kwargs.get("form") or RestoreForm(initial={"version": plan.version})
        if form.is_bound:
            form.update_version(plan.version)
        refusals = kwargs.get("refusals") or plan.refusals
        context = {**kwargs, "form": form, "refusals": refusals, "plan": plan}
        return super().get_context_data(**context) | {"is_same": not plan.steps}
