from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

from oegen.audit.audited import AuditedModel
from oegen.core.constraints import name_present
from oegen.core.fields import ProseField


class Comment(AuditedModel):
    """A comment on a business record. It is removed with the record; its history stays."""

    content_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, editable=False)
    object_id = models.UUIDField(editable=False)
    subject = GenericForeignKey("content_type", "object_id")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="comments",
    )
    text = ProseField("comment")

    IS_COMMENT = True
    SEARCH_FIELDS = ("text",)
    SEARCH_ORDER = 6

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["content_type", "object_id"])]
        constraints = [name_present("comment", "text")]

    def result_page_record(self):
        return self.subject

    def __str__(self):
        return self.text if len(self.text) <= 60 else f"{self.text[:59]}…"
