"""The pages of questions: one with the answer, which works without scripts, the streamed answer of
the panel, and an answer that was asked before, for whoever has its link."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST
from django.views.generic import DetailView, TemplateView

from dashboard.ask import changing, rendering
from dashboard.ask.answers import answer_again, answer_to
from dashboard.ask.lookups import Asker
from dashboard.ask.recording import rate
from dashboard.ask.sharing import day_of
from dashboard.ask.starters import starters
from dashboard.models import AskedQuestion
from oegen import asof
from oegen.asof.middleware import NoPastError, parse_day
from oegen.core import clock
from oegen.people.requests import SignedInRequest

#: The longest address of a page, and the longest question, that are read.
LONGEST_PAGE, LONGEST_QUESTION = 2_000, 2_000

STREAM = "application/x-ndjson"


def asker_of(request: SignedInRequest, query: QueryDict) -> Asker:
    """Who asks, on the page ``on`` and as of its day; as of the request's own day if it has one."""
    page = query.get("on", "")[:LONGEST_PAGE]
    if not rendering.is_own_address(page):
        page = "/"
    return Asker(request.user, as_of=clock.past_day() or _day_of(page), page=page)


def _day_of(page: str) -> date | None:
    """The past day in the address of a page; None for today, and for a day that no page shows."""
    text = QueryDict(page.partition("#")[0].partition("?")[2]).get(asof.PARAMETER, "")
    try:
        day = parse_day(text) if text else None
    except NoPastError:
        return None
    return None if day == timezone.localdate() else day


def question_of(query: QueryDict) -> str:
    return query.get("q", "").strip()[:LONGEST_QUESTION]


class Ask(TemplateView):
    """A question ``q`` and its answer. Without a question, what may be asked of the page ``on``."""

    template_name = "dashboard/ask/ask.html"
    request: SignedInRequest

    def get_context_data(self, **kwargs):
        query = self.request.GET
        asker, question = asker_of(self.request, query), question_of(query)
        context: dict[str, Any] = {
            "section": "ask",
            "question": question,
            "page": asker.page,
            "day": asker.as_of,
        }
        if question:
            parts = _parts(question, asker, query, "1")
            context["places"] = places_of(parts)
        return super().get_context_data(**kwargs) | context | {"starters": starters(asker)}


class AskStart(TemplateView):
    """What may be asked of the page ``on``, as a fragment for the panel."""

    template_name = "dashboard/ask/starters.html"
    request: SignedInRequest

    def get_context_data(self, **kwargs):
        asker = asker_of(self.request, self.request.GET)
        context = {"starters": starters(asker)}
        return super().get_context_data(**kwargs) | context


@require_POST
def answer(request: SignedInRequest) -> StreamingHttpResponse:
    """The answer as lines of JSON, each as soon as it is known: the ``place`` of a part, its
    ``html`` and what else the panel's script needs."""
    query = request.POST
    turn = query.get("turn", "")
    if not re.fullmatch(r"[a-z0-9]{1,16}", turn):
        raise BadRequest("The panel did not say which answer this is. Load the page again.")
    parts = _parts(question_of(query), asker_of(request, query), query, turn)
    response = StreamingHttpResponse(map(_line, parts), content_type=STREAM)
    # A proxy that collects an answer before it passes it on would undo the streaming.
    response["X-Accel-Buffering"] = "no"
    return response


def _line(part: rendering.Part) -> str:
    return json.dumps({"place": part.place, "html": part.html, **part.values}) + "\n"


def _parts(question: str, asker: Asker, query: QueryDict, turn: str) -> Iterator[rendering.Part]:
    reading = changing.decoded(query.get("reading", ""))
    conversation = _uuid_of(query.get("conversation", ""))
    events = answer_to(question, asker, conversation, reading)
    return rendering.Renderer(turn, question, asker).parts_of(events)


def _uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def places_of(parts: Iterable[rendering.Part]) -> dict[str, list[Any]]:
    """The HTML of the parts by their place, for a page."""
    places: dict[str, list[Any]] = {}
    for part in parts:
        if part.place != rendering.STATUS:
            places.setdefault(part.place, []).append(part.html)
    return places


class Asked(DetailView):
    """An answer that was given before, looked up again as of its day by the reader's rights."""

    model = AskedQuestion
    template_name = "dashboard/ask/asked.html"
    context_object_name = "asked"
    request: SignedInRequest

    def get_context_data(self, **kwargs):
        asked = self.object
        reader = Asker(self.request.user, page=asked.page)
        is_own = asked.person == self.request.user
        renderer = rendering.Renderer("1", asked.question, reader, is_own, asked.thumbs)
        return super().get_context_data(**kwargs) | {
            "section": "ask",
            "places": places_of(renderer.parts_of(answer_again(asked, reader))),
            "day": day_of(asked),
            "again": changing.address_of(asked.question, asked.page),
        }


@require_POST
def thumb(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Say whether one's own answer was helpful: ``up``, ``down``, or empty to take it back."""
    asked = get_object_or_404(AskedQuestion, pk=pk, person=request.user)
    wanted = request.POST.get("thumb", "")
    if wanted not in ("", *AskedQuestion.Thumbs.values):
        raise BadRequest("A thumb is up or down.")
    rate(asked.pk, request.user, wanted)
    return HttpResponse(status=204)
