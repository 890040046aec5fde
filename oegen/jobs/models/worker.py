from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import models
from django.utils import timezone

#: How often a worker says that it is alive, and when it counts as gone.
BEAT = timedelta(seconds=10)
GONE_AFTER = timedelta(minutes=1)


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self) -> WorkerQuerySet:
        return self.filter(seen_at__gte=timezone.now() - GONE_AFTER)


class Worker(models.Model):
    """A process of ``manage.py work``; it removes its row when it ends in order."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(max_length=255)
    process = models.PositiveIntegerField()
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    unaudited = "A sign of life."

    objects = WorkerQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["started_at"]

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}"
