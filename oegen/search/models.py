from django.db import models
from django.db.models import Case, Count, IntegerField, Q, Value, When


class SortKey(models.Model):
    """How a name sorts (oegen.search.ordering): one row for each name that there is or ever was."""

    text = models.TextField()
    key = models.TextField()

    unaudited = "Derived from the records' names."

    class Meta:
        constraints = [models.UniqueConstraint(fields=["text"], name="sortkey_unique")]

    def __str__(self):
        return self.text


class RecordKey(models.Model):
    """A name, another name or a register's number of a record, in the form in which it is
    compared (oegen.search.keys). Kept up by every audited write, and the same at every day: as-of
    pages read today's.

    ``number`` is 0 where no other record of the kind may have the key, null where others may.
    Records that had the same key before that was a rule have 1, 2 and so on.
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


class SearchQuerySet(models.QuerySet):
    """Queries of documents; words come folded (oegen.core.folding)."""

    def matching(self, words: list[str]):
        """Every word somewhere in the record's text; "%" and "_" mean themselves."""
        found = self
        # The longest word rules out most: the database stops at the first that is missing.
        for word in sorted(words, key=len, reverse=True):
            found = found.filter(body__contains=word)
        return found

    def best_first(self, words: list[str]):
        """Names that start with the words, then names that contain them all, then the rest."""
        in_name = Q(*(Q(title__contains=word) for word in words))
        rank = Case(
            When(title__startswith=" ".join(words), then=Value(0)),
            When(in_name, then=Value(1)),
            default=Value(2),
            output_field=IntegerField(),
        )
        return self.order_by(rank, "title", "object_id")

    def count_by_kind(self) -> dict[int, int]:
        """The number of documents by the id of their content type."""
        return dict(self.order_by().values_list("content_type").annotate(Count("pk")))


class SearchDocument(models.Model):
    """What search knows of one record: its name and all of its words, folded (no accents, no
    case). Kept up by every audited write; rebuilt whole by `manage.py rebuild_search`."""

    content_type = models.ForeignKey("contenttypes.ContentType", on_delete=models.CASCADE)
    object_id = models.UUIDField()
    title = models.TextField()
    body = models.TextField()

    unaudited = "Derived from the records."

    objects = SearchQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["content_type", "object_id"], name="searchdocument_unique"
            )
        ]

    def __str__(self):
        return self.title
