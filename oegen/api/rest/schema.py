"""The description of records (OpenAPI): what all of them have in common."""

from __future__ import annotations

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
)
from rest_framework import serializers

from oegen.api.rest import dry_run, idempotency
from oegen.api.rest.bulk import BulkAnswerSerializer, BulkSerializer
from oegen.api.rest.entries import EntrySerializer
from oegen.api.rest.problems import CONTENT_TYPE
from oegen.api.rest.viewsets import AS_OF, IF_MATCH, REASON_HEADER


class ErrorSerializer(serializers.Serializer):
    field = serializers.CharField(help_text="Where; empty: the request as a whole.")
    message = serializers.CharField()
    confirm = serializers.CharField(
        required=False, help_text="Of a question: the key that confirms it in `save_anyway`."
    )


class ProblemSerializer(serializers.Serializer):
    """A refusal, as RFC 9457 has it."""

    type = serializers.CharField(help_text="`urn:oegen:problem:` and its kind.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="A sentence for people.")
    errors = ErrorSerializer(many=True, required=False)
    changes = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="Of 412: who changed what since the version that was sent.",
    )
    operations = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="Of `bulk`: the problem of each operation that can't be done.",
    )


REASON = OpenApiParameter(
    REASON_HEADER, str, OpenApiParameter.HEADER, description="Why, for the history."
)
IDEMPOTENCY_KEY = OpenApiParameter(
    idempotency.HEADER,
    {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    OpenApiParameter.HEADER,
    description="A key of this request's own: sent again with it, it is answered again and not "
    "done again, for 48 hours.",
)
DRY_RUN = OpenApiParameter(
    dry_run.PARAMETER,
    str,
    enum=["1"],
    description="Try it, answer with the difference value by value, and take it back.",
)


class DryRunSerializer(serializers.Serializer):
    """What a write would change."""

    dry_run = serializers.BooleanField()
    changes = EntrySerializer(many=True)


#: What each method may be answered with besides its success.
PROBLEMS = {
    "list": (400, 401, 403, 429, 503),
    "retrieve": (400, 401, 403, 404, 429, 503),
    "create": (400, 401, 403, 409, 415, 422, 429, 503),
    "partial_update": (400, 401, 403, 404, 409, 412, 415, 422, 428, 429, 503),
    "destroy": (400, 401, 403, 404, 409, 412, 422, 428, 429, 503),
    "bulk": (400, 401, 403, 409, 415, 422, 429, 503),
}


#: What each method does to a record, and how.
DOES = {
    "list": "List {many}",
    "retrieve": "Read one {one}",
    "create": "Add one {one}",
    "partial_update": "Change one {one}",
    "destroy": "Remove one {one}",
    "bulk": "Add, change and remove many {many}",
}
DETAILS = {
    "list": "In the order of their ids; filters are those of the page.",
    "create": "The rules, questions and permissions of the forms apply.",
    "partial_update": "Fields that are left out stay as they are. If nothing differs, nothing is "
    "written.",
    "destroy": "The history stays, and it can be restored from there.",
    "bulk": "All operations in one change set, or none: the refusal says which can't be done.",
}


def share_problems(result, generator, request, public):
    """drf-spectacular's POSTPROCESSING_HOOKS: describe the refusals once, not with each method."""
    problems = {
        "Problem": {
            "description": "Refused: why, in words, and what is wrong where.",
            "content": {
                CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}},
            },
        }
    }
    result["components"]["responses"] = problems
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if CONTENT_TYPE in response.get("content", {}):
                    operation["responses"][status] = {"$ref": "#/components/responses/Problem"}
    return result


class RecordSchema(AutoSchema):
    """Describes what all records have in common: the past day, versions, reasons and problems."""

    def get_tags(self):
        route = getattr(self.view, "route", "")
        return [route] if route else super().get_tags()

    def get_operation_id(self):
        route = getattr(self.view, "route", "")
        if not route:
            return super().get_operation_id()
        names = {"partial_update": "change", "destroy": "remove", "retrieve": "read"}
        action = names.get(self.view.action, self.view.action)
        return f"{action}_{route.replace('-', '_')}"

    def get_summary(self):
        sentence = DOES.get(getattr(self.view, "action", ""))
        if sentence is None:
            return super().get_summary()
        meta = self.view.model._meta
        return sentence.format(one=meta.verbose_name, many=meta.verbose_name_plural)

    def get_description(self):
        return DETAILS.get(getattr(self.view, "action", ""), "")

    def get_override_parameters(self):
        action = getattr(self.view, "action", "")
        if action in ("list", "retrieve"):
            return [AS_OF]
        if action not in PROBLEMS:
            return []
        versions = [IF_MATCH] if action in ("partial_update", "destroy") else []
        reasons = [REASON] if action == "destroy" else []
        return [*versions, *reasons, IDEMPOTENCY_KEY, DRY_RUN]

    def get_response_serializers(self):
        action = getattr(self.view, "action", "")
        if action not in PROBLEMS:
            return super().get_response_serializers()
        bodies = {"destroy": None, "bulk": BulkAnswerSerializer}
        body = bodies[action] if action in bodies else self._get_serializer()
        success = {"create": 201, "destroy": 204}.get(action, 200)
        done: dict[int, OpenApiResponse] = {success: OpenApiResponse(body, description="Done.")}
        if action in ("create", "destroy"):
            done[200] = OpenApiResponse(DryRunSerializer, description="Tried, and taken back.")
        elif action in ("partial_update", "bulk"):
            name = "Bulk" if action == "bulk" else self.view.model.__name__
            either = PolymorphicProxySerializer(
                component_name=f"{name}Or",
                serializers=[body, DryRunSerializer],
                resource_type_field_name=None,
            )
            done[200] = OpenApiResponse(either, description="Done; or tried, and taken back.")
        return {
            **done,
            **{
                (status, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, description="Refused.")
                for status in PROBLEMS[action]
            },
        }

    def get_request_serializer(self):
        if getattr(self.view, "action", "") == "bulk":
            return BulkSerializer
        return super().get_request_serializer()

    def _is_list_view(self, serializer=None):
        if isinstance(serializer, ProblemSerializer) or serializer is ProblemSerializer:
            return False
        return super()._is_list_view(serializer)
