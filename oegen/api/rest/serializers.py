"""The shape of records in the API, derived from their models.

A record has its fields under the names of the model, with units; ``url``, ``version`` and
``last_change``. Decimals are strings, rows of reference tables are given by their code, other
records by their id. Rules that take more than one field are the model's (``full_clean``), so that
the API says the same sentences as the forms.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.functional import cached_property
from django.utils.text import capfirst
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.relations import PrimaryKeyRelatedField, SlugRelatedField
from rest_framework.reverse import reverse

from oegen.audit.audited import AuditedModel
from oegen.audit.reference import ReferenceModel
from oegen.core.days import INVALID_DAY
from oegen.core.fields import REASON_LIMIT

#: The fields of a body that are not fields of the record.
OPTIONS = ("reason", "save_anyway")

LAST_CHANGE = {
    "type": ["object", "null"],
    "required": ["change_set", "at"],
    "properties": {
        "change_set": {"type": "integer", "description": "Its number."},
        "at": {"type": "string", "format": "date-time"},
    },
    "description": "The change set that wrote this version; null of records from an import of "
    "somebody else's history.",
}


class CodeField(SlugRelatedField):
    """A row of a reference table, by its code."""

    default_error_messages = {
        "does_not_exist": "There is no “{value}” here: give the code of one that exists.",
        "invalid": "Give a code, such as “design”.",
    }

    def __init__(self, **kwargs):
        super().__init__(slug_field="code", **kwargs)

    def to_internal_value(self, data):
        # PostgreSQL takes no null character, not even to look for it.
        if not isinstance(data, str) or "\x00" in data:
            self.fail("invalid")
        return super().to_internal_value(data)


class KeyField(PrimaryKeyRelatedField):
    """Another record, by its id."""

    default_error_messages = {
        "does_not_exist": "There is no record {pk_value}.",
        "incorrect_type": "Give an id.",
    }


@extend_schema_field({"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2})?$"})
class LocalTimeField(serializers.TimeField):
    """A time of day in the site's zone. JSON schema's “time” would have an offset."""


class RecordSerializer(serializers.ModelSerializer):
    """The base of all records' serializers; ``Meta.model`` is all that a subclass has to give.

    ``NAMES`` maps fields of the model to other names, such as those with a unit. ``READ_ONLY`` are
    fields that the API does not write; ``PERSONAL`` are declared fields that are left out unless
    the token may read personal data.
    """

    NAMES: dict[str, str] = {}
    READ_ONLY: frozenset[str] = frozenset()
    PERSONAL: frozenset[str] = frozenset()

    url = serializers.SerializerMethodField(help_text="Where this record is.")
    last_change = serializers.SerializerMethodField()
    reason = serializers.CharField(
        write_only=True,
        required=False,
        allow_blank=True,
        max_length=REASON_LIMIT,
        help_text="Why. Kept in the history; some changes require it.",
    )
    save_anyway = serializers.ListField(
        child=serializers.CharField(max_length=100),
        write_only=True,
        required=False,
        max_length=100,
        help_text="The `confirm` keys of questions that an earlier answer asked.",
    )

    serializer_related_field = KeyField
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.TimeField: LocalTimeField,
    }

    def get_field_names(self, declared_fields, info):
        model: type[AuditedModel] = self.Meta.model
        own = [
            self.NAMES.get(field.name, field.name)
            for field in model._meta.concrete_fields
            if field.name not in model.BOOKKEEPING
        ]
        more = [name for name in declared_fields if name not in ("url", "last_change")]
        return ["id", "url", *own, *more, "created_at", "modified_at", "version", "last_change"]

    def get_extra_kwargs(self):
        model: type[AuditedModel] = self.Meta.model
        found: dict[str, dict[str, Any]] = {
            name: {"read_only": True} for name in ("id", "created_at", "modified_at", "version")
        }
        for field in model._meta.concrete_fields:
            name = self.NAMES.get(field.name, field.name)
            if name != field.name:
                found.setdefault(name, {})["source"] = field.name
            if field.name in self.READ_ONLY or not field.editable:
                found.setdefault(name, {})["read_only"] = True
        return found

    def build_field(self, field_name, info, model_class, nested_depth):
        names = {name: field for field, name in self.NAMES.items()}
        return super().build_field(
            names.get(field_name, field_name), info, model_class, nested_depth
        )

    def build_standard_field(self, field_name, model_field):
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        # The model's own say more, in the words of the forms.
        for name in ("validators", "min_value", "max_value"):
            kwargs.pop(name, None)
        return field_class, kwargs

    def build_relational_field(self, field_name, relation_info):
        field_class, kwargs = super().build_relational_field(field_name, relation_info)
        if issubclass(relation_info.related_model, ReferenceModel):
            field_class = CodeField
            kwargs.pop("pk_field", None)
        return field_class, kwargs

    def get_validators(self):
        """None: the model's own rules say more (see oegen.people.writing)."""
        return []

    @cached_property
    def fields(self):
        fields = super().fields
        for field in fields.values():
            _set_error_messages(field)
        return fields

    def get_fields(self):
        fields = super().get_fields()
        if not self.context.get("may_read_personal", True):
            for name in self.PERSONAL:
                fields.pop(name, None)
        return fields

    def to_internal_value(self, data):
        """Refuse unknown fields: a mistyped name must not be ignored."""
        if isinstance(data, dict):
            known = {name for name, field in self.fields.items() if not field.read_only}
            fixed = self.fields.keys() - known
            wrong = {
                name: "This field can't be written."
                if name in fixed
                else f"There is no field “{name}” here."
                for name in data
                if name not in known
            }
            if wrong:
                raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, record) -> str:
        return reverse(
            f"api-{self.context['route']}-detail", args=[record.pk], request=self.context["request"]
        )

    @extend_schema_field(LAST_CHANGE)
    def get_last_change(self, record):
        number = getattr(record, "last_change_number", None)
        return number and {"change_set": number, "at": record.modified_at}


def _set_error_messages(field: serializers.Field) -> None:
    """Replace the framework's messages by those of the forms."""
    if field.read_only:
        return
    label = str(field.label or field.source or field.field_name or "value").replace("_", " ")
    label = label if label.isupper() else label[:1].lower() + label[1:]
    empty = f"Give the {label}: it can't be empty."
    messages = dict.fromkeys(("required", "null", "blank"), empty)
    match field:
        case serializers.DateField():
            messages |= dict.fromkeys(("invalid", "datetime"), INVALID_DAY)
        case serializers.DecimalField() | serializers.FloatField():
            messages["invalid"] = "Give a number, such as 12.5."
        case serializers.IntegerField():
            messages["invalid"] = "Give a whole number, such as 40."
        case serializers.BooleanField():
            messages["invalid"] = "Give true or false."
        case serializers.ChoiceField():
            codes = ", ".join(str(code) for code in field.choices if code)
            messages["invalid_choice"] = f"“{{input}}” is none of {codes}: choose one of these."
    field.error_messages.update(messages)


def serializer_for(
    model_class: type[models.Model], base: type[RecordSerializer] = RecordSerializer, **attributes
) -> type[RecordSerializer]:
    """A serializer for a model that needs nothing but the attributes."""
    meta = type("Meta", (), {"model": model_class})
    name = f"{model_class.__name__}Serializer"
    doc = capfirst(str(model_class._meta.verbose_name))
    return type(name, (base,), {"Meta": meta, "__doc__": doc, **attributes})


class PersonNameField(serializers.CharField):
    """The name of a user, read only. Personal data: see ``RecordSerializer.PERSONAL``."""

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "read_only": True})
