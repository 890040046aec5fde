from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self

from django.db import connection, models
from django.db.models import F
from django.utils import timezone
from django.utils.text import capfirst

from oegen.audit.choices import BATCH_SIZE, CHANGED, CREATED, NOT_YET_ENTERED
from oegen.audit.context import change_set
from oegen.audit.history import removals_together, write_history_rows
from oegen.audit.pointers import protect_targets
from oegen.core import bulk, clock
from oegen.core.exceptions import RuleBrokenError, StaleRecordError
from oegen.core.fields import clean_text, is_free_text, stored_text_error, text_error

if TYPE_CHECKING:
    from oegen.audit.audited import AuditedModel
    from oegen.core.fields import AnyField


class AuditedQuerySet(models.QuerySet[Any]):
    """A queryset whose bulk writes record history in the same transaction.

    Rows are updated and recorded in batches; only their keys are held in memory all at once.
    """

    def recorded(self) -> Self:
        """On a past page, exclude records that were created later (oegen.asof)."""
        return self.exclude(version=NOT_YET_ENTERED) if clock.past_day() else self

    def update(self, **kwargs: Any) -> int:
        """Also increment each row's version and write its history row.

        Raises ValueError for the key and the version, by which history identifies a row.
        """
        model = self.model
        if fixed := {"pk", "id", "version"} & kwargs.keys():
            raise ValueError(
                f"{model.__name__}: update can't write {' or '.join(sorted(fixed))}, because the "
                "history of a record goes by it."
            )
        kwargs, computed = self._clean_texts(kwargs)
        with change_set():
            versions = self._lock()
            keys = list(versions)
            updated = 0
            for start in range(0, len(keys), BATCH_SIZE):
                batch = keys[start : start + BATCH_SIZE]
                updated += super(AuditedQuerySet, self.filter(pk__in=batch)).update(
                    **{"modified_at": timezone.now(), "version": F("version") + 1, **kwargs}
                )
                rows = model._base_manager.using(self.db).filter(pk__in=batch)
                # Skip rows that were not updated, because an earlier batch took them out of
                # the filter.
                rows = [row for row in rows if row.version != versions[row.pk]]
                if computed:
                    _check_texts(rows, computed)
                write_history_rows(rows, CHANGED)
                model.send_rows_written(rows, created=False)
        return updated

    def _clean_texts(self, values: dict[str, Any]) -> tuple[dict[str, Any], list[AnyField]]:
        """The values with their texts cleaned, and the text fields that the database computes.

        Raises RuleBrokenError for a text that can't be stored.
        """
        cleaned = dict(values)
        computed: list[AnyField] = []
        for name, value in values.items():
            field = self.model._meta.get_field(name)
            if self.model.IS_COPY or not is_free_text(field):
                continue
            if hasattr(value, "resolve_expression"):
                computed.append(field)
            elif isinstance(value, str):
                cleaned[name] = clean_text(field, value)
                if error := text_error(field, cleaned[name]):
                    raise RuleBrokenError(f"{capfirst(field.verbose_name)}: {error}")
        return cleaned, computed

    def _lock(self) -> dict[Any, int]:
        """Lock the rows, in the order of their keys, until the end of the transaction; returns
        their versions by key."""
        rows: models.QuerySet[Any] = models.QuerySet(self.model, using=self.db).order_by("pk")
        rows = rows.select_for_update(of=("self",), no_key=True)
        return dict(rows.filter(pk__in=self.order_by().values("pk")).values_list("pk", "version"))

    # Django reads these attributes from the methods; mypy allows none on a function.
    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(  # type: ignore[override]  # unsupported arguments raise ValueError
        self,
        objs: Iterable[Any],
        batch_size: int | None = None,
        *,
        history_type: str | Callable[[AuditedModel], str] = CREATED,
        **kwargs: Any,
    ) -> list[Any]:
        """Also write a history row for each object.

        ``history_type`` may be a function of the object, for imports of records whose past is in
        the history already.

        Raises ValueError for ``ignore_conflicts`` and ``update_conflicts``: the database does not
        report which rows it wrote, so their history could not be recorded.
        """
        if kwargs.get("ignore_conflicts") or kwargs.get("update_conflicts"):
            raise ValueError(
                f"{self.model.__name__}: bulk_create can't ignore or update conflicts, because "
                "the history of the rows could not be recorded. Look the rows up first."
            )
        objs = list(objs)
        for obj in objs:
            obj.round_numbers()
            obj.clean_text_fields()
        # As Django does it, without a savepoint: SQLite inserts several times as slowly in one.
        with change_set(savepoint=False):
            if any(_is_computed(obj) for obj in objs):
                super().bulk_create(objs, batch_size=batch_size or BATCH_SIZE)
            else:
                self._insert_all(objs, batch_size or BATCH_SIZE)
            write_history_rows(objs, history_type)
            self.model.send_rows_written(objs, created=True)
        return objs

    def _insert_all(self, objs: list[Any], batch_size: int) -> None:
        """Insert objects with values only, several times as fast as Django."""
        for start in range(0, len(objs), batch_size):
            bulk.insert(self.model, objs[start : start + batch_size], using=self.db)
        for obj in objs:
            obj._state.adding, obj._state.db = False, self.db

    def bulk_update(
        self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None
    ) -> int:
        """Also set the new version on the objects. Django calls ``update``, which writes history.

        Raises StaleRecordError if one was changed or removed since it was read.
        """
        objs = list(objs)
        for obj in objs:
            obj.clean_text_fields(fields)
        with change_set():
            versions: dict[Any, int] = {}
            for start in range(0, len(objs), BATCH_SIZE):
                batch = [obj.pk for obj in objs[start : start + BATCH_SIZE]]
                versions |= self.filter(pk__in=batch)._lock()
            for obj in objs:
                if versions.get(obj.pk) != obj.version:
                    raise StaleRecordError(obj)
            updated = super().bulk_update(objs, fields, batch_size=batch_size or BATCH_SIZE)
        for obj in objs:
            obj.version += 1
        return updated

    bulk_update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        """Record every deleted row, including cascades, in one change set."""
        with removals_together():
            keys = list(self.order_by().values_list("pk", flat=True))
            self.model.lock(keys)
            locked = self.filter(pk__in=keys) if connection.features.has_select_for_update else self
            protect_targets(locked, keys)
            return super(AuditedQuerySet, locked).delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def with_search_facts(self) -> Self:
        """Annotate or prefetch what SEARCH_FACTS_TEMPLATE shows, in a fixed number of queries."""
        return self

    def _raw_delete(self, using: str | None) -> int:
        raise TypeError(
            f"{self.model.__name__}: _raw_delete would leave no history. Call delete()."
        )


def _is_computed(obj: AuditedModel) -> bool:
    """Whether the database computes some of its values, so that they have to be read back."""
    return any(
        field.generated or hasattr(obj.__dict__.get(field.attname), "resolve_expression")
        for field in obj._meta.concrete_fields
    )


def _check_texts(rows: list[Any], fields: list[AnyField]) -> None:
    """Raise RuleBrokenError if the database computed a text that is not clean."""
    for row in rows:
        for field in fields:
            value = getattr(row, field.attname)
            if value is None:
                continue
            unclean = "It has white space or signs that can't be kept."
            error = stored_text_error(field, value, if_unclean=unclean)
            if error and not row.had_value(field, value):
                raise RuleBrokenError(f"{capfirst(field.verbose_name)}: {error}")
