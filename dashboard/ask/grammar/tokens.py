"""A question as tokens: folded words, numbers and signs, each with the place in what was typed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from oegen.core.folding import fold

#: The most characters and words of a question that are read.
MOST_CHARACTERS, MOST_WORDS = 400, 60

_TOKEN = re.compile(
    r"""
    \d{4}-\d{1,2}-\d{1,2}               # a day
    | \d{1,2}[./]\d{1,2}[./]\d{2,4}     # the same, as written in Britain
    | \d+(?:st|nd|rd|th)\b
    | \d{1,3}(?:,\d{3})+(?:\.\d+)?      # a number
    | \d+(?:\.\d+)?
    | '\d{2}\b                          # a year
    | [qhp]\d{1,2}\b                    # a quarter, a half, a percentile
    | o&m | p&l
    | [^\W\d_]+(?:'[^\W\d_]+)*          # a word
    | >= | <= | [<>=+&%/×?-]
    """,
    re.VERBOSE | re.IGNORECASE,
)

#: Written together, said apart. Apostrophes may be missing.
CONTRACTIONS = {
    "what's": "what is",
    "whats": "what is",
    "who's": "who is",
    "whos": "who is",
    "where's": "where is",
    "wheres": "where is",
    "how's": "how is",
    "hows": "how is",
    "when's": "when is",
    "whens": "when is",
    "that's": "that is",
    "it's": "it is",
    "there's": "there is",
    "here's": "here is",
    "let's": "let us",
    "i'm": "i am",
    "isn't": "is not",
    "isnt": "is not",
    "aren't": "are not",
    "arent": "are not",
    "wasn't": "was not",
    "weren't": "were not",
    "hasn't": "has not",
    "hasnt": "has not",
    "haven't": "have not",
    "havent": "have not",
    "hadn't": "had not",
    "don't": "do not",
    "dont": "do not",
    "doesn't": "does not",
    "doesnt": "does not",
    "didn't": "did not",
    "didnt": "did not",
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "we've": "we have",
    "weve": "we have",
    "we're": "we are",
    "we'll": "we will",
    "they've": "they have",
    "they're": "they are",
    "i've": "i have",
    "which's": "which is",
    "noone": "no one",
    "nobody's": "nobody",
    "wht": "what",
    "wat": "what",
    "hw": "how",
    "pls": "please",
    "plz": "please",
    "btw": "please",
    "vs": "versus",
    "v": "versus",
    "vs.": "versus",
    "incl": "including",
    "excl": "excluding",
    "avg": "average",
    "no.": "number",
    "nr": "number",
    "yoy": "compared with a year ago",
    "mom": "compared with a month ago",
    "qoq": "compared with a quarter ago",
    "b/w": "between",
    "w/o": "without",
    "approx": "about",
    "lastyear": "last year",
    "thisyear": "this year",
    "howmany": "how many",
    "r": "are",
    "u": "you",
    "ur": "your",
    "thru": "through",
}

#: Signs that are words.
_SIGNS = {">": "over", ">=": "at least", "<": "under", "<=": "at most", "+": "plus", "&": "and",
          "%": "%", "/": "and", "×": "by", "=": "is"}  # fmt: skip


@dataclass(frozen=True)
class Token:
    """``text`` is folded. ``typed`` is the word as it was typed, ``is_capital`` whether it begins
    with a capital letter inside a sentence."""

    text: str
    typed: str
    is_capital: bool = False
    #: Written at the word before, as a hyphen's second part.
    is_joined: bool = False


def tokenise(question: str) -> list[Token]:
    text = " ".join(question[:MOST_CHARACTERS].replace("’", "'").replace("–", "-").split())
    tokens: list[Token] = []
    end = -1
    is_first = True
    for match in _TOKEN.finditer(text.replace("_", " ")):
        typed = match[0]
        folded = fold(typed)
        joined = match.start() == end
        end = match.end()
        if folded in ("?", "-"):
            if folded == "-" and _is_range(text, match):
                tokens.append(Token("to", typed))
            elif folded == "-":
                # The parts of a word with a hyphen are joined.
                continue
            else:
                end = -1
            continue
        joined = joined or (bool(tokens) and match.start() > 0 and text[match.start() - 1] == "-")
        for word in _words(folded):
            is_capital = typed[:1].isupper() and not is_first
            tokens.append(Token(word, typed, is_capital, joined))
        is_first = False
    return tokens[:MOST_WORDS]


def _is_range(text: str, match: re.Match[str]) -> bool:
    before, after = text[: match.start()].rstrip(), text[match.end() :].lstrip()
    return before[-1:].isdigit() and after[:1].isdigit()


def _words(folded: str) -> list[str]:
    if folded in CONTRACTIONS:
        return CONTRACTIONS[folded].split()
    if folded in _SIGNS:
        return _SIGNS[folded].split()
    if folded.endswith("'s") and len(folded) > 3:
        return [folded.removesuffix("'s")]
    if folded.endswith("s'"):
        return [folded.removesuffix("'")]
    return [folded]
