"""What imports keep: how a file is read, which record a row of a source is, and each import."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from oegen.audit.audited import AuditedModel
from oegen.audit.querysets import AuditedQuerySet
from oegen.core.constraints import name_present
from oegen.core.fields import LineField, choices_constraint
from oegen.imports.tables.uploads import upload_path


class ImportMapping(models.Model):
    """How the columns of a file are read, under a name, for next month's file.

    ``contents`` is what ``oegen.imports.tables.mapping.Mapping`` writes.
    """

    name = LineField(max_length=80)
    kind = models.CharField(max_length=40)
    contents = models.JSONField(default=dict)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    changed_at = models.DateTimeField(auto_now=True)

    unaudited = "Each import keeps the mapping that it used."

    class Meta:
        ordering = ["name"]
        constraints = [
            name_present("importmapping"),
            models.UniqueConstraint(
                "kind",
                Lower("name"),
                name="importmapping_unique",
                violation_error_message="There is a mapping of this name already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExternalReferenceQuerySet(AuditedQuerySet):
    def of_records(self, model: type[models.Model], keys: list[Any]) -> ExternalReferenceQuerySet:
        content_type = ContentType.objects.get_for_model(model)
        return self.filter(content_type=content_type, object_id__in=keys)


class ExternalReference(AuditedModel):
    """The key by which a source, such as a public register, knows one of our records.

    It is removed with the record (oegen.imports.tables.receivers).
    """

    source = LineField(max_length=80)
    key = LineField(max_length=200)
    content_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, editable=False)
    object_id = models.UUIDField(editable=False)
    record = GenericForeignKey("content_type", "object_id")

    objects: ClassVar = ExternalReferenceQuerySet.as_manager()

    SHOW_IN_FEED = False
    SEARCH_FIELDS: tuple[str, ...] = ()

    class Meta:
        verbose_name = "external reference"
        ordering = ["source", "key"]
        indexes = [
            models.Index(fields=["content_type", "object_id"], name="externalreference_record")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "content_type", "key"],
                name="externalreference_unique",
                violation_error_message="Another record has this reference already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.key}"

    @classmethod
    def name_field(cls) -> str:
        return "key"


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", "Uploaded"
    PLANNED = "planned", "Previewed"
    APPLIED = "applied", "Applied"
    UNDONE = "undone", "Undone"


class TableImport(models.Model):
    """The import of one file: what it holds is previewed, decided and applied.

    ``mapping`` is the one that is used, whatever becomes of the named one; ``choices`` are the
    answers to questions, by key. ``result`` has the counts of the last preview, the digest of its
    plan, and what was undone. ``change_sets`` are the ids of those written, in their order: one for
    each slice. The file lies in a private folder, and is deleted seven days after it was uploaded.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="table_imports",
    )
    kind = models.CharField(max_length=40)
    file_name = models.CharField(max_length=255)
    sheet = models.CharField(max_length=80, blank=True)
    header_row = models.PositiveIntegerField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    mapping = models.JSONField(default=dict)
    choices = models.JSONField(default=dict)
    only_right_rows = models.BooleanField(
        default=False, help_text="Apply the rows that are right although others are refused."
    )
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.UPLOADED)
    result = models.JSONField(default=dict)
    change_sets = models.JSONField(default=list)
    job = models.ForeignKey(
        "oegen.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    applied_at = models.DateTimeField(null=True, blank=True)

    unaudited = "What it wrote is in its change sets."

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["person", "-created_at"], name="tableimport_person")]
        constraints = [choices_constraint("tableimport", "state", ImportState)]

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return reverse("import", args=[self.pk])

    @property
    def inputs(self) -> str:
        """A digest of what a preview depends on besides the file and the records: how it is read,
        what was answered, and which parts are written."""
        known = [self.sheet, self.header_row, self.mapping, self.choices, self.change_sets]
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()

    @property
    def is_outdated(self) -> bool:
        """Whether columns or answers were changed since the preview, or a part was written."""
        return self.result.get("inputs") != self.inputs

    @property
    def refused(self) -> int:
        """The rows that the last preview would not import: wrong, in conflict, or in question."""
        counts = self.result["counts"]
        return int(counts["refused"] + counts["conflicting"])

    @property
    def path(self) -> Path:
        """The uploaded file, while it is kept."""
        return upload_path(self.pk)

    @property
    def columns_path(self) -> Path:
        """What its columns hold, as SampledTable keeps it."""
        return settings.IMPORT_FILES_DIR / f"{self.pk}.columns"

    @property
    def plan_path(self) -> Path:
        """What pages show of the last preview (``preview_file``)."""
        return settings.IMPORT_FILES_DIR / f"{self.pk}.plan"
