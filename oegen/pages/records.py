"""The base view of records."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.generic import DetailView

from oegen import asof
from oegen.audit.narrative import timeline
from oegen.core import clock
from oegen.pages import comments
from oegen.pages.comments import CommentForm
from oegen.pages.removed import removed_context
from oegen.people.requests import SignedInRequest

TIMELINE_STEP = 50


@dataclass(frozen=True)
class Card:
    """A card of a record's page, drawn by a template, which gets the values of ``context``. One
    that ``is_leading`` comes before what the record itself says."""

    template_name: str
    context: dict[str, Any]
    is_leading: bool = False


#: The functions that give the cards of records of a model, those of higher packages included.
_cards: dict[type[Model], list[Callable[[Any], Card | None]]] = defaultdict(list)


def card_of(
    model: type[Model],
) -> Callable[[Callable[[Any], Card | None]], Callable[[Any], Card | None]]:
    """Register a function that gives a card for the pages of the model's records, or None."""

    def register(make: Callable[[Any], Card | None]) -> Callable[[Any], Card | None]:
        _cards[model].append(make)
        return make

    return register


class RecordPage(DetailView):
    """The page of one record: facts on the left, the timeline with comments on the right.

    A POST adds a comment. ``?show=`` filters the timeline, ``?entries=`` sets its length.
    """

    section = ""
    request: SignedInRequest

    def get(self, request, *args, **kwargs):
        try:
            return super().get(request, *args, **kwargs)
        except Http404:
            model = self.get_queryset().model
            # A past page does not reveal later removals.
            context = None if clock.past_day() else removed_context(model, kwargs["pk"])
            if context is None:
                raise
        context["section"] = self.section
        return render(request, "oegen/record_removed.html", context, status=404)

    def get_object(self, queryset=None):
        record = self.read(self.kwargs["pk"])
        if record is None:
            raise Http404(f"There is no {self.get_queryset().model._meta.verbose_name} here.")
        return record

    def read(self, key: UUID) -> Any:
        """The record with what the page shows of it; None if there is none."""
        return self.get_queryset().filter(pk=key).first()

    def post(self, request, *args, **kwargs):
        if not request.user.has_perm("oegen.add_comment"):
            raise PermissionDenied
        self.object = self.get_object()
        form = CommentForm(request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(comment_form=form))
        if message := comments.add(request.user, self.object, form.cleaned_data["text"]):
            messages.info(request, message)
        return redirect(f"{request.path}#timeline-title")

    def get_context_data(self, **kwargs):
        context = {"comment_form": CommentForm(), **self._timeline(), **kwargs}
        if self.object.is_not_yet_entered:
            context["entered_on"] = asof.first_entry(self.object)
        return super().get_context_data(**context) | {
            "section": self.section,
            "record": self.object,
            "cards": [card for make in _cards[type(self.object)] if (card := make(self.object))],
        }

    def known_records(self) -> list[Model]:
        """What the page has read, and the timeline may name."""
        return [self.object]

    def _timeline(self) -> dict:
        show = self.request.GET.get("show", timeline.Show.ALL)
        if show not in timeline.Show:
            show = timeline.Show.ALL
        requested = self.request.GET.get("entries", "")
        length = int(requested) if re.fullmatch(r"[0-9]{1,4}", requested) else TIMELINE_STEP
        shown = max(length, TIMELINE_STEP)
        # One more than is shown, to know whether there are older ones.
        entries = timeline.entries_of(self.object, shown + 1, show, known=self.known_records())
        written = [entry for entry in entries[:shown] if entry.is_comment]
        return {
            "timeline": entries[:shown],
            "timeline_show": show,
            "timeline_choices": timeline.Show.choices,
            "timeline_more": shown + TIMELINE_STEP if len(entries) > shown else None,
            "comments_to_correct": comments.keys_to_correct(
                self.request.user, [entry.record_id for entry in written]
            ),
        }
