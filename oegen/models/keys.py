from django.db import models


class SortKey(models.Model):
    """How a name sorts (oegen.ordering): one row for each name that there is or ever was."""

    text = models.TextField()
    key = models.TextField()

    unaudited = "Derived from the records' names."

    class Meta:
        constraints = [models.UniqueConstraint(fields=["text"], name="sortkey_unique")]

    def __str__(self):
        return self.text


class RecordKey(models.Model):
    """A name, another name or a register's number of a record, in the form in which it is
    compared (oegen.keys). Kept up by every audited write, and the same at every day: as-of pages
    read today's.

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
