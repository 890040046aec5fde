from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from oegen.core.fields import choices_constraint
from oegen.jobs.kinds import KINDS, JobKind, label_of
from oegen.jobs.models.schedule import Schedule


class State(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (State.DONE, State.FAILED, State.CANCELLED)


class JobQuerySet(models.QuerySet["Job"]):
    def waiting(self) -> JobQuerySet:
        return self.filter(state=State.WAITING)

    def running(self) -> JobQuerySet:
        return self.filter(state=State.RUNNING)

    def unfinished(self) -> JobQuerySet:
        return self.exclude(state__in=ENDED)

    def due(self, queue: str, now: datetime) -> JobQuerySet:
        """What a worker may take: jobs whose time has come and those of a worker whose lease ran
        out, without those whose key another one runs with. The oldest first."""
        same_key = Job.objects.running().filter(key=OuterRef("key")).exclude(pk=OuterRef("pk"))
        free = Q(state=State.WAITING, run_after__lte=now)
        free |= Q(state=State.RUNNING, leased_until__lt=now)
        rows = self.filter(free, queue=queue, kind__in=KINDS)
        return rows.filter(Q(key="") | ~Exists(same_key)).order_by("run_after", "created_at")

    def visible_to(self, user) -> JobQuerySet:
        """A person's own jobs; all for those who may see every job."""
        return self if user.has_perm("oegen.view_job") else self.filter(person=user)


class Job(models.Model):
    """A piece of background work, as people see it.

    ``task`` is its entry in the queue of django-tasks: function, arguments, workers and, of a
    failure, the traceback. A running job belongs to the worker ``leased_to`` until
    ``leased_until``, which that worker extends; then another one may take it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.OneToOneField(
        "django_tasks_database.DBTaskResult", on_delete=models.CASCADE, related_name="job"
    )
    kind = models.CharField(max_length=40)
    queue = models.CharField(max_length=10)
    key = models.CharField(
        max_length=200, blank=True, help_text="Jobs with the same key never run at once."
    )
    title = models.CharField(max_length=300, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="jobs",
        verbose_name="asked for by",
    )
    schedule = models.ForeignKey(
        Schedule, null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs"
    )
    scheduled_for = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    run_after = models.DateTimeField("next try", default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_to = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    steps_done = models.PositiveIntegerField(default=0)
    steps_total = models.PositiveIntegerField(null=True, blank=True)
    note = models.CharField("progress", max_length=300, blank=True)
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    message = models.TextField("result", blank=True)
    error = models.TextField(blank=True)
    result: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField("asked for", default=timezone.now)
    started_at = models.DateTimeField("started", null=True, blank=True)
    ended_at = models.DateTimeField("ended", null=True, blank=True)

    unaudited = "Background work: each job says itself what became of it."

    objects = JobQuerySet.as_manager()

    class Meta:
        default_permissions = ("change", "view")
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["run_after"], condition=Q(state=State.WAITING), name="job_waiting"
            ),
            models.Index(fields=["person", "-created_at"], name="job_person"),
            models.Index(fields=["state", "ended_at"], name="job_state"),
        ]
        constraints = [
            choices_constraint("job", "state", State),
            models.UniqueConstraint(
                "key", condition=Q(state=State.RUNNING) & ~Q(key=""), name="job_key_runs_once"
            ),
            models.UniqueConstraint("schedule", "scheduled_for", name="job_scheduled_once"),
            models.CheckConstraint(
                condition=Q(
                    state=State.RUNNING, leased_until__isnull=False, leased_to__isnull=False
                )
                | ~Q(state=State.RUNNING) & Q(leased_until=None, leased_to=None),
                name="job_running_is_leased",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ENDED, ended_at__isnull=False)
                | ~Q(state__in=ENDED) & Q(ended_at=None),
                name="job_ended_has_time",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.label

    def get_absolute_url(self) -> str:
        return reverse("job", args=[self.pk])

    @property
    def label(self) -> str:
        return label_of(self.kind)

    @property
    def job_kind(self) -> JobKind:
        return KINDS[self.kind]

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    @property
    def percent(self) -> int | None:
        """How much is done, 0 to 100; None while the amount of work is unknown."""
        if not self.steps_total:
            return None
        return min(100, 100 * self.steps_done // self.steps_total)
