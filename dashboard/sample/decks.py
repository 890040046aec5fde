from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Generic, TypeVar

Card = TypeVar("Card")


class Deck(Generic[Card]):
    """Deals cards at random, each as often as it is in the deck before any comes again.

    So a portfolio of sixty has one of everything, and one of 100,000 has the same proportions.
    """

    def __init__(self, rng: Random, counts: Iterable[tuple[Card, int]]):
        self._rng = rng
        self._all = [card for card, count in counts for _ in range(count)]
        self._left: list[Card] = []

    def deal(self) -> Card:
        if not self._left:
            self._left = list(self._all)
            self._rng.shuffle(self._left)
        return self._left.pop()
