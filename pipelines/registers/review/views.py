"""The page of the review queue: a pair side by side, what to do with it, and what was decided."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.generic import TemplateView

from oegen.audit.revert import undoing
from oegen.core import clock
from oegen.core.words import count
from oegen.models import ChangeSet
from oegen.people.requests import SignedInRequest
from pipelines.registers.matching.deciding import Band
from pipelines.registers.models import Match, MatchState, Register
from pipelines.registers.review import parts, queue
from pipelines.registers.services import (
    MAY_DECIDE,
    DecisionRefusedError,
    accept_together,
    decide_match,
)

#: Decisions on a page of that tab.
PAGE_SIZE = 25

#: The pairs that a person put off, in the session.
LATER, MAX_LATER = "registers.later", 500

#: The prefix of the reason of an undo.
UNDONE = "Undo: "


class Review(TemplateView):
    """``?tab=``, ``?register=`` and ``?band=`` name the queue, ``?pair=`` the pair that is looked
    at. Everybody may read it; a POST needs the permission to add matches.

    It shows the present only: a past day is answered with 400.
    """

    template_name = "registers/review.html"
    request: SignedInRequest

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if clock.past_day():
            why = "Proposals are of what the registers and our records say today."
            return render(request, "oegen/no_past.html", {"why": why}, status=400)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tab = self._tab()
        context = super().get_context_data(**kwargs) | {
            "section": "registers",
            "parent_section": "competitors",
            "tab": tab,
            "counts": queue.count_waiting(),
            "may_decide": self.request.user.has_perm(MAY_DECIDE),
        }
        return context | (self._decided() if tab == queue.DECIDED else self._queue(tab))

    def _tab(self) -> str:
        tab = self.request.GET.get("tab", "")
        return tab if tab in (queue.COMPANIES, queue.DECIDED) else queue.PROJECTS

    def _queue(self, tab: str) -> dict[str, Any]:
        registers = list(Register.objects.active())
        chosen = self.request.GET.get("register", "")
        register = chosen if chosen in {one.code for one in registers} else ""
        band = self.request.GET.get("band", "")
        band = band if band in parts.BAND_LABELS else ""
        found = queue.read_queue(
            queue.waiting(tab, register=register, band=band),
            self.request.GET.get("pair", ""),
            self.request.session.get(LATER, ()),
        )
        may_decide = self.request.user.has_perm(MAY_DECIDE)
        lines = parts.read_lines(found, self._address)
        return {
            "queue": found,
            "position": found.current + 1,
            "pair": parts.compare(lines[0], self._address) if lines else None,
            "lines": lines[1:],
            "previous": self._address(found.previous.key) if found.previous else "",
            "next": self._address(found.next.key) if found.next else "",
            "registers": registers,
            "register": register,
            "bands": list(parts.BAND_LABELS.items()),
            "band": band,
            "together": parts.read_together(tab, register, self._address) if may_decide else [],
            "last": self._last_decision() if may_decide else None,
            "licences": parts.registers_of(one.proposal.project for one in lines) if lines else [],
        }

    def _address(self, pair: str = "") -> str:
        query = {
            name: self.request.GET[name]
            for name in ("tab", "register", "band")
            if self.request.GET.get(name)
        }
        if pair:
            query["pair"] = pair
        address = reverse("register-review")
        return f"{address}?{urlencode(query)}" if query else address

    def _last_decision(self) -> ChangeSet | None:
        """The newest change set of the person, if it decided pairs and is no undo."""
        newest = ChangeSet.objects.filter(person=self.request.user).order_by("-number").first()
        is_decision = newest is not None and not newest.undoes_id and _decides_only(newest)
        return newest if is_decision else None

    def _decided(self) -> dict[str, Any]:
        matches = Match.objects.select_related("project__register", "company")
        rows = matches.prefetch_related("record").order_by("-modified_at", "pk")
        page = Paginator(rows, PAGE_SIZE).get_page(self.request.GET.get("page"))
        shown = list(page)
        return {
            "page": page,
            "decided": parts.read_decided(shown),
            "licences": parts.registers_of(one.project for one in shown),
        }

    # Decisions --------------------------------------------------------------------------------

    def post(self, request: SignedInRequest) -> HttpResponse:
        if not request.user.has_perm(MAY_DECIDE):
            raise PermissionDenied
        actions: dict[str, Callable[[], str | None]] = {
            "same": partial(self._decide, MatchState.ACCEPTED),
            "another": partial(self._decide, MatchState.REFUSED),
            "later": self._put_off,
            "together": self._accept_together,
            "undo": self._undo,
        }
        act = actions.get(request.POST.get("action", ""))
        if act is None:
            raise BadRequest("The page sent no decision. Load it again.")
        following = act() or request.POST.get("next", "")
        return redirect(self._address(following if queue.parse_key(following) else ""))

    def _decide(self, state: MatchState) -> None:
        pair = queue.find(self.request.POST.get("pair", ""))
        record: Any = pair and pair.record
        if pair is None:
            messages.warning(
                self.request, "This pair waits no more: nothing was decided. Look at the next one."
            )
            return
        try:
            decide_match(
                source=pair.source,
                record=record,
                state=state,
                person=self.request.user,
            )
        except DecisionRefusedError as error:
            messages.warning(self.request, str(error))

    def _put_off(self) -> None:
        key = self.request.POST.get("pair", "")
        if queue.parse_key(key) is None:
            raise BadRequest("The page sent no pair to put off. Load it again.")
        later = [one for one in self.request.session.get(LATER, []) if one != key]
        self.request.session[LATER] = [*later, key][-MAX_LATER:]

    def _accept_together(self) -> None:
        wanted = set(self.request.POST.getlist("pair"))
        waiting = queue.waiting(self._tab(), band=Band.SURE)
        chosen = [one for one in waiting if one.key in wanted]
        try:
            change_set = accept_together(proposals=chosen, person=self.request.user)
        except DecisionRefusedError as error:
            messages.warning(self.request, str(error))
        else:
            messages.success(
                self.request,
                f"{count(len(chosen), 'pair')} accepted, in change set {change_set.number}.",
            )

    def _undo(self) -> str:
        """Returns the key of a pair that waits again."""
        number = self.request.POST.get("change_set", "")
        if not (number.isascii() and number.isdecimal() and len(number) <= 9):
            raise BadRequest("The page sent no change set to undo. Load it again.")
        change_set = get_object_or_404(ChangeSet, number=int(number))
        if not _decides_only(change_set):
            raise BadRequest("This change set did more than decide pairs: undo it on its own page.")
        try:
            undoing.undo(
                change_set=change_set,
                reason=f"{UNDONE}{change_set.reason}",
                person=self.request.user,
            )
        except undoing.CannotUndoError as error:
            messages.warning(self.request, str(error))
        else:
            messages.success(self.request, f"Undone: {change_set.reason}.")
        return queue.key_of_change(change_set)


def _decides_only(change_set: ChangeSet) -> bool:
    return list(change_set.contents) == [Match.history.model._meta.label_lower]
