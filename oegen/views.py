"""The page base of records, and the pages that belong to no application."""

import re
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
)
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django.views.generic import DetailView

from oegen import (
    anchors,
    asof,
    clock,
    comments,
    health,
    returning,
    timeline,
)
from oegen.alerts import delivery
from oegen.comments import CommentForm, CommentGuardForm, CorrectionForm, RemovalForm
from oegen.exceptions import StaleRecordError
from oegen.history.removed import removed_context
from oegen.models import Comment
from oegen.people.client import is_from_this_machine

TIMELINE_STEP = 50


@login_not_required
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while people can read and save, 503 with a sentence otherwise. What there is to say about
    the alerts is for administrators, and for whoever asks from this machine."""
    problems = health.problems()
    if problems:
        lines = problems
    elif is_from_this_machine(request) or request.user.has_perm("oegen.view_alert"):
        lines = ["ok", *delivery.state_in_words(), anchors.state_in_words()]
    else:
        lines = ["ok"]
    return HttpResponse(
        "".join(f"{line}\n" for line in lines),
        content_type="text/plain; charset=utf-8",
        status=503 if problems else 200,
    )


class RecordPage(DetailView):
    """The page of one record: facts at the left, its timeline with the comments at the right.

    A POST adds a comment. ``?show=`` narrows the timeline, ``?entries=`` says how much of it.
    """

    section = ""

    def get(self, request, *args, **kwargs):
        try:
            return super().get(request, *args, **kwargs)
        except Http404:
            model = self.get_queryset().model
            # On a past page, what happened since is none of its business.
            context = None if clock.past_day() else removed_context(model, kwargs["pk"])
            if context is None:
                raise
        context["section"] = self.section
        return render(request, "oegen/record_removed.html", context, status=404)

    def post(self, request, *args, **kwargs):
        if not request.user.has_perm("oegen.add_comment"):
            raise PermissionDenied
        self.object = self.get_object()
        form = CommentForm(request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(comment_form=form))
        comments.add(request, self.object, form.cleaned_data["text"])
        return redirect(f"{request.path}#timeline-title")

    def get_context_data(self, **kwargs):
        context = {"comment_form": CommentForm(), **self._timeline(), **kwargs}
        if self.object.is_not_yet_entered:
            context["entered_on"] = asof.first_entry(self.object)
        return super().get_context_data(**context) | {
            "section": self.section,
            "record": self.object,
        }

    def _timeline(self) -> dict:
        show = self.request.GET.get("show", timeline.Show.ALL)
        if show not in timeline.Show:
            show = timeline.Show.ALL
        asked_for = self.request.GET.get("entries", "")
        wanted = int(asked_for) if re.fullmatch(r"[0-9]{1,4}", asked_for) else TIMELINE_STEP
        shown = max(wanted, TIMELINE_STEP)
        # One more than is shown tells whether there are older ones.
        entries = timeline.entries_of(self.object, limit=shown + 1, show=show)
        said = [entry for entry in entries[:shown] if entry.is_comment]
        return {
            "timeline": entries[:shown],
            "timeline_show": show,
            "timeline_choices": timeline.Show.choices,
            "timeline_more": shown + TIMELINE_STEP if len(entries) > shown else None,
            "comments_to_correct": comments.keys_to_correct(
                self.request.user, [entry.record_id for entry in said]
            ),
        }


def change_comment(request: HttpRequest, comment: UUID) -> HttpResponse:
    return _comment_page(request, comment, "change", CorrectionForm)


def remove_comment(request: HttpRequest, comment: UUID) -> HttpResponse:
    return _comment_page(request, comment, "delete", RemovalForm)


@require_http_methods(["GET", "HEAD", "POST"])
def _comment_page(
    request: HttpRequest, key: UUID, action: str, form_class: type[CommentGuardForm]
) -> HttpResponse:
    """A form about one comment. The record's page fetches it and puts the form in the comment's
    place; where it can't, this is a page of its own. Both lead back to ``next``."""
    if not request.user.has_perm(f"oegen.{action}_comment"):
        raise PermissionDenied
    comment = Comment.objects.filter(pk=key).first()
    if comment is None and request.method == "POST":
        return _comment_gone(request)
    if comment is None:
        raise Http404("There is no such comment (any more).")
    if not comments.may_correct(request.user, comment):
        raise PermissionDenied
    record = comment.subject
    back = returning.page_to_return_to(request) or record.get_absolute_url()
    form = form_class(comment, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            form.apply_to(comment)
        except StaleRecordError:
            comment = Comment.objects.filter(pk=key).first()
            if comment is None:
                return _comment_gone(request)
            form.bring_up_to(comment)
        else:
            place = f"comment-{key}" if action == "change" else "timeline-title"
            return redirect(f"{back}#{place}")
    context = {"comment": comment, "record": record, "form": form, "back": back, "action": action}
    return render(request, "oegen/comment_form.html", context)


def _comment_gone(request: HttpRequest) -> HttpResponse:
    """What the person typed, who sent a form about a comment that somebody removed meanwhile."""
    typed = request.POST.get("text") or request.POST.get("reason", "")
    return render(request, "oegen/comment_gone.html", {"typed": typed}, status=409)
