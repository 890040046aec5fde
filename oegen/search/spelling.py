"""Words that somebody may have meant: those of names, a few typing errors away.

The vocabulary is the words of all current and former names. Whoever uses a correction searches with
it, so that it shows nothing that the search itself would not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import islice, product

from rapidfuzz import process
from rapidfuzz.distance import OSA

from oegen.core.folding import fold
from oegen.search.models import SortKey

#: The typing errors that are forgiven in words of at least this length.
ERRORS = {8: 2, 4: 1}

#: The number of words that may be meant by one, and of their combinations that are tried.
MAX_MEANT, MAX_TRIES = 3, 4

#: The number of names that are read at once.
BATCH_SIZE = 10_000

#: The number of the last known names that are read again: another transaction may have written
#: older numbers later.
OVERLAP = 200

_LETTERS = re.compile(r"[^\W\d_]+")


class Vocabulary:
    """The words of all names, as of the last call of ``read``, which reads only new names."""

    def __init__(self) -> None:
        self._newest: tuple[int, str] | None = None
        self._known: set[str] = set()
        self.words: list[str] = []
        self._text = ""

    def read(self) -> Vocabulary:
        rows = self._rows_after(self._newest[0] - OVERLAP if self._newest else 0)
        if self._newest and self._newest not in rows:
            # The names were numbered anew, or this is another database.
            self._newest, self._known = None, set()
            rows = self._rows_after(0)
        known = len(self._known)
        while rows:
            self._newest = rows[-1]
            self._known |= _words_in("\n".join(text for _, text in rows))
            rows = self._rows_after(self._newest[0]) if len(rows) == BATCH_SIZE else []
        if len(self._known) != known or len(self.words) != known:
            self.words = sorted(self._known)
            self._text = "\n".join(self.words)
        return self

    @staticmethod
    def _rows_after(number: int) -> list[tuple[int, str]]:
        rows = SortKey.objects.filter(pk__gt=number).order_by("pk")
        return list(rows.values_list("pk", "text")[:BATCH_SIZE])

    def contains(self, text: str) -> bool:
        """Whether the text is part of a word."""
        return text in self._text


_vocabulary = Vocabulary()


def corrections(words: list[str]) -> Iterator[list[str]]:
    """The words with others instead of those that are in no name, the likeliest first."""
    vocabulary = _vocabulary.read()
    choices = [_choices(word, vocabulary) for word in words]
    if any(choice != [word] for choice, word in zip(choices, words, strict=True)):
        yield from islice(map(list, product(*choices)), MAX_TRIES)


def _choices(word: str, vocabulary: Vocabulary) -> list[str]:
    """The word if its letters are in names; else it with the likeliest others, if there are any."""
    for letters in _LETTERS.findall(word):
        if not vocabulary.contains(letters):
            meant = nearest(letters, vocabulary.words)
            return [word.replace(letters, one, 1) for one in meant]
    return [word]


def nearest(word: str, words: Collection[str]) -> list[str]:
    """The words of the vocabulary that the word may stand for; if there are none, the beginnings of
    words, because it may be unfinished."""
    errors = next((most for length, most in ERRORS.items() if len(word) >= length), 0)
    if not errors:
        return []
    beginnings = (
        {one[:length] for one in words if len(one) > length}
        for length in range(len(word) - 1, len(word) + 2)
    )
    return _within(errors, word, words) or _within(errors, word, set().union(*beginnings))


def _within(errors: int, word: str, words: Collection[str]) -> list[str]:
    found = process.extract(word, words, scorer=OSA.distance, score_cutoff=errors, limit=None)
    # People seldom mistype the first letter.
    found.sort(key=lambda one: (one[1], one[0][0] != word[0], one[0]))
    return [one for one, _, _ in found[:MAX_MEANT]]


def _words_in(text: str) -> set[str]:
    return set(_LETTERS.findall(fold(text)))
