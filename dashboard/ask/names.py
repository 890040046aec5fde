"""Records by their names as people type them: in part, in any order, with typing errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from rapidfuzz.distance import OSA

from counterparties.models import Contact, Counterparty
from infopoints.models import InformationPoint
from oegen.core import clock
from oegen.core.folding import fold
from oegen.core.record_keys import ALIAS
from oegen.core.text import likeness_key
from oegen.search import spelling
from oegen.search.models import RecordKey, SearchDocument
from pipelines.models import Facility, Pipeline

#: The kinds of records, the first asked for first. Contacts name people.
MODELS: dict[str, type[Any]] = {
    "pipeline": Pipeline,
    "counterparty": Counterparty,
    "facility": Facility,
    "informationpoint": InformationPoint,
    "contact": Contact,
}

PERSONAL = frozenset({"contact"})

#: What a name has to have in common with a word to come close to it.
FEWEST_LETTERS, MOST_ERRORS = 5, 2

#: The most records that a name is looked up for.
MOST = 12


@dataclass(frozen=True)
class Named:
    """``is_exact``: the whole name is what was typed. ``is_corrected``: a word was typed with
    errors."""

    kind: str
    pk: str
    name: str
    is_exact: bool = False
    is_corrected: bool = False

    @property
    def url(self) -> str:
        return reverse(self.kind, args=[self.pk])


def find_named(
    text: str, kinds: Iterable[str] = MODELS, *, limit: int = MOST, corrects: bool = True
) -> list[Named]:
    """The records whose name, or a counterparty's other name, has all words of the text: as whole
    words, else as beginnings of words, else with typing errors. Exact names alone if there are
    any."""
    words = likeness_key(text).split()
    if not words:
        return []
    found = _with_words(words, kinds, limit)
    if not found and corrects:
        for meant in spelling.corrections(words):
            found = _with_words(meant, kinds, limit)
            if found:
                return [
                    Named(one.kind, one.pk, one.name, is_exact=False, is_corrected=True)
                    for one in found
                ]
    return found


def _with_words(words: Sequence[str], kinds: Iterable[str], limit: int) -> list[Named]:
    types = {
        ContentType.objects.get_for_model(model).pk: kind
        for kind, model in MODELS.items()
        if kind in kinds
    }
    documents = SearchDocument.objects.filter(content_type__in=types)
    for word in sorted(words, key=len, reverse=True):
        documents = documents.filter(title__contains=word)
    rows = documents.order_by("sort_key").values_list("content_type", "object_id", "title")
    pairs = [(types[kind], key, title) for kind, key, title in rows[: 20 * limit]]
    if not clock.past_day() and "counterparty" in types.values():
        pairs += _by_alias(words)
    ranked: dict[tuple[str, Any], int] = {}
    for kind, key, title in pairs:
        rank = _rank(words, likeness_key(title).split())
        if rank is not None:
            ranked[kind, key] = min(rank, ranked.get((kind, key), rank))
    best = min(ranked.values(), default=0)
    order = list(MODELS)
    chosen = sorted(
        (pair for pair, rank in ranked.items() if rank == best),
        key=lambda pair: order.index(pair[0]),
    )
    return _named(chosen[:limit], is_exact=best == 0)


def _by_alias(words: Sequence[str]) -> list[tuple[str, Any, str]]:
    """Counterparties by their other names, which are not in the titles."""
    rows = RecordKey.objects.filter(
        content_type=ContentType.objects.get_for_model(Counterparty), kind=ALIAS
    )
    for word in words:
        rows = rows.filter(likeness__contains=word)
    return [
        ("counterparty", key, name)
        for key, name in rows.values_list("object_id", "likeness")[:MOST]
    ]


def _rank(words: Sequence[str], own: Sequence[str]) -> int | None:
    """0: the whole name; 1: its whole words; 2: beginnings of its words; None: neither."""
    if sorted(words) == sorted(own):
        return 0
    if all(word in own for word in words):
        return 1
    if all(len(word) > 2 and any(one.startswith(word) for one in own) for word in words):
        return 2
    return None


def _named(pairs: Sequence[tuple[str, Any]], *, is_exact: bool) -> list[Named]:
    names: dict[tuple[str, Any], str] = {}
    for kind in dict.fromkeys(kind for kind, _ in pairs):
        model = MODELS[kind]
        keys = [key for one, key in pairs if one == kind]
        for record in model._default_manager.filter(pk__in=keys):
            names[kind, record.pk] = str(record)
    return [
        Named(kind, str(key), names[kind, key], is_exact=is_exact)
        for kind, key in pairs
        if (kind, key) in names
    ]


def closest(text: str, kinds: Iterable[str], limit: int = 3) -> list[str]:
    """The names that share most with the text, for a refusal."""
    found: dict[str, None] = {}
    for word in fold(text).split():
        for [meant] in spelling.corrections([word]):
            if len(word) < FEWEST_LETTERS or OSA.distance(word, meant) > MOST_ERRORS:
                continue
            for one in _with_words([meant], kinds, limit):
                found.setdefault(one.name)
    return list(found)[:limit]
