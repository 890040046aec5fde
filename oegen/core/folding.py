"""Folding for search: text without accents, case and runs of white space."""

import unicodedata
from collections.abc import Iterable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

#: Replacements for letters that Unicode does not decompose.
REPLACEMENTS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "’": "'",
        "‘": "'",
        "‐": "-",
        "–": "-",
    }
)

#: Variation selectors: whether the character before them is drawn as an emoji.
VARIATION_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))

#: Length of an excerpt, and how much of it may precede the first match.
EXCERPT, LEAD_IN = 180, 60

Span = tuple[int, int]


class _FoldedCharacters(dict[int, str]):
    """The folded text of a code point: empty for an accent or a direction mark."""

    def __missing__(self, code: int) -> str:
        decomposed = unicodedata.normalize("NFKD", chr(code))
        bare = "".join(
            " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character
            for character in unicodedata.normalize("NFKD", decomposed.casefold())
            if not unicodedata.combining(character)
            and unicodedata.category(character) != "Cf"
            and character not in VARIATION_SELECTORS
        )
        self[code] = folded = bare.translate(REPLACEMENTS)
        return folded


_folded_characters = _FoldedCharacters()


def fold(text: str) -> str:
    return " ".join(text.translate(_folded_characters).split())


def words_of(text: str) -> list[str]:
    """The folded words of a query, without duplicates."""
    return list(dict.fromkeys(fold(text).split()))


def spans(text: str, words: Iterable[str]) -> list[Span]:
    """The positions of the folded words in the original text, merged and in order.

    A letter that folds to two ("ß", "æ") is always matched as a whole, together with combining
    accents that follow it.
    """
    pieces = [_folded_characters[ord(character)] for character in text]
    origin = [index for index, piece in enumerate(pieces) for _ in piece]
    folded = "".join(pieces)
    found: list[Span] = []
    for word in words:
        start = folded.find(word)
        while start >= 0:
            end = origin[start + len(word) - 1] + 1
            while end < len(pieces) and not pieces[end]:
                end += 1
            found.append((origin[start], end))
            start = folded.find(word, start + len(word))
    merged: list[Span] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def marked(text: str, words: Iterable[str]) -> SafeString:
    """The text, escaped, with <mark> around the words."""
    return _marked(text, spans(text, words))


def excerpt(text: str, words: Iterable[str]) -> SafeString:
    """The text around its first match, escaped and marked, truncated at white space if possible."""
    found = spans(text, words)
    first = found[0][0] if found else 0
    start = 0
    if first > LEAD_IN:
        start = first - LEAD_IN
        start = _after_space(text, start, first)
    end = min(len(text), max(start + EXCERPT, found[0][1] if found else 0))
    if end < len(text):
        space = text.rfind(" ", start + EXCERPT // 2, end)
        end = space if space > (found[0][1] if found else 0) else end
    inside = [
        (max(a, start) - start, min(b, end) - start) for a, b in found if a < end and b > start
    ]
    return format_html(
        "{}{}{}",
        "…" if start else "",
        _marked(text[start:end], inside),
        "…" if end < len(text) else "",
    )


def _after_space(text: str, start: int, until: int) -> int:
    space = text.find(" ", start, until)
    return space + 1 if space >= 0 else start


def _marked(text: str, found: list[Span]) -> SafeString:
    parts: list[tuple[str]] = []
    done = 0
    for start, end in found:
        parts.append((text[done:start],))
        parts.append((format_html("<mark>{}</mark>", text[start:end]),))
        done = end
    parts.append((text[done:],))
    return format_html_join("", "{}", parts)
