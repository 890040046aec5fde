"""Pointers: references to records whose model is defined in a higher application.

A foreign key would make the lower application depend on the higher one's tables. A pointer is a
plain UUID column; the higher application registers its model in ``AppConfig.ready``::

    register_target(AlertRule, "technology", Technology)

It is used like a foreign key: ``rule.technology`` is the record and ``rule.technology_id`` its
key. Referential integrity is enforced by oegen.audit.pointers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

#: The target models, by the label of the model with the pointer and the name of its field.
_targets: dict[tuple[str, str], type[models.Model]] = {}


def register_target(model: type[models.Model], name: str, target: type[models.Model]) -> None:
    _targets[model._meta.label_lower, name] = target


class PointerField(models.UUIDField):  # type: ignore[type-arg]
    """The key of a record, or null; its column and attribute end in ``_id``."""

    def get_attname(self) -> str:
        return f"{self.name}_id"

    def contribute_to_class(
        self, cls: type[models.Model], name: str, private_only: bool = False
    ) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, name, property(self._get_record, self._set_record))

    @property
    def target(self) -> type[models.Model] | None:
        """The registered target model, also for the field of a history model."""
        model = getattr(self.model, "instance_type", self.model)
        return _targets.get((model._meta.label_lower, self.name))

    def _get_record(self, instance: models.Model) -> models.Model | None:
        key = getattr(instance, self.attname)
        if key is None or self.target is None:
            return None
        cached = instance._state.fields_cache.get(self.name)
        if cached is None or cached.pk != key:
            cached = self.target._base_manager.filter(pk=key).first()
            instance._state.fields_cache[self.name] = cached
        return cached

    def _set_record(self, instance: models.Model, value: Any) -> None:
        """Accepts a record or its key."""
        setattr(instance, self.attname, getattr(value, "pk", value))

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(getattr(value, "pk", value))

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if value is None or self.target is None:
            return
        if not self.target._base_manager.filter(pk=value).exists():
            raise ValidationError(
                models.ForeignKey.default_error_messages["invalid"],
                code="invalid",
                params={"model": self.target._meta.verbose_name, "field": "id", "value": value},
            )

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        if self.target is None:
            return super().formfield(**kwargs)
        choices: dict[str, Any] = {
            "form_class": forms.ModelChoiceField,
            "queryset": self.target._default_manager.all(),
        }
        return super().formfield(**(choices | kwargs))


def target_of(field: models.Field[Any, Any]) -> type[models.Model] | None:
    """The model that a foreign key or pointer refers to; None for other fields."""
    if isinstance(field, models.ForeignKey):
        return field.remote_field.model
    return field.target if isinstance(field, PointerField) else None


def pointers_of(model: type[models.Model]) -> list[PointerField]:
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, PointerField) and field.target
    ]


def pointers_to(target: type[models.Model]) -> list[PointerField]:
    return [
        apps.get_model(label)._meta.get_field(name)
        for (label, name), model in _targets.items()
        if model is target
    ]


def rows_pointing_to(target: type[models.Model], keys: Iterable[Any]) -> Iterator[models.Model]:
    keys = list(keys)
    for field in pointers_to(target):
        yield from field.model._base_manager.filter(**{f"{field.name}__in": keys}).order_by("pk")
