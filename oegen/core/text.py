"""Cleaning of text before it is stored, and keys for comparing and sorting names.

Folding for search is in oegen.core.folding. It is coarser: it makes Müller and Muller equal.
"""

import re
import unicodedata

from oegen.core.folding import STYLES, fold

#: Joiners between letters, as in Persian words, and between the parts of an emoji.
JOINERS = frozenset("\u200c\u200d")

#: Format characters that are visible, such as Arabic number signs.
_DRAWN = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)

#: Letters and marks that are invisible: fillers, and the combining grapheme joiner.
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")

_BLACK_FLAG = "\U0001f3f4"

#: Maximum length of a key: PostgreSQL can't index more than about 2,700 bytes.
_LONGEST_KEY = 600

#: Separates the tie-breaker of a sort key: it orders names that are equal otherwise.
_TIE = "\x01"

_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")

#: Control characters except tab, line feed and the null character.
_CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x9f]")

#: An unpaired surrogate, which no encoding accepts.
HALF_CHARACTER = re.compile("[\ud800-\udfff]")

_NUMBER = re.compile(r"\d+")


def clean_line(text: str) -> str:
    """Normalize to one line: NFC, single spaces, no control and format characters.

    Joiners inside words and emoji stay, and so do variation selectors. Null characters and
    unpaired surrogates stay too, because they are refused with a message.
    """
    # NFC comes last: a removed character may have separated a letter from its accent.
    return unicodedata.normalize("NFC", " ".join(_without_signs(text).split()))


def clean_prose(text: str) -> str:
    """Normalize to lines in NFC that are separated by LF, without other control characters and
    outer white space. Tabs, runs of spaces and format characters stay."""
    text = _CONTROL.sub("", _BREAK.sub("\n", text))
    return unicodedata.normalize("NFC", text).strip()


def clean_lines(text: str) -> str:
    """Clean each line with ``clean_line`` and drop empty ones."""
    return "\n".join(filter(None, map(clean_line, clean_prose(text).split("\n"))))


def _without_signs(text: str) -> str:
    """Remove control and format characters; those that are white space become a space."""
    if text.isascii() and text.isprintable():
        return text
    result: list[str] = []
    for place, one in enumerate(text):
        category = unicodedata.category(one)
        if category == "Cc" and one != "\x00":
            result.append(" " if one.isspace() else "")
        elif category == "Cf" and one not in _DRAWN:
            result.append(one if _joins(text, place) or _is_flag_tag(one, result) else "")
        else:
            result.append(one)
    return "".join(result)


def _joins(text: str, place: int) -> bool:
    """Whether the character at ``place`` is a joiner between two visible characters."""
    if text[place] not in JOINERS or not 0 < place < len(text) - 1:
        return False
    return _is_drawn(text[place - 1]) and _is_drawn(text[place + 1])


def _is_drawn(one: str) -> bool:
    return one in STYLES or unicodedata.category(one)[0] in "LMNPS"


def _is_flag_tag(one: str, before: list[str]) -> bool:
    """Whether the character belongs to an emoji flag such as Scotland's: a black flag with tags."""
    last = next((piece for piece in reversed(before) if piece), "")
    return "\U000e0020" <= one <= "\U000e007f" and (
        last == _BLACK_FLAG or "\U000e0020" <= last <= "\U000e007f"
    )


def is_blank(text: str) -> bool:
    """Whether the text has no visible character."""
    return not any(
        one not in _FILLERS and one not in STYLES and unicodedata.category(one)[0] in "LNPS"
        for one in text
    )


def name_key(text: str) -> str:
    """A key that is equal for names that look equal: NFKC, case folded, white space collapsed,
    invisible characters removed. Accents count.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    drawn = (
        one
        for one in unicodedata.normalize("NFKC", text)
        if one not in _FILLERS
        and one not in STYLES
        and (unicodedata.category(one) not in ("Cf", "Cc") or one.isspace() or one in _DRAWN)
    )
    return " ".join("".join(drawn).split())[:_LONGEST_KEY]


def likeness_key(text: str) -> str:
    """A key that is equal for similar names, about which forms ask: folded as for search (no
    accents) and without punctuation. Empty for a text of punctuation only."""
    words = "".join(one if one.isalnum() else " " for one in fold(text).replace("'", ""))
    return " ".join(words.split())[:_LONGEST_KEY]


def sort_key(text: str) -> str:
    """A text that sorts naturally when compared by code point.

    Accents and case are ignored and numbers compared by value, so that "Site 2" comes before
    "Site 10"; white space sorts before punctuation before digits before letters. Accents and case
    break ties.
    """
    folded = _NUMBER.sub(_by_value, fold(text))
    letters = (one if one.isalnum() or one == " " else f"!{one}" for one in folded)
    return "".join(letters) + _TIE + unicodedata.normalize("NFC", text)


def _by_value(number: re.Match[str]) -> str:
    """The digits, prefixed with their number in three digits."""
    digits = "".join(str(unicodedata.decimal(one)) for one in number[0]).lstrip("0")
    return f"{min(len(digits), 999):03d}{digits}"
