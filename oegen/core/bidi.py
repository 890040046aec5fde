"""Bidirectional text: isolate a name or value, so that it can't turn the sentence around it."""

import unicodedata

OPEN_ISOLATE, CLOSE_ISOLATE = "\u2068", "\u2069"

ISOLATES = frozenset("\u2066\u2067\u2068")

#: Classes of characters that turn the text around them: right-to-left letters, and the signs that
#: embed, override or isolate.
TURNING = frozenset(
    ["R", "AL", "AN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"]
)


def isolated(text: str) -> str:
    """Wrap the text in isolates, and close those that it leaves open. A text without right-to-left
    or directional characters is returned as it is."""
    if text.isascii() or not any(unicodedata.bidirectional(sign) in TURNING for sign in text):
        return text
    result, still_open = [], 0
    for sign in text:
        if sign == CLOSE_ISOLATE:
            # One that the text did not open would end the isolation.
            if not still_open:
                continue
            still_open -= 1
        still_open += sign in ISOLATES
        result.append(sign)
    return "".join([OPEN_ISOLATE, *result, CLOSE_ISOLATE * (still_open + 1)])
