"""Isolation of bidirectional text, so that a name or value does not reorder the text around it."""

import unicodedata

OPEN_ISOLATE, CLOSE_ISOLATE = "\u2068", "\u2069"

ISOLATES = frozenset("\u2066\u2067\u2068")

#: Bidirectional classes that can reorder the text around them: right-to-left letters, and the
#: characters that embed, override or isolate.
DIRECTIONAL = frozenset(
    ["R", "AL", "AN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"]
)


def isolated(text: str) -> str:
    """Wrap the text in isolates, and close those that it leaves open. A text without right-to-left
    or directional characters is returned as it is."""
    if text.isascii() or not any(
        unicodedata.bidirectional(character) in DIRECTIONAL for character in text
    ):
        return text
    result, still_open = [], 0
    for character in text:
        if character == CLOSE_ISOLATE:
            # An unmatched one would end the isolation.
            if not still_open:
                continue
            still_open -= 1
        still_open += character in ISOLATES
        result.append(character)
    return "".join([OPEN_ISOLATE, *result, CLOSE_ISOLATE * (still_open + 1)])
