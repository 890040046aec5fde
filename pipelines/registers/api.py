"""Public registers in the API, which are read only. Each answer names the licences of what it shows
as ``Link: <…>; rel="license"``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.urls import path
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.relations import SlugRelatedField
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from oegen.api.rest.access import TokenView
from oegen.api.rest.filters import RecordFilterBackend
from oegen.api.rest.paging import KeyPagination
from oegen.api.rest.registry import register_addresses
from oegen.api.rest.viewsets import reading_day
from oegen.core import clock
from pipelines.registers.filters import RegisterProjectFilter
from pipelines.registers.history import history_of
from pipelines.registers.models import Register, RegisterCompany, RegisterProject
from pipelines.registers.models.edition import stored_editions
from pipelines.registers.models.project import Described

#: What a register says of a project, without what is ours to compare rows.
_DESCRIBED = tuple(
    field.name for field in Described._meta.local_concrete_fields if field.name != "digest"
)


class RegisterSerializer(serializers.ModelSerializer):
    """A public register. ``newest_edition`` is the newest up to the day that is read."""

    url = serializers.HyperlinkedIdentityField(
        view_name="api-registers-detail", lookup_field="code"
    )
    newest_edition = serializers.SerializerMethodField()

    class Meta:
        model = Register
        fields = (
            *("code", "url", "name", "publisher", "country", "licence_name", "licence_url"),
            *("attribution", "changes_note", "newest_edition"),
        )

    @extend_schema_field(serializers.DateField(allow_null=True))
    def get_newest_edition(self, register: Register):
        editions = stored_editions(register, clock.past_day())
        return editions[-1][1] if editions else None


class RegisterCompanySerializer(serializers.ModelSerializer):
    """A company that registers name as operator; none that may be a private individual."""

    url = serializers.HyperlinkedIdentityField(view_name="api-register-companies-detail")
    aliases = serializers.ListField(child=serializers.CharField())
    identifiers = serializers.DictField(child=serializers.CharField())
    group = serializers.UUIDField(source="group_id", allow_null=True)

    class Meta:
        model = RegisterCompany
        fields = ("id", "url", "name", "aliases", "identifiers", "group")


class RegisterProjectSerializer(serializers.ModelSerializer):
    """A project as its register's newest edition up to the day has it. Technology and stage are
    given by our codes, null where there is none."""

    url = serializers.HyperlinkedIdentityField(view_name="api-register-projects-detail")
    register = SlugRelatedField(slug_field="code", read_only=True)
    technology = SlugRelatedField(slug_field="code", read_only=True, allow_null=True)
    stage = SlugRelatedField(slug_field="code", read_only=True, allow_null=True)
    identifiers = serializers.DictField(child=serializers.CharField())
    superseded_by = serializers.ListField(child=serializers.CharField())
    storage_with = serializers.ListField(child=serializers.CharField())
    remarks = serializers.ListField(child=serializers.CharField())
    companies = serializers.SerializerMethodField(help_text="The ids of its companies.")

    class Meta:
        model = RegisterProject
        fields: ClassVar[Any] = (
            *("id", "url", "register", "key", *_DESCRIBED, "companies"),
            *("phase", "first_seen_on", "last_seen_on", "is_vanished", "came_back_on"),
            "went_back_on",
        )

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField()))
    def get_companies(self, project: RegisterProject):
        return [link.company_id for link in project.company_links.all()]


class ChangeSerializer(serializers.Serializer):
    label = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class EditionEntrySerializer(serializers.Serializer):
    """What an edition changed of a project."""

    edition = serializers.DateField(source="date")
    is_first = serializers.BooleanField()
    is_gone = serializers.BooleanField(help_text="It had vanished.")
    is_back = serializers.BooleanField(help_text="It was there again.")
    changes = ChangeSerializer(many=True)


class RegisterProjectDetailSerializer(RegisterProjectSerializer):
    """A project with its history."""

    history = serializers.SerializerMethodField(
        help_text="The newest edition first, without those that repeat the one before."
    )

    class Meta(RegisterProjectSerializer.Meta):
        fields = (*RegisterProjectSerializer.Meta.fields, "history")

    @extend_schema_field(EditionEntrySerializer(many=True))
    def get_history(self, project: RegisterProject):
        return EditionEntrySerializer(history_of(project), many=True).data


class RegisterViewSet(TokenView, GenericViewSet):
    """What can be read of registers, as of a day."""

    route = ""
    pagination_class = KeyPagination
    filter_backends: ClassVar[list[Any]] = [RecordFilterBackend]
    filterset_class: Any = None

    @property
    def model(self) -> type[Any]:
        """What descriptions name it by."""
        found: type[Any] = self.queryset.model
        return found

    def list(self, request):
        with reading_day(request):
            records = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
            data = self.get_serializer(records, many=True).data
            return self._with_licences(self.get_paginated_response(data), records)

    def retrieve(self, request, **kwargs):
        with reading_day(request):
            record = self.get_object()
            return self._with_licences(Response(self.get_serializer(record).data), [record])

    def filter_queryset(self, queryset):
        """Filters belong to lists."""
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def registers_of(self, records: Iterable[Any]) -> Iterable[Register]:
        """Whose licences apply."""
        raise NotImplementedError

    def _with_licences(self, response: Response, records: Iterable[Any]) -> Response:
        addresses = dict.fromkeys(one.licence_url for one in self.registers_of(records))
        if addresses:
            response["Link"] = ", ".join(f'<{one}>; rel="license"' for one in addresses)
        return response


class RegistersViewSet(RegisterViewSet):
    route = "registers"
    queryset = Register.objects.all()
    serializer_class = RegisterSerializer
    lookup_field = "code"

    def registers_of(self, records):
        return records


class RegisterCompaniesViewSet(RegisterViewSet):
    route = "register-companies"
    queryset = RegisterCompany.objects.all()
    serializer_class = RegisterCompanySerializer

    def registers_of(self, records):
        links = RegisterProject.objects.filter(company_links__company__in=list(records))
        return Register.objects.filter(pk__in=links.order_by().values("register"))


class RegisterProjectsViewSet(RegisterViewSet):
    route = "register-projects"
    queryset = RegisterProject.objects.present().select_related("register", "technology", "stage")
    filterset_class = RegisterProjectFilter

    def get_queryset(self):
        return super().get_queryset().prefetch_related("company_links")

    def get_serializer_class(self):
        is_one = self.action == "retrieve"
        return RegisterProjectDetailSerializer if is_one else RegisterProjectSerializer

    def registers_of(self, records):
        return [one.register for one in records]


for _view, _key in (
    (RegistersViewSet, "<slug:code>"),
    (RegisterCompaniesViewSet, "<uuid:pk>"),
    (RegisterProjectsViewSet, "<uuid:pk>"),
):
    register_addresses(
        _view.route,
        [
            path("", _view.as_view({"get": "list"}), name=f"api-{_view.route}-list"),
            path(f"{_key}/", _view.as_view({"get": "retrieve"}), name=f"api-{_view.route}-detail"),
        ],
    )
