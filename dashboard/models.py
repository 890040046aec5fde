"""Committee reports that were frozen, questions that were asked, and runs of the warehouse."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from dashboard.ask.findings import PLACEHOLDER
from oegen.core.fields import LineField, ProseField
from oegen.models import AuditedModel


class FrozenReport(AuditedModel):
    """A committee report as it was at one moment: written once, and never changed or removed."""

    name = LineField("title", max_length=120)
    note = ProseField(blank=True)
    day = models.DateField(help_text="The day that the figures are of.")
    since = models.DateField(help_text="The day that they are compared with.")
    query = models.TextField(
        blank=True, editable=False, help_text="The filters, as in the address of the report."
    )
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    open_mw = models.DecimalField("open MW", max_digits=15, decimal_places=3)
    red_mw = models.DecimalField("red MW", max_digits=15, decimal_places=3)
    format = models.PositiveSmallIntegerField(
        editable=False, help_text="The format of the content, see dashboard.report_content."
    )
    content = models.JSONField(editable=False, help_text="All that the report shows.")
    data_number = models.PositiveBigIntegerField(
        editable=False, help_text="The number of the newest change set that the figures contain."
    )
    data_seal = models.CharField(
        max_length=64, editable=False, help_text="The seal of that change set."
    )

    is_append_only = True
    BOOKKEEPING = (*AuditedModel.BOOKKEEPING, "content")
    EVERY_ROLE_MAY = ("freeze_report",)
    CREATION_PHRASE = "frozen"

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        default_permissions: ClassVar = ()
        permissions: ClassVar = [("freeze_report", "Can freeze the committee report")]

    def __str__(self) -> str:
        return str(self.name)

    def get_absolute_url(self) -> str:
        return reverse("frozen-report", args=[self.pk])


#: 13 months: a question of a year ago can still be compared with.
QUESTIONS_KEPT_FOR = timedelta(days=396)


class AskedQuestion(models.Model):
    """A question and all that became of it, for administrators.

    ``lookups`` are those that were made, with their arguments, and for one that was refused why;
    ``figures`` what they found, by reference, as ``dashboard.ask.findings.item_json`` has it;
    ``sentences`` the answer with placeholders, ``written`` the same before the check of prose added
    what they left unsaid; ``dropped`` the sentences that failed it, with the reason.
    """

    class Via(models.TextChoices):
        PAGE = "page", "A page"
        PROGRAM = "program", "A program, with an access token"

    class Thumbs(models.TextChoices):
        UP = "up", "Helpful"
        DOWN = "down", "Not helpful"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.UUIDField(default=uuid.uuid4, db_index=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="Empty after the account was removed.",
    )
    via = models.CharField(max_length=10, choices=Via, default=Via.PAGE)
    question = models.TextField()
    page = models.TextField(blank=True, help_text="The address that it was asked on.")
    day = models.DateField(null=True, help_text="The past day of the page; empty: that day's own.")
    reading = models.JSONField(default=dict, help_text="How the grammar read it.")
    lookups: models.JSONField[Any, Any] = models.JSONField(default=list)
    figures: models.JSONField[Any, Any] = models.JSONField(default=dict)
    sentences: models.JSONField[Any, Any] = models.JSONField("answer", default=list)
    written: models.JSONField[Any, Any] = models.JSONField("as the model wrote it", default=list)
    dropped: models.JSONField[Any, Any] = models.JSONField("sentences left out", default=list)
    refusal = models.TextField(blank=True)
    answered_by = models.CharField(
        max_length=200, blank=True, help_text="“grammar”, or the model; empty: nothing answered."
    )
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    milliseconds = models.PositiveIntegerField("ms", default=0)
    thumbs = models.CharField(max_length=4, choices=Thumbs, blank=True)
    created_at = models.DateTimeField("asked", default=timezone.now, db_index=True)

    unaudited = "It says itself what was asked and answered; nothing of it changes but the thumbs."
    ADMINISTRATORS_MAY = ("view",)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        verbose_name = "asked question"
        default_permissions = ("view",)
        indexes: ClassVar = [models.Index(fields=["person", "created_at"])]

    def __str__(self) -> str:
        return str(self.question)

    def get_absolute_url(self) -> str:
        return reverse("asked", args=[self.pk])

    @property
    def answer(self) -> str:
        """The answer as it was shown, as plain text."""
        return " ".join(fill(text, self.figures) for text in self.sentences) or self.refusal

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


class WarehouseRun(models.Model):
    """A sync or a check of the warehouse that WAREHOUSE names, for administrators.

    ``change_set`` is the newest that the tables contained afterwards. ``tables`` are those of a
    sync, as [name, rows]; ``days`` and ``figures`` the numbers of those that a
    check compared, with its ``differences`` as sentences. ``problem`` says why it failed.
    """

    class Kind(models.TextChoices):
        SYNC = "sync", "Sync"
        CHECK = "check", "Check"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind)
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    change_set = models.PositiveBigIntegerField(null=True)
    tables: models.JSONField[Any, Any] = models.JSONField(default=list)
    days = models.PositiveIntegerField(default=0)
    figures = models.PositiveIntegerField(default=0)
    differences: models.JSONField[Any, Any] = models.JSONField(default=list)
    problem = models.TextField(blank=True)

    unaudited = "It says when a copy of the history was written or checked, and no more."
    ADMINISTRATORS_MAY = ("view",)

    class Meta:
        ordering: ClassVar = ["-began_at", "-pk"]
        verbose_name = "run of the warehouse"
        verbose_name_plural = "runs of the warehouse"
        default_permissions = ("view",)
        indexes: ClassVar = [models.Index(fields=["kind", "-began_at"])]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.began_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("warehouse")


def fill(sentence: str, found: dict[str, Any]) -> str:
    """The sentence with its placeholders filled, as plain text; ``found`` by reference as
    ``dashboard.ask.findings.item_json`` has it."""

    def text_of(match: re.Match[str]) -> str:
        one = found[match[1]]
        return str(one["name"] if one["type"] == "record" else one["text"])

    return PLACEHOLDER.sub(text_of, sentence)
