"""Names of companies made comparable, as registers and our own lists have them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipelines.registers.adapters.operators import company_key, split_operators

#: What publishers write in the place of a name.
NOBODY = frozenset(
    (
        *("private developer", "private client", "private individual", "unknown", "not known"),
        *("n a", "na", "none", "tbc", "not available"),
    )
)

#: Words that many names of companies have, which say little about which company it is.
_GENERIC = frozenset(Path(__file__).with_name("company_fillers.txt").read_text("utf-8").split())


@dataclass(frozen=True, slots=True)
class Company:
    """A company's name in parts: ``key`` without legal form and punctuation; ``stem``, its words
    that tell companies apart; ``numbers``, which tell the SPVs of one developer apart."""

    text: str
    key: str
    stem: tuple[str, ...]
    numbers: frozenset[str]


@lru_cache(maxsize=20_000)
def parse_company(text: str) -> Company | None:
    """None for a name that is nobody's."""
    key = company_key(text)
    if not key or key in NOBODY:
        return None
    parts = key.split()
    stem = tuple(one for one in parts if one not in _GENERIC and not one.isdecimal())
    return Company(
        text=text,
        key=key,
        stem=stem or tuple(parts),
        numbers=frozenset(one.lstrip("0") for one in parts if one.isdecimal()),
    )


@lru_cache(maxsize=20_000)
def parse_operators(text: str) -> tuple[Company, ...]:
    """The companies of a cell, with those that they were formerly: “A (formerly B) / C”."""
    texts = (text for one in split_operators(text) for text in (one.name, *one.aliases))
    found = (parse_company(one) for one in texts)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def is_similar_company(one: Company, other: Company) -> bool:
    """Whether the names begin with the same words that tell companies apart, as those of a
    developer and its SPVs do. SPVs with different numbers are not similar."""
    if one.numbers and other.numbers and one.numbers != other.numbers:
        return False
    shorter, longer = sorted((one.stem, other.stem), key=len)
    return longer[: len(shorter)] == shorter and len("".join(shorter)) >= 4
