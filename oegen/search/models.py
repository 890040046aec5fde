from collections.abc import Sequence

from django.db import models
from django.db.models import Case, Count, IntegerField, Q, Value, When
from django.db.models.functions import Left

from oegen.core.text import sort_key_start


class SortKey(models.Model):
    """The sort key of a name (oegen.search.ordering): one row per current or former name."""

    text = models.TextField()
    key = models.TextField()

    unaudited = "Derived from the records' names."

    class Meta:
        constraints = [models.UniqueConstraint(fields=["text"], name="sortkey_unique")]

    def __str__(self):
        return self.text


class RecordKey(models.Model):
    """A name, alias or register number of a record, normalized for comparison (oegen.search.keys).
    Every audited write updates it. There are no past versions: as-of pages read today's rows.

    ``number`` is 0 for a unique key and null for one that several records may have. Duplicates from
    before the rule existed have 1, 2 and so on.
    """

    content_type = models.ForeignKey("contenttypes.ContentType", on_delete=models.CASCADE)
    object_id = models.UUIDField()
    kind = models.CharField(max_length=20)
    key = models.TextField()
    likeness = models.TextField(help_text="The key without accents and punctuation; of names only.")
    number = models.PositiveIntegerField(null=True)

    unaudited = "Derived from the records."

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["content_type", "kind", "key", "number"],
                name="recordkey_unique",
                violation_error_message="Somebody has just saved another record with this name "
                "or number. Look at the list, and choose that record or another name.",
            )
        ]
        indexes = [
            models.Index(fields=["content_type", "object_id"], name="recordkey_of_record"),
            models.Index(fields=["content_type", "likeness"], name="recordkey_likeness"),
        ]

    def __str__(self):
        return f"{self.kind} {self.key}"


#: Sorts after every character that a name may have.
LAST_CHARACTER = "\U0010ffff"


def _starts(words: list[str]) -> Q:
    return Q(title__startswith=" ".join(words))


def _in_name(words: list[str]) -> Q:
    return Q(*(Q(title__contains=word) for word in words))


class SearchQuerySet(models.QuerySet):
    """Queries of the search index; words must be folded (oegen.core.folding)."""

    def matching(self, words: list[str]):
        """Documents that contain every word; "%" and "_" are literal."""
        found = self
        # The longest word first, as the most selective condition.
        for word in sorted(words, key=len, reverse=True):
            found = found.filter(body__contains=word)
        return found

    def best_first(self, words: list[str], kinds: Sequence[int] = ()):
        """Order by rank: names that start with the words, names that contain them, others; within
        a rank by kind, in the order of these ids of content types, and by name."""
        rank = Case(
            When(_starts(words), then=Value(0)),
            When(_in_name(words), then=Value(1)),
            default=Value(2),
            output_field=IntegerField(),
        )
        kind = Case(
            *(When(content_type=one, then=Value(place)) for place, one in enumerate(kinds)),
            default=Value(len(kinds)),
            output_field=IntegerField(),
        )
        return self.order_by(rank, *([kind] if kinds else []), "sort_key", "object_id")

    def by_rank(self, words: list[str]):
        """The ranks of ``matching(words).best_first(words)`` as querysets of their own, which the
        database can read in order from the index, without sorting all matches."""
        found = self.order_by("sort_key", "object_id")
        text = " ".join(words)
        # Not LIKE, for which PostgreSQL would rather read all such names from their own index.
        starting = found.alias(start=Left("title", len(text))).filter(start=text)
        first_key = sort_key_start(text)
        yield starting.filter(sort_key__gte=first_key, sort_key__lt=f"{first_key}{LAST_CHARACTER}")
        # The body contains the name.
        yield found.filter(_in_name(words), ~_starts(words))
        yield found.matching(words).exclude(_in_name(words))

    def count_by_kind(self) -> dict[int, int]:
        """The number of documents by content type id."""
        return dict(self.order_by().values_list("content_type").annotate(Count("pk")))


class SearchDocument(models.Model):
    """The folded name and text of one record. Every audited write updates it; `manage.py
    rebuild_search` rebuilds all."""

    content_type = models.ForeignKey("contenttypes.ContentType", on_delete=models.CASCADE)
    object_id = models.UUIDField()
    title = models.TextField()
    body = models.TextField()
    sort_key = models.TextField(help_text="Of the name: oegen.core.text.sort_key, cut short.")

    unaudited = "Derived from the records."

    objects = SearchQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["content_type", "object_id"], name="searchdocument_unique"
            )
        ]
        indexes = [
            models.Index(
                fields=["content_type", "sort_key", "object_id"], name="searchdocument_order"
            )
        ]

    def __str__(self):
        return self.title
