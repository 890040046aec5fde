from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from oegen.audit.changesets import ChangeSet


class NoticeQuerySet(models.QuerySet):
    def unread(self):
        return self.filter(read_at=None)

    def mark_read(self) -> int:
        return self.unread().update(read_at=timezone.now())


class Notice(models.Model):
    """A message to a user on the site, written in the transaction of the change that it is about.

    ``payload`` is its content as of the change, as for an Alert.
    """

    unique_key = models.CharField(max_length=200, unique=True, editable=False)
    event = models.CharField(max_length=40)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices"
    )
    change_set = models.ForeignKey(
        ChangeSet, null=True, blank=True, on_delete=models.PROTECT, related_name="notices"
    )
    payload = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    unaudited = "A message to one person; what it tells of has its own history."

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["recipient"], condition=Q(read_at=None), name="notice_unread"),
        ]

    def __str__(self):
        return self.payload.get("title", self.unique_key)

    @property
    def url(self) -> str:
        """The URL that the notice links to; empty for a summary with neither a change set nor a
        list."""
        if self.payload["kind"] == "summary":
            listed: str = self.payload.get("url", "")
            return f"/audit/{self.change_set.number}/" if self.change_set else listed
        anchor = self.payload.get("anchor")
        return f"{self.payload['url']}#{anchor}" if anchor else self.payload["url"]
