"""Comments on a record's page: adding, correcting and removing them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods

from oegen import audit
from oegen.alerts import mentions
from oegen.audit.audited import AuditedModel
from oegen.core import next_url
from oegen.core.compiled import compiled, one_of
from oegen.core.exceptions import StaleRecordError
from oegen.core.fields import OpenedVersionField, ReasonFormField, TextFormField
from oegen.people.comments import Comment
from oegen.people.models import User
from oegen.people.requests import SignedInRequest

#: Attributes of a comment box: the URLs from which its script fetches suggestions and recipients.
MENTIONS = {"data-people": reverse_lazy("people-names"), "data-told": reverse_lazy("people-told")}


class CommentForm(forms.Form):
    """The form to add a comment, below a record's timeline."""

    text = TextFormField(
        label="Add a comment",
        error_messages={
            "required": "Nothing was kept, because the comment is empty. Write it here, then "
            "choose “Comment”."
        },
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"}),
    )

    def clean_text(self):
        mentions.check_mentions(self.cleaned_data["text"])
        return self.cleaned_data["text"]


class CommentGuardForm(forms.Form):
    """A form about one comment. ``version`` is the comment's version when the form was opened: if
    others changed the comment since, nothing is written.
    """

    version = OpenedVersionField(
        min_value=1, advice="copy what you typed, open the page again and repeat the change."
    )

    def __init__(self, comment: Comment, data=None):
        super().__init__(
            data,
            initial={"text": comment.text, "version": comment.version},
            auto_id=f"comment-{comment.pk}-%s",
        )

    def apply_to(self, comment: Comment) -> None:
        """Save the change. Raises StaleRecordError."""
        raise NotImplementedError

    def update_version(self, comment: Comment) -> None:
        """Report the conflict and take the new version, so that the form can be sent again."""
        self.data = {**dict(self.data.items()), "version": comment.version}
        person = comment.history.latest().history_user or "The system"
        self.add_error(
            None,
            f"{person} changed this comment while you had it open. Nothing was done, and what you "
            "typed is still here. Read what it says now, then send yours again if it still holds.",
        )


class CorrectionForm(CommentGuardForm):
    text = TextFormField(
        label="Comment",
        error_messages={
            "required": "Nothing was changed, because the comment is empty. Write it here, or "
            "remove the comment instead."
        },
        widget=forms.Textarea(
            attrs={"rows": 4, "class": "form-control", "autofocus": True, **MENTIONS}
        ),
    )

    def clean_text(self):
        mentions.check_mentions(self.cleaned_data["text"], earlier=self.initial["text"])
        return self.cleaned_data["text"]

    def apply_to(self, comment):
        version, text = self.cleaned_data["version"], self.cleaned_data["text"]
        if (version, text) != (comment.version, comment.text):
            comment.version, comment.text = version, text
            comment.save()


class RemovalForm(CommentGuardForm):
    reason = ReasonFormField(
        label="Why",
        error_messages={"required": "Say why: the reason stays in the timeline."},
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control", "autofocus": True}),
    )

    def apply_to(self, comment):
        with audit.change_set(reason=self.cleaned_data["reason"]):
            locked = Comment.objects.select_for_update()
            if not locked.filter(pk=comment.pk, version=self.cleaned_data["version"]).exists():
                raise StaleRecordError(comment)
            comment.delete()


def add(author: User, subject: AuditedModel, text: str) -> str:
    """Add a comment; returns a message about who was notified, or an empty string."""
    Comment.objects.create(subject=subject, author=author, text=text)
    recipients = mentions.describe_recipients(mentions.usernames_in(text), author)
    return f"The comment is added. Told: {recipients}." if recipients else ""


def may_correct(person: User, comment: Comment) -> bool:
    """Authors may correct their own comments, administrators all."""
    return comment.author_id == person.pk or person.has_perm("oegen.change_user")


def keys_to_correct(person: User, keys: Iterable[Any]) -> set:
    """The keys among these of existing comments that the person may correct."""
    if not person.has_perm("oegen.change_comment"):
        return set()
    comments = _authored(keys=set(keys))
    return {comment.pk for comment in comments if may_correct(person, comment)}


@compiled
def _authored(*, keys):
    return Comment.objects.filter(pk__in=one_of(keys, Comment)).only("author_id").order_by()


# Pages -----------------------------------------------------------------------------------------


def change_comment(request: SignedInRequest, comment: UUID) -> HttpResponse:
    return _comment_page(request, comment, "change", CorrectionForm)


def remove_comment(request: SignedInRequest, comment: UUID) -> HttpResponse:
    return _comment_page(request, comment, "delete", RemovalForm)


@require_http_methods(["GET", "HEAD", "POST"])
def _comment_page(
    request: SignedInRequest, key: UUID, action: str, form_class: type[CommentGuardForm]
) -> HttpResponse:
    """A form about one comment. The record's page fetches it to replace the comment; without
    JavaScript it is a separate page. Both return to ``next``."""
    if not request.user.has_perm(f"oegen.{action}_comment"):
        raise PermissionDenied
    comment = Comment.objects.filter(pk=key).first()
    if comment is None and request.method == "POST":
        return _comment_gone(request)
    if comment is None:
        raise Http404("There is no such comment (any more).")
    if not may_correct(request.user, comment):
        raise PermissionDenied
    record = comment.subject
    back = next_url.get_next_page(request) or record.get_absolute_url()
    form = form_class(comment, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            form.apply_to(comment)
        except StaleRecordError:
            comment = Comment.objects.filter(pk=key).first()
            if comment is None:
                return _comment_gone(request)
            form.update_version(comment)
        else:
            place = f"comment-{key}" if action == "change" else "timeline-title"
            return redirect(f"{back}#{place}")
    context = {"comment": comment, "record": record, "form": form, "back": back, "action": action}
    return render(request, "oegen/comment_form.html", context)


def _comment_gone(request: HttpRequest) -> HttpResponse:
    """Show the input of a form about a comment that was removed in the meantime."""
    typed = request.POST.get("text") or request.POST.get("reason", "")
    return render(request, "oegen/comment_gone.html", {"typed": typed}, status=409)
