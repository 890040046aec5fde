from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import connection, models, router
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import capfirst

from oegen.audit import seals
from oegen.audit.choices import CREATED, NOT_YET_ENTERED
from oegen.audit.context import change_set
from oegen.audit.history import AuditTrail, HistoryRow, are_saves_collected, send_rows_written
from oegen.audit.pointers import protect_targets
from oegen.audit.querysets import AuditedQuerySet
from oegen.audit.questions import Question
from oegen.audit.signals import record_validating
from oegen.core import days
from oegen.core.exceptions import RuleBrokenError, StaleRecordError
from oegen.core.fields import clean_text, is_free_text, own_field, storage_error, text_error
from oegen.core.record_keys import Key

if TYPE_CHECKING:
    from oegen.audit.narrative.names import NameCache
    from oegen.audit.registry import Row
    from oegen.core.fields import AnyField


class AuditedModel(models.Model):
    """A business record: a UUID, a version for the edit guard, and history on every write.

    ``version`` counts the writes of the row, from 1. A save whose version is no longer the
    database's raises StaleRecordError and writes nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    modified_at = models.DateTimeField(default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    history = AuditTrail(
        bases=[HistoryRow],
        inherit=True,
        history_id_field=models.BigAutoField(),
    )
    objects = AuditedQuerySet.as_manager()

    #: Marks the audited models for oegen.audit.registry.
    is_audited = True

    #: Internal fields, which are never shown as a change.
    BOOKKEEPING: tuple[str, ...] = ("id", "created_at", "modified_at", "version")

    #: For a link model: the name of its foreign key to the record it belongs to.
    PARENT_FIELD = ""
    #: The permissions that setting or changing a field requires besides that for the record.
    FIELD_PERMISSIONS: ClassVar[Mapping[str, str]] = MappingProxyType({})
    #: The fields whose change on an existing record requires a reason; see ``needs_reason_for``.
    REASON_FIELDS: tuple[str, ...] = ()
    #: Whether this is the comment model: its ``text`` is about the record of its generic foreign
    #: key.
    IS_COMMENT = False
    #: Whether its changes appear in the list of latest changes.
    SHOW_IN_FEED = True

    #: Whether its rows are copies of another table's. They are written by code only, and neither
    #: undone nor restored.
    IS_COPY = False

    #: Whether its rows are written once: triggers refuse to change or remove them, and undoing the
    #: change set that wrote them leaves them.
    is_append_only = False
    #: Codenames of the permissions for it that each role has by itself.
    EVERY_ROLE_MAY: tuple[str, ...] = ()
    #: What the history says of a new record; empty: that it was added.
    CREATION_PHRASE = ""

    #: The text attributes that search indexes, the name first; empty: not searchable.
    SEARCH_FIELDS: tuple[str, ...] = ()
    #: The template for the details of a search result. Its context has ``record``, annotated by the
    #: queryset's ``with_search_facts``.
    SEARCH_FACTS_TEMPLATE = ""
    #: The position of the model among the groups of search results, lowest first.
    SEARCH_ORDER = 0

    #: Whether ``record_keys`` returns names or numbers that are compared with other records'.
    HAS_KEYS = False
    #: The fields that a record may take over from one that is merged into it; empty: records of
    #: this model can't be merged.
    MERGE_FIELDS: tuple[str, ...] = ()

    #: While a form validates a stored record: its values as they were read, by attribute. The rules
    #: of fields that have these values still are satisfied.
    values_read: Mapping[str, Any] = MappingProxyType({})

    #: During ``validate_constraints``: the names of checks that need not be evaluated (again).
    _skipped_checks: Collection[str] = ()

    #: During ``save`` of a stored record: its version before, which the UPDATE requires.
    _version_read: int | None = None

    #: During ``save``: whether the instance has values that are not being saved.
    has_unsaved_values = False

    if TYPE_CHECKING:

        def get_absolute_url(self) -> str:
            """The URL of the record's page. Only some models have one."""

    class Meta:
        abstract = True
        # Writes by Django itself, such as ``pipeline.facility_links.add(link)``, are audited too.
        base_manager_name = "objects"

    def save(self, *, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        if update_fields is not None and not update_fields:
            return
        created = self._state.adding and update_fields is None and not kwargs.get("force_update")
        self.round_numbers()
        self.clean_text_fields(update_fields)
        expressions, generated = self._computed_fields()
        self.has_unsaved_values = update_fields is not None or bool(expressions)
        with change_set(savepoint=not are_saves_collected()):
            if not created:
                self._version_read = self.version
                self.modified_at = timezone.now()
                self.version += 1
                if update_fields is not None:
                    update_fields = {*update_fields, "modified_at", "version"}
            try:
                super().save(update_fields=update_fields, **kwargs)
                if computed := expressions + generated:
                    self.refresh_from_db(fields=computed)
                self.send_rows_written([self], created=created, partly=self.has_unsaved_values)
            except Exception:
                if not created:
                    self.version -= 1
                raise
            finally:
                self._version_read = None
                self.has_unsaved_values = False

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Also clean the texts and check dates against oegen.core.days. A field whose value is
        unchanged is accepted, because older records may break a newer rule."""
        excluded = set(exclude or ())
        errors = {}
        included = {field.name for field in self._meta.concrete_fields} - excluded
        text_errors = self._clean_texts(included)
        try:
            super().clean_fields(excluded | set(text_errors) | self._known_targets())
        except ValidationError as error:
            errors = error.error_dict
        for field in days.day_fields(type(self)):
            day = getattr(self, field.attname)
            if day is None or field.name in errors or field.name in excluded:
                continue
            try:
                days.validate_day(day)
            except ValidationError as error:
                errors[field.name] = error.error_list
        if errors and not self._state.adding:
            stored = type(self)._base_manager.filter(pk=self.pk).values(*errors).first() or {}
            for name, value in stored.items():
                if value == getattr(self, own_field(type(self), name).attname):
                    del errors[name]
        errors |= {name: [ValidationError(message)] for name, message in text_errors.items()}
        if errors:
            raise ValidationError(errors)

    def _known_targets(self) -> set[str]:
        """The foreign keys whose record is loaded: no query has to find it. Should it be removed
        meanwhile, the database refuses the row."""
        return {
            field.name
            for field in self._meta.concrete_fields
            if isinstance(field, models.ForeignKey)
            and (target := self._state.fields_cache.get(field.name)) is not None
            and not target._state.adding
        }

    def round_numbers(self) -> None:
        """Round decimals as the database does, so that record, history and seal are equal."""
        for field in self._meta.concrete_fields:
            value = self.__dict__.get(field.attname)
            if isinstance(field, models.DecimalField) and isinstance(value, str | float | Decimal):
                setattr(self, field.attname, seals.to_scale(field.to_python(value), field))

    def clean_text_fields(self, names: Iterable[str] | None = None) -> None:
        """Clean the texts of all fields, or of those in ``names``, before they are written.

        Raises RuleBrokenError for a text that can't be stored.
        """
        for name, message in self._clean_texts(names).items():
            label = capfirst(own_field(type(self), name).verbose_name)
            raise RuleBrokenError(f"{label}: {message}")

    def _clean_texts(self, names: Iterable[str] | None = None) -> dict[str, str]:
        """Clean the texts; return error messages by field for those that can't be stored."""
        errors = {}
        for field in _free_text_fields(type(self)):
            value = self.__dict__.get(field.attname)
            if not isinstance(value, str) or (names is not None and field.name not in names):
                continue
            cleaned = clean_text(field, value)
            error = text_error(field, cleaned)
            if (cleaned == value and not error) or self.had_value(field, value):
                continue
            setattr(self, field.attname, cleaned)
            if error:
                errors[field.name] = error
        return errors

    def had_value(self, field: AnyField, value: str) -> bool:
        """Whether the field has or had exactly this value. Such a text is accepted unchanged, so
        that old records can be saved and restored whatever rules apply to new texts. A text that
        can't be stored at all is accepted only if it is the stored value."""
        if storage_error(value):
            stored = type(self)._base_manager.filter(pk=self.pk).values_list(field.attname)
            return bool(stored.first() == (value,))
        rows = type(self).history.filter(id=self.pk, **{field.attname: value})
        return bool(rows.exists())

    def _do_update(
        self,
        base_qs: models.QuerySet[Self],
        using: str | None,
        pk_val: Any,
        values: Collection[Any],
        update_fields: Iterable[str] | None,
        forced_update: bool,
    ) -> bool:
        """The UPDATE of ``save``, of the version that was read. Raises StaleRecordError if the
        database has a newer one."""
        if self._version_read is not None:
            base_qs = base_qs.filter(version=self._version_read)
        updated: bool = super()._do_update(
            base_qs, using, pk_val, values, update_fields, forced_update
        )
        if self._version_read is not None and not updated:
            raise StaleRecordError(self)
        return updated

    def _computed_fields(self) -> tuple[list[str], list[str]]:
        """The fields that the database computes: (set to an expression such as F("order") + 1,
        generated)."""
        expressions, generated = [], []
        for field in self._meta.concrete_fields:
            if field.generated:
                generated.append(field.name)
            elif hasattr(self.__dict__.get(field.attname), "resolve_expression"):
                expressions.append(field.name)
        return expressions, generated

    def assign_new_id(self) -> None:
        """Give the instance a new id, so that the next save creates another record."""
        self.pk = uuid.uuid4()
        self.version = 1
        self.created_at = self.modified_at = timezone.now()
        self._state.adding = True

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the record. Raises StaleRecordError if it was changed since it was read."""
        with change_set():
            self.lock([self.pk])
            if not type(self)._base_manager.filter(pk=self.pk, version=self.version).exists():
                raise StaleRecordError(self)
            protect_targets([self], [self.pk])
            return super().delete(*args, **kwargs)

    @property
    def is_not_yet_entered(self) -> bool:
        """On a past page: the record was created later and is included only because others refer
        to it (oegen.asof)."""
        return self.version == NOT_YET_ENTERED

    @classmethod
    def lock(cls, keys: Iterable[Any]) -> None:
        """Lock these records, and the rows that are deleted with them, until the end of the
        transaction, so that their last history rows are correct."""
        if not connection.features.has_select_for_update:
            return  # On SQLite the transaction locks the whole database.
        cascaded = [
            model.objects.filter(**{f"{name}__in": keys})
            for model, name in cls.link_models()
            if _foreign_key(model, name).remote_field.on_delete is models.CASCADE
        ]
        if hasattr(cls, "comments"):
            comments = cls.comments.rel.model
            subject = {"content_type": ContentType.objects.get_for_model(cls)}
            cascaded.append(comments.objects.filter(object_id__in=keys, **subject))
        for rows in (cls._base_manager.filter(pk__in=keys), *cascaded):
            list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))

    @classmethod
    def send_rows_written(
        cls, instances: Iterable[AuditedModel], *, created: bool, partly: bool = False
    ) -> None:
        """Send ``rows_written``. Every write except deletion calls this, in its transaction.

        ``partly``: the instances may have values that were not saved.
        """
        send_rows_written(cls, instances, created=created, partly=partly)

    def record_keys(self) -> Iterable[Key]:
        """The names and numbers to compare with other records', for a model that ``HAS_KEYS``."""
        return []

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Also check for duplicate names and numbers (oegen.search.keys)."""
        unchanged = self._unchanged_fields()
        if len(unchanged) == len(self._meta.concrete_fields):
            return
        self._skipped_checks = self._checks_to_skip(set(exclude or ()), unchanged)
        try:
            super().validate_constraints(exclude=exclude)
        finally:
            self._skipped_checks = ()
        record_validating.send(type(self), record=self, exclude=exclude or ())

    def get_constraints(self) -> list[tuple[type[models.Model], Sequence[models.BaseConstraint]]]:
        """Constraints for ``validate_constraints``, without the checks to skip."""
        return [
            (model, [one for one in constraints if one.name not in self._skipped_checks])
            for model, constraints in super().get_constraints()
        ]

    def _unchanged_fields(self) -> set[str]:
        return {
            field.name
            for field in self._meta.concrete_fields
            if field.attname in self.values_read
            and self.values_read[field.attname] == self.__dict__[field.attname]
        }

    def _checks_to_skip(self, excluded: set[str], unchanged: set[str]) -> set[str]:
        """The names of the check constraints that ``clean_fields`` has answered, because they list
        the choices of a field; of those over excluded fields, for which Django would build a query
        that it does not run; of those over unchanged fields; and of the others if they are
        satisfied."""
        checks = _checks_of(type(self))
        others = [
            check
            for check, names, lists_choices in checks
            if not (lists_choices or names & excluded or names <= unchanged)
        ]
        if self._are_satisfied(others, excluded):
            others = []
        return {check.name for check, _, _ in checks if check not in others}

    def _are_satisfied(self, checks: list[models.CheckConstraint], excluded: set[str]) -> bool:
        """Whether all these checks are satisfied, in one query; False if one can't be evaluated.
        Each is then evaluated in a query of its own, for its message."""
        if not checks:
            return True
        # As for Django, a check whose result is unknown is satisfied.
        are_satisfied = Q(
            *(
                Coalesce(Q(check.condition), True, output_field=models.BooleanField())
                for check in checks
            )
        )
        values = self._get_field_expression_map(meta=self._meta, exclude=excluded)  # type: ignore[attr-defined]
        database = router.db_for_write(type(self), instance=self)
        # Negated, because ``check`` is also true if the database can't evaluate the condition.
        return not (~are_satisfied).check(values, using=database)

    def needs_reason_for(self, changed: Collection[str]) -> list[str]:
        """Those of the changed fields of an existing record whose change requires a reason."""
        return [name for name in changed if name in self.REASON_FIELDS]

    def questions(self) -> list[Question]:
        """Questions about unusual values, which the user may confirm (oegen.audit.questions)."""
        return []

    def combined_with(self, other: Self) -> dict[str, Any] | None:
        """For a link model, when the records of two links are merged: field values that combine
        this link with ``other``; None if they can't be combined."""
        return None

    def result_page_record(self) -> AuditedModel:
        """The record to whose page a search result about this one links."""
        return self

    @classmethod
    def link_models(cls) -> Iterator[tuple[type[AuditedModel], str]]:
        """The audited models with a foreign key to this one, with the name of that key."""
        for relation in cls._meta.related_objects:
            model = relation.related_model
            if (
                isinstance(model, type)
                and issubclass(model, AuditedModel)
                and not relation.many_to_many
            ):
                yield model, relation.field.name

    def timeline_sources(self) -> list[models.QuerySet[Any]]:
        """Querysets of the history rows in this record's timeline: its own, those of its links
        and of its comments."""
        sources = [type(self).history.filter(id=self.pk)]
        for model, field in self.link_models():
            if model.PARENT_FIELD and model.SHOW_IN_FEED:
                sources.append(model.history.filter(**{field: self.pk}))
        if hasattr(self, "comments"):
            comments = type(self).comments.rel.model
            sources.append(
                comments.history.filter(
                    content_type=ContentType.objects.get_for_model(self), object_id=self.pk
                )
            )
        return sources

    @classmethod
    def entry_annotations(cls) -> dict[str, models.Subquery]:
        """Annotations for history rows that ``entry_note`` reads."""
        return {}

    @classmethod
    def entry_note(cls, row: Row) -> str:
        """A note to append to the phrase of a history row of this model; empty for none."""
        return ""

    @classmethod
    def name_field(cls) -> str:
        """The field with the record's name. Not for link models."""
        return cls.SEARCH_FIELDS[0] if cls.SEARCH_FIELDS else "name"

    @classmethod
    def parent_field(cls) -> models.ForeignKey[Any, Any] | None:
        """The foreign key of a link model to the record it belongs to; None for other models."""
        return _foreign_key(cls, cls.PARENT_FIELD) if cls.PARENT_FIELD else None

    @classmethod
    def parent_model(cls) -> type[AuditedModel]:
        """For a link model: the model of the record it belongs to."""
        model = _foreign_key(cls, cls.PARENT_FIELD).remote_field.model
        return cast("type[AuditedModel]", model)

    @classmethod
    def is_vocabulary(cls) -> bool:
        """Whether administrators set it up: a ReferenceModel, or links of one."""
        return bool(cls.PARENT_FIELD) and cls.parent_model().is_vocabulary()

    @classmethod
    def describe_link(cls, row: Row, names: NameCache) -> str:
        """Describe what a history row of this link model links to its parent.

        ``names.get(model, key)`` (oegen.audit.narrative.names) returns a record's name without a
        query.
        """
        raise TypeError(f"{cls.__name__} is no link model")

    @classmethod
    def link_phrase(cls, row: Row, names: NameCache) -> str:
        """The phrase for the creation or removal of a link."""
        action = "added" if row.history_type == CREATED else "removed"
        return f"{cls.describe_link(row, names)} {action}"


def _foreign_key(model: type[AuditedModel], name: str) -> models.ForeignKey[Any, Any]:
    return cast("models.ForeignKey[Any, Any]", model._meta.get_field(name))


@cache
def _checks_of(model: type[AuditedModel]) -> list[tuple[models.CheckConstraint, set[str], bool]]:
    """The check constraints, each with its fields and whether it lists the choices of its field."""
    return [
        (check, Q(check.condition).referenced_base_fields, _lists_choices(model, check))
        for check in model._meta.constraints
        if isinstance(check, models.CheckConstraint)
    ]


def _lists_choices(model: type[AuditedModel], check: models.CheckConstraint) -> bool:
    """Whether the check says that a field has one of its choices, or none if it may be blank."""
    match getattr(check.condition, "children", ()):
        case [(str(lookup), [*values])] if lookup.endswith("__in"):
            field = own_field(model, lookup.removesuffix("__in"))
            known = {value for value, _ in field.flatchoices} | ({""} if field.blank else set())
            return bool(field.choices) and known <= set(values)
    return False


@cache
def _free_text_fields(model: type[AuditedModel]) -> list[AnyField]:
    """The fields that are cleaned; none for a copy, which must equal its original."""
    if model.IS_COPY:
        return []
    return [field for field in model._meta.concrete_fields if is_free_text(field)]
