"""Search over records and comments, by the index of oegen.search.documents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db.models import ManyToManyField, Model, QuerySet
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from oegen.audit.changesets import ChangeSet, newest_seal
from oegen.core import clock
from oegen.core.caching import keep
from oegen.core.compiled import compiled, one_of
from oegen.core.fields import own_field
from oegen.core.folding import excerpt, fold, marked, spans, words_of
from oegen.core.words import noun_of
from oegen.search import spelling
from oegen.search.documents import kinds
from oegen.search.models import SearchDocument

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AbstractUser

    from oegen.audit.audited import AuditedModel
    from oegen.audit.querysets import AuditedQuerySet

#: The number of change sets, and of rows per model, that ``changed_last_by`` reads.
CHANGES_READ = 30

#: The number of documents up to which all are ranked, and the number of hits up to which the first
#: of more are read rank by rank.
FEW, FIRST = 1000, 100

#: The same for documents of all kinds, which need many times the queries when read rank by rank.
FEW_OF_ALL = 3000

#: Below this number of hits, other words may have been meant.
FEW_HITS = 3

#: The number of matching fields that are shown per record, in addition to its name.
MAX_EXCERPTS = 3


# Filtering -------------------------------------------------------------------------------------


def matching(records: AuditedQuerySet, text: str, *, names_of: Iterable[str] = ()):
    """Filter to the records that contain every word of the text, each in an indexed field or in the
    name of a record that one of the many-to-many fields ``names_of`` links.
    """
    fields = [records.model._meta.get_field(name) for name in names_of]
    for word in words_of(text):
        found = _keys(records.model, body__contains=word)
        linked = [_linked_keys(field, word) for field in fields]
        # A union, because the database would evaluate each part of an OR for every record.
        records = records.filter(pk__in=found.union(*linked, all=True) if linked else found)
    return records


def keys_containing(model: type[AuditedModel], text: str):
    """Keys of the records whose name contains the text, ignoring accents and case."""
    return _keys(model, title__contains=fold(text))


def keys_starting_with(model: type[AuditedModel], text: str):
    """Keys of the records whose name starts with the text, ignoring accents and case."""
    return _keys(model, title__startswith=fold(text))


def _keys(model: type[Model], **condition):
    """Keys of the records whose documents meet the condition."""
    content_type = ContentType.objects.get_for_model(model)
    found = SearchDocument.objects.filter(content_type=content_type, **condition)
    return found.order_by().values("object_id")


def _linked_keys(field: ManyToManyField, word: str):
    """Keys of the records that the field links to a record whose name contains the word."""
    named = _keys(field.remote_field.model, title__contains=word)
    links = getattr(field.model, field.name).through._base_manager
    found = links.filter(**{f"{field.m2m_reverse_field_name()}__in": named})
    return found.order_by().values(field.m2m_field_name())


# Finding ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Excerpt:
    """A field that contains a word of the query, with an excerpt."""

    label: str
    text: SafeString


@dataclass(frozen=True)
class Hit:
    record: AuditedModel
    url: str
    name: SafeString
    excerpts: tuple[Excerpt, ...]

    @property
    def kind_name(self) -> str:
        return kind_name_of(type(self.record))

    @property
    def facts_template(self) -> str:
        return self.record.SEARCH_FACTS_TEMPLATE


@dataclass(frozen=True)
class Group:
    """The hits of one model; ``total`` counts also those that are not shown."""

    model: type[AuditedModel]
    total: int
    hits: tuple[Hit, ...]

    @property
    def kind(self) -> str:
        return str(self.model._meta.model_name)

    @property
    def noun(self) -> str:
        return noun_of(self.model, self.total)


def kind_name_of(model: type[AuditedModel]) -> str:
    return capfirst(str(model._meta.verbose_name))


class SearchResults:
    """The records that contain every word of a text: counted by model at once, read on demand.

    The number of queries depends only on the number of models.
    """

    def __init__(self, text: str):
        self.words = words_of(text)
        counts = _counts(self.words) if self.words else {}
        self.totals: dict[type[AuditedModel], int] = {}
        for model in kinds():
            if number := counts.get(ContentType.objects.get_for_model(model).pk):
                self.totals[model] = number

    @property
    def total(self) -> int:
        return sum(self.totals.values())

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def best(self, limit: int) -> list[Hit]:
        """The best hits among records of all kinds, without comments."""
        totals = {model: total for model, total in self.totals.items() if not model.IS_COMMENT}
        by_id = {ContentType.objects.get_for_model(model).pk: model for model in totals}
        documents = SearchDocument.objects.filter(content_type__in=by_id)
        keys: list[tuple[type[AuditedModel], Any]] = []
        if sum(totals.values()) <= FEW_OF_ALL:
            best = documents.matching(self.words).best_first(self.words, list(by_id))
            pairs = best.values_list("content_type_id", "object_id")[:limit]
            keys = [(by_id[kind], key) for kind, key in pairs]
        else:
            for kind, ranked in product(range(3), by_id):
                if len(keys) < limit:
                    rank = list(documents.filter(content_type=ranked).by_rank(self.words))[kind]
                    found = rank.values_list("object_id", flat=True)[: limit - len(keys)]
                    keys += [(by_id[ranked], key) for key in found]
        hits = {
            (model, hit.record.pk): hit
            for model in totals
            for hit in _hits(model, [key for one, key in keys if one is model], self.words)
        }
        return [hits[one] for one in keys if one in hits]

    def similar(self) -> SearchResults | None:
        """The results of other words that may have been meant, if few records have these."""
        if self.words and self.total < FEW_HITS:
            for words in spelling.corrections(self.words):
                others = SearchResults(" ".join(words))
                if others.total:
                    return others
        return None

    def group(self, model: type[AuditedModel], *, start: int = 0, limit: int = 0) -> Group:
        """The best ``limit`` hits of a model from ``start``; without a limit, only their number."""
        hits: list[Hit] = []
        if limit:
            content_type = ContentType.objects.get_for_model(model)
            documents = SearchDocument.objects.filter(content_type=content_type)
            total = self.totals[model]
            hits = _hits(model, _best_keys(documents, self.words, start, limit, total), self.words)
        return Group(model, self.totals[model], tuple(hits))


def _counts(words: list[str]) -> dict[int, int]:
    """The number of documents by content type id, kept until something is written."""
    matching = SearchDocument.objects.matching(words)
    written = newest_seal(), clock.past_moment()
    return keep(matching.count_by_kind, "number of documents", *written, *words)


@dataclass(frozen=True)
class Finding:
    """What is shown for a text: its results, or those of what may have been meant if it has none
    (``is_corrected``). ``meant`` may have been meant instead of the few that are shown."""

    typed: SearchResults
    similar: SearchResults | None

    @classmethod
    def of(cls, text: str) -> Finding:
        typed = SearchResults(text)
        return cls(typed, typed.similar())

    @property
    def is_corrected(self) -> bool:
        return self.similar is not None and not self.typed.total

    @property
    def shown(self) -> SearchResults:
        return self.typed if self.typed.total or self.similar is None else self.similar

    @property
    def meant(self) -> SearchResults | None:
        return None if self.is_corrected else self.similar


def _best_keys(documents, words: list[str], start: int, limit: int, total: int) -> list[Any]:
    """Keys of the records of those of the documents that match, ``total`` in number, best first.

    Few documents are ranked all at once. Of many, the first are read rank by rank: always the same
    order, by other means.
    """
    end = start + limit
    if total <= FEW or end > FIRST:
        best = documents.matching(words).best_first(words).values_list("object_id", flat=True)
        return list(best[start:end])
    keys: list[Any] = []
    for rank in documents.by_rank(words):
        if len(keys) < end:
            keys += rank.values_list("object_id", flat=True)[: end - len(keys)]
    return keys[start:]


def _hits(model: type[AuditedModel], keys: list[Any], words: list[str]) -> list[Hit]:
    if not keys:
        return []
    found = {record.pk: record for record in _with_facts(model, keys=keys)}
    # Skip records that were removed since the keys were read.
    return [_hit(found[key], words) for key in keys if key in found]


@compiled
def _with_facts(model: Any, *, keys: Any) -> QuerySet[Any]:
    records: QuerySet[Any] = model.objects.filter(pk__in=one_of(keys, model)).with_search_facts()
    return (records.prefetch_related("subject") if model.IS_COMMENT else records).order_by()


def _hit(record: AuditedModel, words: list[str]) -> Hit:
    page_record = record.result_page_record()
    name = str(page_record)
    fields = record.SEARCH_FIELDS
    missing = set(words)
    if page_record is record:
        missing = {word for word in words if not spans(name, [word])}
        fields = fields[1:]
    excerpts: list[Excerpt] = []
    for field in fields:
        text = getattr(record, field)
        found = {word for word in missing if spans(text, [word])}
        if found and len(excerpts) < MAX_EXCERPTS:
            excerpts.append(Excerpt(_label(type(record), field), excerpt(text, words)))
            missing -= found
    return Hit(record, page_record.get_absolute_url(), marked(name, words), tuple(excerpts))


def _label(model: type[AuditedModel], name: str) -> str:
    try:
        label = str(own_field(model, name).verbose_name)
    except FieldDoesNotExist:
        label = name.replace("_", " ")
    return label[:1].upper() + label[1:]


def changed_last_by(person: AbstractUser, limit: int = 8) -> list[AuditedModel]:
    """The existing records with a page that a person added or changed last, or about which they
    did, newest first."""
    newest = ChangeSet.objects.recorded().filter(person=person.pk).order_by("-recorded_at", "-pk")
    change_sets = list(newest.values_list("pk", flat=True)[:CHANGES_READ])
    moments: dict[tuple[type[AuditedModel], Any], datetime] = {}
    for model in kinds():
        if model.IS_COMMENT:
            continue
        rows = model.history.filter(change_set__in=change_sets).order_by("-history_date")
        for key, when in rows.values_list("id", "history_date")[:CHANGES_READ]:
            moments.setdefault((model, key), when)
    wanted = sorted(moments, key=moments.__getitem__, reverse=True)
    found = {}
    for model in {model for model, _ in wanted}:
        keys = [key for other, key in wanted if other is model]
        for key, record in model._base_manager.in_bulk(keys).items():
            found[model, key] = record
    pages = (found[one].result_page_record() for one in wanted if one in found)
    return list(dict.fromkeys(pages))[:limit]
