"""Change sets, the unit of the audit trail."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

from oegen.audit.choices import Source
from oegen.audit.registry import history_model, tracked_models
from oegen.core import clock
from oegen.core.compiled import compiled
from oegen.core.sql import adapted, fetch

if TYPE_CHECKING:
    from oegen.audit.questions import Question

#: Answered questions that a change set stores in full; further ones are only counted.
MAX_ANSWERS = 1000

#: The sources of change sets whose rows may be dated before these were recorded: those of program
#: code. What people write in forms and tables is dated when they write it.
DATE_ROWS = (Source.CODE, Source.COMMAND, Source.IMPORT, Source.MIGRATION, Source.SAMPLE)


def key_of(record: models.Model) -> str:
    return f"{record._meta.label_lower}:{record.pk}"


def newest_seal(tables: Iterable[str] | None = None) -> str | None:
    """What changes with every write or, given names of history models such as
    "pipelines.historicalpipeline", with every write to one of these: a part of cache keys."""
    for (seal,) in _newest_seal(None if tables is None else tuple(tables)):
        return str(seal)
    return None


@compiled
def _newest_seal(tables: tuple[str, ...] | None) -> models.QuerySet[Any]:
    found = ChangeSet.objects.order_by("-number")
    if tables is not None:
        found = found.filter(contents__has_any_keys=tables)
    return found.values_list("seal")[:1]


def seals_before(moment: datetime, sources: Iterable[Source] = (Source.MIGRATION,)) -> list[str]:
    """What changes with every change set that was recorded before that moment, or sealed before it,
    or is of one of the sources, which are of ``DATE_ROWS``: a part of cache keys."""
    table = ChangeSet._meta.db_table
    among = ", ".join(f"'{source}'" for source in sources)
    found = fetch(
        f"""
        SELECT seal FROM (
            SELECT seal FROM {table}
            WHERE sealed_at < %s ORDER BY sealed_at DESC, number DESC LIMIT 1
        ) AS sealed_before
        UNION ALL SELECT seal FROM (
            SELECT seal FROM {table}
            WHERE ({sealed_late(connection.vendor)}) AND sealed_at >= %s
            AND (source IN ({among}) OR recorded_at < %s)
            ORDER BY number DESC LIMIT 1
        ) AS sealed_late
        UNION ALL SELECT seal FROM (
            -- By an expression: for the column, PostgreSQL would go through all change sets.
            SELECT seal FROM {table}
            WHERE recorded_at >= %s AND recorded_at < %s AND sealed_at >= %s
            ORDER BY number + 0 DESC LIMIT 1
        ) AS sealed_shortly_after
        """,  # noqa: S608 - no user input
        adapted(moment, moment, moment, moment - timedelta(days=1), moment, moment),
    )
    return [seal for (seal,) in found]


def sealed_late(vendor: str) -> str:
    """The SQL condition on change sets that may change what was known more than a day before they
    were sealed. They have an index (``install_indexes``), because nearly all others don't."""
    among = ", ".join(f"'{source}'" for source in DATE_ROWS)
    if vendor == "postgresql":
        later = "sealed_at - recorded_at > INTERVAL '1 day'"
    else:
        later = "julianday(sealed_at) - julianday(recorded_at) > 1"
    return f"source IN ({among}) OR {later}"


def author_of(person: str, token_name: str) -> str:
    """Who wrote something. ``person`` is empty for the system, ``token_name`` without a token."""
    return f"{person or 'The system'}{f', by token {token_name}' if token_name else ''}"


class ChangeSetQuerySet(models.QuerySet["ChangeSet"]):
    def recorded(self) -> Self:
        """Change sets recorded up to the effective day, and those of migrations. Rows on a past
        page may belong to later change sets, if those are back-dated."""
        if not clock.past_day():
            return self
        return self.filter(Q(recorded_at__lt=clock.now()) | Q(source=Source.MIGRATION))

    def in_feed(self) -> Self:
        """Change sets ``for_feed`` that were recorded up to the effective day."""
        found = self.for_feed()
        # Not ``recorded()``, which also selects migrations: no index has both.
        return found.filter(recorded_at__lt=clock.now()) if clock.past_day() else found

    def for_feed(self) -> Self:
        """Change sets for the list of latest changes: without migrations and without those that
        changed accounts and groups only."""
        tables = [
            history_model(model)._meta.label_lower
            for model in tracked_models()
            if not model.IS_COPY
        ]
        return self.exclude(source=Source.MIGRATION).filter(contents__has_any_keys=tables)


