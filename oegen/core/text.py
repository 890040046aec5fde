"""Cleaning of text before it is stored, and keys for comparing and sorting names.

Folding for search is in oegen.core.folding. It is coarser: it makes Müller and Muller equal.
"""

import re
import unicodedata

from oegen.core.folding import VARIATION_SELECTORS, fold

#: Joiners between letters, as in Persian words, and between the parts of an emoji.
JOINERS = frozenset("\u200c\u200d")

#: Format characters that are visible, such as Arabic number signs.
_VISIBLE_FORMAT_CHARACTERS = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)

#: Letters and marks that are invisible: fillers, and the combining grapheme joiner.
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")

_BLACK_FLAG = "\U0001f3f4"

#: Maximum length of a key: PostgreSQL can't index more than about 2,700 bytes.
_MAX_KEY_LENGTH = 600

#: Separates a sort key from its tie-breaker, which orders names that are equal otherwise.
_TIE_SEPARATOR = "\x01"

_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")

#: Control characters except tab, line feed and the null character.
_CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x9f]")

#: An unpaired surrogate, which no encoding accepts.
SURROGATE = re.compile("[\ud800-\udfff]")

_NUMBER = re.compile(r"\d+")
_PUNCTUATION = re.compile(r"[^\w ]|_")


def clean_line(text: str) -> str:
    """Normalize to one line: NFC, single spaces, no control and format characters.

    Joiners inside words and emoji stay, and so do variation selectors. Null characters and
    unpaired surrogates stay too, because they are refused with a message.
    """
    # NFC comes last: a removed character may have separated a letter from its accent.
    return unicodedata.normalize("NFC", " ".join(_strip_format_characters(text).split()))


def clean_prose(text: str) -> str:
    """Normalize to lines in NFC that are separated by LF, without other control characters and
    outer white space. Tabs, runs of spaces and format characters stay."""
    text = _CONTROL.sub("", _BREAK.sub("\n", text))
    return unicodedata.normalize("NFC", text).strip()


def clean_lines(text: str) -> str:
    """Clean each line with ``clean_line`` and drop empty ones."""
    return "\n".join(filter(None, map(clean_line, clean_prose(text).split("\n"))))


def split_lines(text: str) -> list[str]:
    """The lines that are not blank, without the white space around them."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _strip_format_characters(text: str) -> str:
    """Remove control and format characters; those that are white space become a space."""
    if text.isascii() and text.isprintable():
        return text
    result: list[str] = []
    for index, character in enumerate(text):
        category = unicodedata.category(character)
        if category == "Cc" and character != "\x00":
            result.append(" " if character.isspace() else "")
        elif category == "Cf" and character not in _VISIBLE_FORMAT_CHARACTERS:
            result.append(
                character
                if _is_joiner_in_word(text, index) or _is_flag_tag(character, result)
                else ""
            )
        else:
            result.append(character)
    return "".join(result)


def _is_joiner_in_word(text: str, index: int) -> bool:
    """Whether the character at ``index`` is a joiner between two visible characters."""
    if text[index] not in JOINERS or not 0 < index < len(text) - 1:
        return False
    return _is_visible(text[index - 1]) and _is_visible(text[index + 1])


def _is_visible(character: str) -> bool:
    return character in VARIATION_SELECTORS or unicodedata.category(character)[0] in "LMNPS"


def _is_flag_tag(character: str, before: list[str]) -> bool:
    """Whether the character belongs to an emoji flag such as Scotland's: a black flag with tags."""
    last = next((other for other in reversed(before) if other), "")
    return "\U000e0020" <= character <= "\U000e007f" and (
        last == _BLACK_FLAG or "\U000e0020" <= last <= "\U000e007f"
    )


def is_blank(text: str) -> bool:
    """Whether the text has no visible character."""
    return not any(
        character not in _FILLERS
        and character not in VARIATION_SELECTORS
        and unicodedata.category(character)[0] in "LNPS"
        for character in text
    )


def name_key(text: str) -> str:
    """A key that is equal for names that look equal: NFKC, case folded, white space collapsed,
    invisible characters removed. Accents count.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    visible = (
        character
        for character in unicodedata.normalize("NFKC", text)
        if character not in _FILLERS
        and character not in VARIATION_SELECTORS
        and (
            unicodedata.category(character) not in ("Cf", "Cc")
            or character.isspace()
            or character in _VISIBLE_FORMAT_CHARACTERS
        )
    )
    return " ".join("".join(visible).split())[:_MAX_KEY_LENGTH]


def likeness_key(text: str) -> str:
    """A key that is equal for similar names, about which forms ask: folded as for search (no
    accents) and without punctuation. Empty for a text of punctuation only."""
    words = "".join(
        character if character.isalnum() else " " for character in fold(text).replace("'", "")
    )
    return " ".join(words.split())[:_MAX_KEY_LENGTH]


def sort_key(text: str) -> str:
    """A text that sorts naturally when compared by code point.

    Accents and case are ignored and numbers compared by value, so that "Site 2" comes before
    "Site 10"; white space sorts before punctuation before digits before letters. Accents and case
    break ties.
    """
    folded = _NUMBER.sub(_by_value, fold(text))
    letters = _PUNCTUATION.sub(lambda found: f"!{found[0]}", folded)
    return letters + _TIE_SEPARATOR + unicodedata.normalize("NFC", text)


def sort_key_start(folded: str) -> str:
    """What the sort keys of all texts begin with whose folded form begins with this one.

    Without the number at its end, which may go on in the text.
    """
    return sort_key(re.sub(r"\d+$", "", folded)).partition(_TIE_SEPARATOR)[0]


def _by_value(number: re.Match[str]) -> str:
    """The digits, prefixed with their number in three digits."""
    digits = "".join(str(unicodedata.decimal(character)) for character in number[0]).lstrip("0")
    return f"{min(len(digits), 999):03d}{digits}"
