from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from oegen.models.audited import name_present
from oegen.querysets import SearchQuerySet


class ListPreference(models.Model):
    """How a person likes to see one list: the columns in their order, the rows on a page."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="list_preferences"
    )
    list_name = models.CharField(max_length=40)
    columns = models.JSONField(default=list, help_text="Column names; empty: the list's own.")
    page_size = models.PositiveSmallIntegerField(null=True)

    unaudited = "A person's own settings."

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "list_name"], name="listpreference_unique")
        ]

    def __str__(self):
        return f"{self.list_name} as {self.user} likes it"


class SavedView(models.Model):
    """A list's filters, order and columns under a name; ``query`` is the address's query text."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    list_name = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    query = models.TextField(blank=True)
    is_shared = models.BooleanField("shared with everybody", default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    unaudited = "A person's own settings."

    class Meta:
        ordering = ["name"]
        constraints = [
            name_present("savedview"),
            models.UniqueConstraint(
                "owner",
                "list_name",
                Lower("name"),
                name="savedview_unique",
                violation_error_message="You have a view of this name already.",
            ),
        ]

    def __str__(self):
        return self.name


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
