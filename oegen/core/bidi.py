"""Directions of writing: a name or value keeps its own to itself inside a sentence."""

import unicodedata

OPEN_ISOLATE, CLOSE_ISOLATE = "\u2068", "\u2069"

ISOLATES = frozenset("\u2066\u2067\u2068")

#: Classes of characters that turn the text around them: right-to-left letters, and the signs that
#: embed, override or isolate.
TURNING = frozenset(
    ["R", "AL", "AN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"]
)


def isolated(text: str) -> str:
    """The text between signs that isolate it, what it leaves open closed; a text that could turn
    nothing round as it is."""
    if text.isascii() or not any(unicodedata.bidirectional(sign) in TURNING for sign in text):
        return text
    kept, still_open = [], 0
    for sign in text:
        if sign == CLOSE_ISOLATE:
            # One that closes nothing of the text's own would end the isolation.
            if not still_open:
                continue
            still_open -= 1
        still_open += sign in ISOLATES
        kept.append(sign)
    return "".join([OPEN_ISOLATE, *kept, CLOSE_ISOLATE * (still_open + 1)])
