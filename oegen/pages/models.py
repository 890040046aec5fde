from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from oegen.core.constraints import name_present


class ListPreference(models.Model):
    """A user's preferences for one list: the columns, in order, and the page size."""

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
    """A named set of a list's filters, order and columns; ``query`` is the query string.

    Its owner may share it with everybody or with the members of a role, at the time they look.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    list_name = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    query = models.TextField(blank=True)
    is_shared = models.BooleanField("shared with everybody", default=False)
    shared_with = models.ForeignKey(
        Group, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    unaudited = "A person's own settings."

    class Meta:
        ordering = ["name"]
        permissions = [("remove_shared_view", "Can remove views that others share")]
        constraints = [
            name_present("savedview"),
            models.UniqueConstraint(
                "owner",
                "list_name",
                Lower("name"),
                name="savedview_unique",
                violation_error_message="You have a view of this name already.",
            ),
            models.CheckConstraint(
                condition=Q(is_shared=False) | Q(shared_with=None), name="savedview_shared_once"
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def share(self) -> str:
        """With whom it is shared: one of oegen.pages.preferences.SHARING."""
        if self.is_shared:
            return "everybody"
        return self.shared_with.name if self.shared_with else ""


class HiddenView(models.Model):
    """A view that others share and this user does not want to see."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="hidden_views"
    )
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="hidden_by")

    unaudited = "A person's own settings."

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "view"], name="hiddenview_unique")]

    def __str__(self):
        return f"{self.view}, hidden by {self.user}"


class Heartbeat(models.Model):
    """The single row that /healthz writes, to check that the database is writable."""

    written_at = models.DateTimeField()

    unaudited = "It tells nothing but that it could be written."

    def __str__(self):
        return str(self.written_at)
