"""The framework's own records in the API: comments, alert rules, schedules."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from oegen import audit
from oegen.alerts import mentions
from oegen.alerts.models import AlertRule
from oegen.api.rest.filters import filterset_for
from oegen.api.rest.registry import register
from oegen.api.rest.serializers import RecordSerializer, serializer_for
from oegen.api.rest.viewsets import RecordViewSet
from oegen.audit.audited import AuditedModel
from oegen.jobs.models import Schedule
from oegen.pages.comments import may_correct
from oegen.people.comments import Comment


def commented_models() -> dict[str, type[AuditedModel]]:
    """The models whose records people comment on, by their name."""
    return {
        str(model._meta.model_name): model
        for model in audit.tracked_models()
        if hasattr(model, "comments")
    }


@extend_schema_field({"type": "string", "examples": ["pipeline"]})
class RecordTypeField(serializers.Field):
    """The kind of record that a comment is about, by its name, such as “pipeline”."""

    default_error_messages = {"unknown": "Nobody comments on “{value}”; there are: {known}."}

    def to_representation(self, value: ContentType) -> str:
        return value.model

    def to_internal_value(self, data: Any) -> ContentType:
        known = commented_models()
        if data not in known:
            self.fail("unknown", value=str(data)[:40], known=", ".join(sorted(known)))
        return ContentType.objects.get_for_model(known[data])


class CommentSerializer(RecordSerializer):
    """A comment on a record."""

    record_type = RecordTypeField(source="content_type")
    record = serializers.UUIDField(source="object_id")

    READ_ONLY = frozenset({"author"})

    class Meta:
        model = Comment

    def get_field_names(self, declared_fields, info):
        names = super().get_field_names(declared_fields, info)
        return [name for name in names if name not in ("content_type", "object_id")]

    def validate(self, attrs):
        target = attrs.get("content_type")
        if target and not target.get_all_objects_for_this_type(pk=attrs["object_id"]).exists():
            raise serializers.ValidationError(
                {"record": f"There is no {target.name} {attrs['object_id']}."}
            )
        return attrs


class CommentViewSet(RecordViewSet):
    """Comments. Authors correct and remove their own, administrators all."""

    queryset = Comment.objects.select_related("content_type")
    serializer_class = CommentSerializer
    is_personal = True

    def prepare(self, record, changed):
        comment: Comment = record
        if comment._state.adding:
            comment.author = self.request.user
        elif {"content_type", "object_id"} & changed:
            raise ValidationError({"record": "A comment stays with its record: add another one."})
        mentions.check_mentions(comment.text)

    def get_object_to_write(self, key):
        comment = cast("Comment", super().get_object_to_write(key))
        if not may_correct(self.request.user, comment):
            raise PermissionDenied("Only its author and administrators change a comment.")
        return comment


class AlertRuleViewSet(RecordViewSet):
    queryset = AlertRule.objects.all()
    serializer_class = serializer_for(AlertRule)
    read_permission = "oegen.view_alertrule"


class ScheduleViewSet(RecordViewSet):
    queryset = Schedule.objects.all()
    serializer_class = serializer_for(Schedule, NAMES={"interval": "interval_minutes"})
    filterset_class = filterset_for(Schedule)
    read_permission = "oegen.view_schedule"


register("comments", CommentViewSet)
register("alert-rules", AlertRuleViewSet)
register("schedules", ScheduleViewSet)
