"""How much a model may be asked: tokens in a day, and answers at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db.models import F, Sum
from django.utils import timezone

from dashboard.ask.provider.client import MOST_TOKENS, ModelError
from dashboard.models import AskedQuestion
from oegen.core import clock, counters
from oegen.core.words import count
from oegen.models import User

#: A token of prose and JSON has about as many characters.
CHARACTERS_PER_TOKEN = 4


def estimate(text: str) -> int:
    """About how many tokens the text has."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def require_budget(person: User, spent: int, wanted: int) -> None:
    """``spent`` are the tokens of this answer until now, ``wanted`` those of the next request,
    without its answer. Raises ModelError if the day's budget has no room for them."""
    needed = spent + wanted + MOST_TOKENS
    today = AskedQuestion.objects.filter(created_at__gte=clock.start_of(timezone.localdate()))
    if _tokens(today.filter(person=person)) + needed > settings.ASK_TOKENS_PER_PERSON:
        raise ModelError(
            "Your budget for questions to the model is used up for today: "
            f"{count(settings.ASK_TOKENS_PER_PERSON, 'token')}. What is asked in the words of this "
            "tool is still answered; the budget begins again at midnight."
        )
    if _tokens(today) + needed > settings.ASK_TOKENS_PER_DAY:
        raise ModelError(
            "The budget of all for questions to the model is used up for today: "
            f"{count(settings.ASK_TOKENS_PER_DAY, 'token')}. What is asked in the words of this "
            "tool is still answered; the budget begins again at midnight."
        )


def _tokens(questions: Any) -> int:
    tokens = F("input_tokens") + F("output_tokens")
    return int(questions.order_by().aggregate(sum=Sum(tokens))["sum"] or 0)


@contextmanager
def one_of_few() -> Iterator[None]:
    """Take one of the places for answers of a model, so that a server that hangs leaves threads to
    everybody else. Raises ModelError if none is free."""
    # What a process that was killed has taken is free again after a while.
    seconds = settings.ASK_SECONDS + 10
    place = counters.take_place("ask-model", settings.ASK_AT_A_TIME, seconds)
    if place is None:
        raise ModelError(
            f"{count(settings.ASK_AT_A_TIME, 'question')} to the model are being answered, and "
            "there is room for no more. Ask again in some seconds."
        )
    try:
        yield
    finally:
        counters.free_place(place)
