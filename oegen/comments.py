"""Comments written on a record's own page, and who may correct them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms

if TYPE_CHECKING:
    from oegen.models import Comment, User


class CommentForm(forms.Form):
    """The box below a record's timeline."""

    text = forms.CharField(
        label="Add a comment",
        error_messages={
            "required": "Nothing was kept, because the comment is empty. Write it here, then "
            "choose “Comment”."
        },
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"}),
    )


def may_correct(person: User, comment: Comment) -> bool:
    """Authors correct their own comments, administrators everybody's."""
    return comment.author_id == person.pk or person.has_perm("oegen.change_user")


def keys_to_correct(person: User, keys: Iterable[Any]) -> set:
    """Which of the comments with these keys are still there and the person's to correct."""
    from oegen.models import Comment

    if not person.has_perm("oegen.change_comment"):
        return set()
    comments = Comment.objects.filter(pk__in=set(keys)).only("author_id")
    return {comment.pk for comment in comments if may_correct(person, comment)}
