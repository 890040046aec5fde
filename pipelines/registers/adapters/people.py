"""Whether an operator may be a private individual, who is never shown by name.

Rather a company too many than a person too few: a name that may be a person's counts as one unless
a word of it is only a company's.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from oegen.core.folding import fold

_PRIVATE = re.compile(
    r"\b(?:private(?:ly)?|personal)\s+(?:developer|client|individual|owner|applicant|person|"
    r"householder|house|home|residence|land ?owner|citizen|investor)s?\b"
    r"|^private$|\bprivat(?:person|e)?\b|\bindividual\b|\bhome ?owner\b|\bhouse ?holder\b"
    r"|\bnaturliche person\b|\bland ?owner\b"
)
_TITLE = re.compile(
    r"^(?:mr|mrs|ms|miss|mx|dr|prof|professor|rev|reverend|sir|dame|lord|lady|messrs|master|esq|"
    r"herr|frau|familie|family|fam|ehepaar|eheleute|the trustees of)\b\.?|\besq\b"
    r"|(?:^|\s)(?:mr|mrs)\b"
)

#: The beginnings of words that no name of a person has.
_COMPANY_STARTS = (
    *("windpark", "solarpark", "windkraft", "burger", "energ", "wind", "solar", "photovolt"),
    *("stadtwerk", "verwaltungs", "beteiligung", "gesellschaft", "renew", "hydro", "bio"),
    *("electro", "sea"),
)

#: Legal forms of natural persons: a partnership of them, or one as merchant.
_FORM_OF_PERSONS = re.compile(r"\b(?:gbr|e ?k(?:fm|fr)?)\b")

#: One or several names, as in “Ash / Elm GbR”.
_SURNAMES = re.compile(r"[a-z'\-]+(?:\s*(?:/|&|,|\bund\b|\bu\b)\s*[a-z'\-]+)*")

_INITIALS = re.compile(
    r"(?:[a-z]{1,2}(?:[ &]+|$)){1,4}(?:and |& )?[a-z'\-]{3,}(?: (?:&|and) sons?)?"
)


@cache
def _words(name: str) -> frozenset[str]:
    """The words of a file beside this one: “given_names”, and “company_words”, which no name of a
    person has."""
    return frozenset((Path(__file__).parent / f"{name}.txt").read_text().split())


def may_be_person(operator: str) -> bool:
    """Whether the operator may be a private individual, or is said to be a private one."""
    text = _folded(operator)
    if not text or has_company_word(operator):
        return False
    if _PRIVATE.search(text) or _TITLE.search(text):
        return True
    words = text.split()
    is_named = 2 <= len(words) <= 5 and words[0] in _words("given_names")
    return is_named or is_of_persons(operator) or _INITIALS.fullmatch(text) is not None


def is_of_persons(operator: str) -> bool:
    """Whether it has the legal form of natural persons, and their names: “Ash/ Elm GbR”."""
    names, forms = _FORM_OF_PERSONS.subn("", _folded(operator))
    if not forms or has_company_word(operator):
        return False
    has_given_name = bool(_words("given_names").intersection(names.split()))
    return has_given_name or _SURNAMES.fullmatch(names.strip()) is not None


def _folded(operator: str) -> str:
    return " ".join(fold(operator).replace(".", " ").split())


def has_company_word(operator: str) -> bool:
    """Whether a word of it is only a company's, or has a digit."""
    text = _folded(operator)
    if any(map(str.isdigit, text)):
        return True
    return any(
        word in _words("company_words") or word.startswith(_COMPANY_STARTS)
        for word in re.findall(r"[\w\-]+", text)
    )