class ChangeSet(models.Model):
    """The writes of one action: a form, an import, a bulk edit, a command."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="change_sets",
        help_text="Empty when program code ran without a signed-in person.",
    )
    reason = models.TextField(blank=True)
    source = models.CharField(max_length=20, choices=Source)
    recorded_at = models.DateTimeField(default=timezone.now, db_index=True)
    undoes = models.ForeignKey(
        "self",
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="undone_by",
        help_text="The change set that this one took back.",
    )
    number = models.PositiveBigIntegerField(
        unique=True, editable=False, help_text="Its place in the chain of seals, from 1."
    )
    sealed_at = models.DateTimeField(
        editable=False, help_text="When it was numbered, at the end of its transaction."
    )
    contents = models.JSONField(
        editable=False,
        help_text="By history table: the number of its rows and the hash of their digests.",
    )
    seal = models.CharField(max_length=64, editable=False)
    details = models.JSONField(
        null=True,
        editable=False,
        help_text="What else it says: “asked”, the questions that were answered with “save "
        "anyway”; “merged”, the records that were merged, by the one that took them in.",
    )
    seal_format = models.PositiveSmallIntegerField(
        null=True,
        editable=False,
        help_text="What the seal covers; empty is 1, see oegen.audit.seals.",
    )
    person_username = models.CharField(
        max_length=150, blank=True, editable=False, help_text="The person's, as it was then."
    )
    person_name = models.CharField(
        max_length=301, blank=True, editable=False, help_text="The person's, as it was then."
    )
    #: Not a foreign key: tokens belong to a higher layer.
    token = models.UUIDField(
        null=True, editable=False, help_text="The access token by which it was written, if by one."
    )
    token_name = models.CharField(
        max_length=80, blank=True, editable=False, help_text="The token's, as it was then."
    )

    objects = ChangeSetQuerySet.as_manager()

    unaudited = "It is part of the history."
    is_append_only = True

    # While the change set is open: whether its rows are back-dated, the time of its rows if they
    # have one in common, and the connection of its transaction (oegen.audit.change_set).
    back_dated = False
    rows_at: datetime | None = None
    connection = None

    class Meta:
        ordering = ["-recorded_at"]
        indexes = [models.Index(fields=["sealed_at"], name="change_set_sealed")]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: While it was open: the keys of the records of which it has rows, by their history model.
        self.written: dict[Any, set[Any]] = {}
        self._answered: list[tuple[models.Model, Question]] = []
        self._answered_beyond = 0
        self._merged: dict[str, str] = {}
        #: Keys by kind, for the receivers of ``change_set_closing`` (see ``queue_for_closing``).
        self.queued_for_closing: dict[Any, set[Any]] = {}

    def row_date(self) -> datetime:
        """The date of a history row that is written into the open change set now."""
        return self.recorded_at if self.back_dated else self.rows_at or timezone.now()

    def note_written(self, history: type[models.Model], keys: Iterable[Any]) -> None:
        self.written.setdefault(history, set()).update(keys)

    @property
    def has_rows(self) -> bool:
        return bool(self.written)

    def add_answer(self, record: models.Model, question: Question) -> None:
        """Record that a question about a record was answered with "save anyway"."""
        if len(self._answered) < MAX_ANSWERS:
            # The record, not its key, which may not be assigned before it is saved.
            self._answered.append((record, question))
        else:
            self._answered_beyond += 1

    def add_merge(self, survivor: models.Model, merged: models.Model) -> None:
        """Record that ``merged`` was merged into ``survivor``."""
        self._merged[key_of(merged)] = str(survivor.pk)

    def set_details(self) -> None:
        """Store the recorded answers and mergers in ``details``."""
        details: dict[str, Any] = {}
        if self._answered:
            details["asked"] = [
                {
                    "record": key_of(record),
                    "field": question.fields[0],
                    "kind": question.kind,
                    "text": question.text,
                }
                for record, question in self._answered
            ]
        if self._answered_beyond:
            details["asked_beyond"] = self._answered_beyond
        if self._merged:
            details["merged"] = self._merged
        self.details = details or None

    @property
    def answers(self) -> list[dict[str, str]]:
        """The answered questions, with “record” (“app.model:id”), “field”, “kind” and “text”."""
        asked: list[dict[str, str]] = (self.details or {}).get("asked", [])
        return asked

    @property
    def answer_count(self) -> int:
        """The number of answers, including those that are not stored in full."""
        return len(self.answers) + int((self.details or {}).get("asked_beyond", 0))

    @property
    def mergers(self) -> dict[str, str]:
        """The ids of the survivors by the merged record (“app.model:id”)."""
        merged: dict[str, str] = (self.details or {}).get("merged", {})
        return merged

    def survivor_of(self, merged: models.Model) -> str | None:
        """The id of the record into which ``merged`` was merged in this change set, if it was."""
        return self.mergers.get(key_of(merged))

    @property
    def author(self) -> str:
        """The person and the token: “Priya Shah, by token Forecast”."""
        return author_of(str(self.person) if self.person_id else "", self.token_name)

    def __str__(self) -> str:
        who = author_of(str(self.person) if self.person_id else "the system", self.token_name)
        when = timezone.localtime(self.recorded_at)
        return f"{self.get_source_display()} by {who}, {when:%-d %b %Y, %H:%M}"
