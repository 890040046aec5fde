"""Committee reports that were frozen."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse

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
