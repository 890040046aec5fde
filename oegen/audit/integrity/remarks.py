"""Remarks of ``manage.py audit_check``, which do not make it fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import F, Min, OuterRef, Subquery
from django.utils.text import capfirst

from oegen import audit
from oegen.audit import day_rules
from oegen.audit.audited import AuditedModel
from oegen.audit.day_rules import impossible_days
from oegen.core.fields import is_free_text, stored_text_error
from oegen.core.triggers import registered_triggers

#: The number of records in memory at a time.
CHUNK = 500


Remarks = Callable[[], Iterator[str]]

#: Registered by higher layers.
_registered: list[Remarks] = []


def register_remarks(find: Remarks) -> Remarks:
    _registered.append(find)
    return find


def remarks() -> Iterator[str]:
    """All remarks, in sentences."""
    for find in (early_references, impossible_days, broken_rules, unclean_texts, *_registered):
        yield from find()


def early_references() -> Iterator[str]:
    """Records that others refer to before their own first entry: an import may date links earlier
    than the linked records. Past pages show such records as first entered."""
    for model in audit.tracked_models():
        referenced: dict[Any, datetime] = {}
        for other, name in model.link_models():
            for key, when in _early_references(model, other, name):
                referenced[key] = min(when, referenced.get(key, when))
        entries = model.history.filter(id__in=referenced).order_by("-history_date", "-history_id")
        first = {row.id: row for row in entries}
        for key, when in referenced.items():
            noun = str(model._meta.verbose_name).capitalize()
            yield (
                f"{noun} “{first[key].instance}” ({key}) was entered on "
                f"{first[key].history_date:%Y-%m-%d}, and other records refer to it from "
                f"{when:%Y-%m-%d} on; pages of the days between show it as it was entered"
            )


def broken_rules() -> Iterator[str]:
    """Rows that violate a trigger's rule from before it existed. The date range has a separate
    remark (oegen.audit.day_rules)."""
    day_triggers = {rule.name for rule in day_rules.triggers()}
    for rule in registered_triggers():
        if not rule.columns or rule.name in day_triggers:
            continue
        model = next(one for one in audit.tracked_models() if one._meta.db_table == rule.table)
        rows = model._base_manager.raw(
            f"SELECT NEW.* FROM {rule.table} AS NEW WHERE {rule.condition} ORDER BY NEW.id"  # noqa: S608
        )
        for row in rows:
            noun = str(model._meta.verbose_name).capitalize()
            yield f"{noun} “{row}” ({row.pk}) breaks a rule that is newer: {rule.message}"


def unclean_texts() -> Iterator[str]:
    """Stored texts that current rules would refuse or clean: too long, blank, not an LEI, or with
    superfluous white space or characters."""
    for model in audit.tracked_models():
        fields = [] if model.IS_COPY else [*filter(is_free_text, model._meta.concrete_fields)]
        if not fields:
            continue
        for record in model._base_manager.order_by("pk").iterator(chunk_size=CHUNK):
            for field in fields:
                text = getattr(record, field.attname)
                if text is None:
                    continue
                unclean = "It has white space or signs that are cleaned today"
                if error := stored_text_error(field, text, if_unclean=unclean):
                    noun = capfirst(model._meta.verbose_name)
                    yield f"{noun} “{record}” ({record.pk}), {field.verbose_name}: {error}"


def _early_references(
    model: type[AuditedModel], other: type[AuditedModel], name: str
) -> Iterable[tuple[Any, datetime]]:
    """(key, earliest reference) of each record that the other model's foreign key refers to before
    its first entry. Records created by migrations count as having always existed."""
    entries = model.history.filter(id=OuterRef(f"{name}_id")).order_by()
    since_ever = model.history.filter(change_set__source=audit.Source.MIGRATION)
    rows = other.history.order_by().annotate(
        entered=Subquery(entries.values("id").annotate(first=Min("history_date")).values("first"))
    )
    early = rows.filter(history_date__lt=F("entered")).exclude(
        **{f"{name}__in": since_ever.order_by().values("id")}
    )
    found: Iterable[tuple[Any, datetime]] = early.values_list(f"{name}_id").annotate(
        Min("history_date")
    )
    return found
