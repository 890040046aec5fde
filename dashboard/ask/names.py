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

#: The fewest letters by which the beginning of a word stands for it.
FEWEST_OF_BEGINNING = 4

#: The most records that are given for a name.
MOST = 12

#: Of more records than this a word is no name: it is in the names of too many.
MOST_WITH_WORD = 3000


@dataclass(frozen=True)
class Named:
    kind: str
    pk: str
    name: str
    #: The whole name is what was typed.
    is_exact: bool = False
    #: A word was typed with errors.
    is_corrected: bool = False

    @property
    def url(self) -> str:
        return reverse(self.kind, args=[self.pk])


@dataclass(frozen=True)
class Title:
    """A name before its record is read; ``words`` are those of the name, or of another name of the
    record."""

    kind: str
    key: Any
    words: tuple[str, ...]


def titles_with(word: str, kinds: Iterable[str]) -> list[Title]:
    """The names that have the word, or else a word that begins with it; none if too many have."""
    types = {
        ContentType.objects.get_for_model(model).pk: kind
        for kind, model in MODELS.items()
        if kind in kinds
    }
    documents = SearchDocument.objects.filter(content_type__in=types, title__contains=word)
    rows = documents.order_by().values_list("content_type", "object_id", "title")
    found = [
        Title(types[kind], key, tuple(likeness_key(title).split()))
        for kind, key, title in rows[: MOST_WITH_WORD + 1]
    ]
    if len(found) > MOST_WITH_WORD:
        return []
    if "counterparty" in types.values() and not clock.past_day():
        found += _by_alias(word)
    whole = [one for one in found if word in one.words]
    if whole or len(word) < FEWEST_OF_BEGINNING:
        return whole
    return [one for one in found if any(own.startswith(word) for own in one.words)]


def _by_alias(word: str) -> list[Title]:
    """Counterparties by their other names, which are not in the titles."""
    rows = RecordKey.objects.filter(
        content_type=ContentType.objects.get_for_model(Counterparty),
        kind=ALIAS,
        likeness__contains=word,
    )
    return [
        Title("counterparty", key, tuple(likeness.split()))
        for key, likeness in rows.values_list("object_id", "likeness")
    ]


def with_word(titles: Iterable[Title], word: str) -> list[Title]:
    return [one for one in titles if word in one.words]


def whole_names(titles: Sequence[Title], words: Sequence[str]) -> list[Title]:
    """Those of which the words are the whole name, if there are any, else all."""
    return [one for one in titles if sorted(one.words) == sorted(words)] or list(titles)


def starting_with(titles: Iterable[Title], words: Sequence[str]) -> list[Title]:
    return [one for one in titles if one.words[: len(words)] == tuple(words)]


def named(
    titles: Sequence[Title], words: Sequence[str], *, limit: int = MOST, is_corrected: bool = False
) -> list[Named]:
    """The records of the names, by kind and name, as far as they exist on the day."""
    chosen = {(one.kind, one.key): one for one in titles}
    found = []
    for kind, model in MODELS.items():
        keys = [key for one, key in chosen if one == kind]
        if not keys:
            continue
        records = model._default_manager.recorded().filter(pk__in=keys[:MOST_WITH_WORD])
        for record in records.order_by(f"{_name_field(model)}_order__key")[:limit]:
            is_exact = sorted(chosen[kind, record.pk].words) == sorted(words)
            found.append(Named(kind, str(record.pk), str(record), is_exact, is_corrected))
    return found[:limit]


def _name_field(model: type[Any]) -> str:
    return str(model.name_field())


def find_named(text: str, kinds: Iterable[str] = MODELS, *, limit: int = MOST) -> list[Named]:
    """The records whose name, or a counterparty's other name, has all words of the text: as whole
    words, else the last as a beginning, else with typing errors."""
    words = likeness_key(text).split()
    if not words:
        return []
    kinds = list(kinds)
    if found := _with_words(words, kinds):
        return named(found, words, limit=limit)
    for meant in spelling.corrections(words):
        if found := _with_words(meant, kinds):
            return named(found, meant, limit=limit, is_corrected=True)
    return []


def _with_words(words: Sequence[str], kinds: Sequence[str]) -> list[Title]:
    longest = max(words, key=len)
    found = titles_with(longest, kinds)
    for word in words:
        if word != longest:
            found = [
                one
                for one in found
                if word in one.words
                or (
                    len(word) >= FEWEST_OF_BEGINNING
                    and any(own.startswith(word) for own in one.words)
                )
            ]
    return whole_names(found, words)


def closest(text: str, kinds: Iterable[str], limit: int = 3) -> list[str]:
    """The names that come close to a word, for a refusal."""
    kinds = list(kinds)
    found: dict[str, None] = {}
    for word in likeness_key(text).split():
        for [meant] in spelling.corrections([word]):
            if len(word) < FEWEST_LETTERS or OSA.distance(word, meant) > MOST_ERRORS:
                continue
            for one in named(titles_with(meant, kinds), [meant], limit=limit):
                found.setdefault(one.name)
    return list(found)[:limit]
