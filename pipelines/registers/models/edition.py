from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID, uuid4

from django.db import connection, models
from django.db.models.expressions import RawSQL

from oegen import asof
from oegen.core import clock, sql
from oegen.core.fields import LineField, own_field
from oegen.models import AuditedModel
from pipelines.registers.models.register import Register


class Edition(AuditedModel):
    """An edition of a register that is kept here; it is the one entry of its change set.

    What it said of each project is in the sightings of its ``contents``. These stay when the
    edition is removed or gets other contents, so that it can be restored: what counts are the
    contents of the editions that are there.
    """

    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="editions")
    date = models.DateField("edition", help_text="The day up to which it is said to be.")
    contents = models.UUIDField(default=uuid4, editable=False)
    file_name = LineField(max_length=255, editable=False)
    file_digest = models.CharField(max_length=64, editable=False)
    source_url = models.URLField(max_length=500, blank=True, editable=False)
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_modified = models.CharField(max_length=60, blank=True, editable=False)
    rows = models.PositiveIntegerField("projects", default=0)
    rejected = models.PositiveIntegerField(default=0)
    summary = LineField(max_length=400, blank=True, editable=False)

    SHOW_IN_FEED = False
    SEARCH_FIELDS: tuple[str, ...] = ()

    class Meta:
        verbose_name = "edition of a register"
        verbose_name_plural = "editions of registers"
        ordering = ["register", "-date"]
        constraints = [
            models.UniqueConstraint(
                fields=["register", "date"],
                name="edition_unique",
                violation_error_message="This edition of the register is here already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.register}, {self.date:%d %b %Y}"

    @property
    def rejected_rows(self) -> models.QuerySet[Reject]:
        return self.rejects.filter(contents=self.contents)

    @classmethod
    def name_field(cls) -> str:
        return "file_name"


class Sighting(models.Model):
    """That the contents of an edition have a state of a project."""

    id = models.BigAutoField(primary_key=True)
    contents = models.UUIDField()
    state = models.ForeignKey(
        "registers.RegisterState",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="sightings",
    )
    row = models.PositiveIntegerField(help_text="The line in the edition's file.")

    unaudited = "The rows of a publisher's file, written with its edition, which is audited."

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["contents", "state"], name="sighting_unique"),
        ]

    def __str__(self) -> str:
        return f"line {self.row}"


class Reject(models.Model):
    """A row of an edition that is no project, with the reason and what it says."""

    id = models.BigAutoField(primary_key=True)
    edition = models.ForeignKey(
        Edition, on_delete=models.DO_NOTHING, db_constraint=False, related_name="rejects"
    )
    contents = models.UUIDField(editable=False)
    row = models.PositiveIntegerField("line")
    reason = models.TextField()
    text = models.TextField(help_text="What the row says, cut short.")

    unaudited = "The rows of a publisher's file, written with its edition, which is audited."

    ADMINISTRATORS_MAY: ClassVar = ("view",)
    MAX_TEXT = 500

    class Meta:
        verbose_name = "rejected row"
        default_permissions = ("view",)
        ordering = ["edition", "row"]

    def __str__(self) -> str:
        return f"line {self.row}"


def registers_with_editions() -> models.QuerySet[Register]:
    """The registers of which an edition is here, on a past page one up to that day, whenever it was
    fetched."""
    table, day = asof.stored_table(Edition), clock.past_day()
    until = f"WHERE date <= {sql.date_literal(day)}" if day else ""
    keys = RawSQL(f"SELECT register_id FROM {table} {until}", ())  # noqa: S608, S611 - SQL of ours
    return Register.objects.filter(pk__in=keys)


def stored_editions(register: Register, until: date | None = None) -> list[tuple[UUID, date]]:
    """The contents and days of the register's editions that are here, the oldest first, on a past
    page also those that were fetched later: what a register said on a day depends on the date of
    its editions."""
    table = asof.stored_table(Edition)
    key = own_field(Edition, "register").get_db_prep_value(register.pk, connection)
    rows = sql.fetch(
        f"SELECT contents, date FROM {table} WHERE register_id = %s ORDER BY date",  # noqa: S608
        (key,),
    )
    found = [(sql.uuid_of(pk), sql.date_of(day)) for pk, day in rows]
    return [(pk, day) for pk, day in found if until is None or day <= until]
