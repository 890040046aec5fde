"""Many writes to records of one kind as one change set: all of them or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import ProtectedError
from django.http import Http404
from rest_framework import exceptions, serializers

from oegen import audit
from oegen.core.exceptions import StaleRecordError
from oegen.core.fields import REASON_LIMIT
from oegen.people import writing

if TYPE_CHECKING:
    from oegen.api.rest.viewsets import RecordViewSet

MAX_OPERATIONS = 1_000

#: What an operation does, with the permission for it.
PERMISSIONS = {"create": "add", "change": "change", "remove": "delete"}

#: Refusals after which the others can still be tried, because nothing was written.
REFUSALS = (
    ValidationError,
    exceptions.APIException,
    StaleRecordError,
    Http404,
    PermissionDenied,
    ProtectedError,
)


class OperationSerializer(serializers.Serializer):
    do = serializers.ChoiceField(list(PERMISSIONS))
    id = serializers.UUIDField(required=False, help_text="Of `change` and `remove`.")
    version = serializers.IntegerField(
        required=False, min_value=1, help_text="Of `change` and `remove`: the one that was read."
    )
    values = serializers.DictField(
        required=False, help_text="Of `create` and `change`: fields as the record has them."
    )

    def validate(self, attrs):
        if attrs["do"] != "create":
            missing = [name for name in ("id", "version") if name not in attrs]
            if missing:
                raise serializers.ValidationError(dict.fromkeys(missing, "Give it, too."))
        return attrs


class BulkSerializer(serializers.Serializer):
    """Operations on records of one kind, done in their order, in one change set."""

    operations = OperationSerializer(many=True, max_length=MAX_OPERATIONS, min_length=1)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=REASON_LIMIT)
    save_anyway = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=10_000
    )


class BulkResultSerializer(serializers.Serializer):
    operation = serializers.IntegerField(help_text="Its place, from 0.")
    id = serializers.UUIDField()
    version = serializers.IntegerField(allow_null=True, help_text="Null of a removed record.")


class BulkAnswerSerializer(serializers.Serializer):
    results = BulkResultSerializer(many=True)


class BulkRefusedError(Exception):
    """Operations that can't be done, by their place; none of the others is."""

    def __init__(self, refused: dict[int, Exception], number: int):
        super().__init__()
        self.refused = refused
        self.number = number


def apply(view: RecordViewSet, data: dict[str, Any]) -> list[dict[str, Any]]:
    """Do the operations of a valid BulkSerializer; returns the results. Raises BulkRefusedError."""
    refused: dict[int, Exception] = {}
    results = []
    reason = data.get("reason", "")
    options = {"reason": reason, "save_anyway": data.get("save_anyway", ())}
    with audit.change_set(person=view.person, reason=reason, source=audit.Source.API):
        for place, operation in enumerate(data["operations"]):
            try:
                record = _apply_one(view, operation, options)
            except REFUSALS as error:
                refused[place] = error
                continue
            key = record.pk if record else operation["id"]
            version = record.version if record else None
            results.append({"operation": place, "id": key, "version": version})
        if refused:
            raise BulkRefusedError(refused, len(data["operations"]))
    return results


def _apply_one(view: RecordViewSet, operation: dict[str, Any], options: dict[str, Any]) -> Any:
    """The record that was written; None if it was removed."""
    action = operation["do"]
    view.require(action, PERMISSIONS[action])
    if action == "create":
        record = view.model()
        values = view.parse(operation.get("values", {}), partial=False)
        writing.create(record, values, person=view.person, prepare=view.prepare, **options)
        return record
    key, version = view.get_object_to_write(operation["id"]).pk, operation["version"]
    if action == "remove":
        reason = options["reason"]
        writing.remove(view.model, key, version=version, person=view.person, reason=reason)
        return None
    values = view.parse(operation.get("values", {}), partial=True)
    return writing.change(
        view.model,
        key,
        values,
        version=version,
        person=view.person,
        prepare=view.prepare,
        **options,
    )
