from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone

#: How long an answer is kept for a repetition of its request.
KEPT_FOR = timedelta(hours=48)


class AnsweredRequest(models.Model):
    """The answer to a write with an Idempotency-Key, stored in the transaction of what it wrote.

    ``status`` is empty while the first request with the key is being answered.
    """

    owner = models.CharField(max_length=60, help_text="The token, or else the person.")
    key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64, help_text="Of method, address and body.")
    status = models.PositiveSmallIntegerField(null=True)
    headers: models.JSONField[Any, Any] = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    unaudited = "An answer that was given once and may be asked for again."

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint("owner", "key", name="answeredrequest_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.owner}: {self.key}"
