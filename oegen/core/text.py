"""Text as it is stored and compared: cleaned on the way in, and keys for "the same" and for order.

Folding for search is in oegen.core.folding. It is coarser: there Müller and Muller are one.
"""

import re
import unicodedata

from oegen.core.folding import STYLES, fold

#: Joiners between letters, as in Persian words, and between the parts of an emoji.
JOINERS = frozenset("\u200c\u200d")

#: Format characters that are drawn: Arabic number signs and their like.
_DRAWN = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)

#: Letters and marks that are drawn as nothing: fillers, and the joiner of graphemes.
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")

_BLACK_FLAG = "\U0001f3f4"

#: Characters of a key that are kept whole; PostgreSQL indexes no more than some 2,700 bytes.
_LONGEST_KEY = 600

#: Before the part of a sort key that only decides between names of the same letters.
_TIE = "\x01"

_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")

#: Without tab, line feed and the null character.
_CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x9f]")

#: One of the two code units of a character beyond U+FFFF: no encoding takes it alone.
HALF_CHARACTER = re.compile("[\ud800-\udfff]")

_NUMBER = re.compile(r"\d+")


def clean_line(text: str) -> str:
    """One line in NFC, single spaces, without control and format characters.

    Joiners inside words and emoji stay, and so do variation selectors. A null character and half
    a character stay too: they are refused in words, not dropped.
    """
    # In NFC at the end: what is left out may have stood between a letter and its accent.
    return unicodedata.normalize("NFC", " ".join(_without_signs(text).split()))


def clean_prose(text: str) -> str:
    """Lines in NFC with LF between them, without other control characters; tabs, runs of spaces
    and format characters stay, outer white space goes."""
    text = _CONTROL.sub("", _BREAK.sub("\n", text))
    return unicodedata.normalize("NFC", text).strip()


def clean_lines(text: str) -> str:
    """A list with one entry a line: each as ``clean_line`` leaves it, empty ones left out."""
    return "\n".join(filter(None, map(clean_line, clean_prose(text).split("\n"))))


def _without_signs(text: str) -> str:
    """Without control and format characters; white space among them becomes a space."""
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    for place, one in enumerate(text):
        category = unicodedata.category(one)
        if category == "Cc" and one != "\x00":
            kept.append(" " if one.isspace() else "")
        elif category == "Cf" and one not in _DRAWN:
            kept.append(one if _joins(text, place) or _is_flag_tag(one, kept) else "")
        else:
            kept.append(one)
    return "".join(kept)


def _joins(text: str, place: int) -> bool:
    """Whether a joiner stands there between two characters that are drawn."""
    if text[place] not in JOINERS or not 0 < place < len(text) - 1:
        return False
    return _is_drawn(text[place - 1]) and _is_drawn(text[place + 1])


def _is_drawn(one: str) -> bool:
    return one in STYLES or unicodedata.category(one)[0] in "LMNPS"


def _is_flag_tag(one: str, before: list[str]) -> bool:
    """Whether it is part of an emoji flag such as Scotland's: a black flag and tags."""
    last = next((piece for piece in reversed(before) if piece), "")
    return "\U000e0020" <= one <= "\U000e007f" and (
        last == _BLACK_FLAG or "\U000e0020" <= last <= "\U000e007f"
    )


def is_blank(text: str) -> bool:
    """Whether nothing of it is drawn."""
    return not any(
        one not in _FILLERS and one not in STYLES and unicodedata.category(one)[0] in "LNPS"
        for one in text
    )


def name_key(text: str) -> str:
    """The same for two names that people would take for one: NFKC, case folded, white space to
    single spaces, what is not drawn left out. Accents count.
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
    """The same for two names that are worth a question: as search folds them (no accents), and
    without punctuation. Empty where nothing but punctuation is left."""
    words = "".join(one if one.isalnum() else " " for one in fold(text).replace("'", ""))
    return " ".join(words.split())[:_LONGEST_KEY]


def sort_key(text: str) -> str:
    """A text whose characters, compared by code point, give the order that people expect.

    First letters without accent and case, and numbers by their value, so that "Site 2" comes
    before "Site 10"; white space before punctuation before digits before letters. Only names that
    are the same in this are ordered by their accents and case.
    """
    folded = _NUMBER.sub(_by_value, fold(text))
    letters = (one if one.isalnum() or one == " " else f"!{one}" for one in folded)
    return "".join(letters) + _TIE + unicodedata.normalize("NFC", text)


def _by_value(number: re.Match[str]) -> str:
    """Its digits after their number, in three digits."""
    digits = "".join(str(unicodedata.decimal(one)) for one in number[0]).lstrip("0")
    return f"{min(len(digits), 999):03d}{digits}"
