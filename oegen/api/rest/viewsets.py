"""The base of the records' views: list, read, create, change, remove."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Subquery
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from oegen import asof
from oegen.api.rest import bulk, dry_run
from oegen.api.rest.access import TokenView, may_read_personal
from oegen.api.rest.filters import RecordFilterBackend
from oegen.api.rest.idempotency import once
from oegen.api.rest.paging import KeyPagination
from oegen.api.rest.problems import VersionRequiredError
from oegen.api.rest.serializers import OPTIONS, RecordSerializer
from oegen.api.scopes import Scope
from oegen.asof.middleware import NoPastError, parse_day
from oegen.audit.audited import AuditedModel
from oegen.audit.reference import ReferenceModel
from oegen.people import writing
from oegen.people.models import User

#: The header with the reason of a removal, which has no body.
REASON_HEADER = "Change-Reason"

AS_OF = OpenApiParameter(
    asof.PARAMETER,
    OpenApiTypes.DATE,
    description="As of the end of this past day. Reads only: a write with it is refused.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": '^(W/)?"[1-9][0-9]{0,8}"$'},
    OpenApiParameter.HEADER,
    required=True,
    description='The version that was read, as its ETag: `"7"`.',
)


@contextmanager
def reading_day(request: Request) -> Iterator[None]:
    """Read as of the day in ``?as_of=``, if there is one. Raises NoPastError for one that can't be
    shown, and for a write."""
    text = request.query_params.get(asof.PARAMETER, "")
    if not text:
        yield
        return
    day = parse_day(text)
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        raise NoPastError("The past can only be read. Nothing was saved: leave out “as_of”.")
    with asof.as_of(day):
        yield


class RecordViewSet(TokenView, GenericViewSet):
    """A model's records.

    ``actions``: which of create, change and remove the API offers. ``read_permission``: needed to
    read; empty: everybody who is signed in. ``is_personal``: reading needs the scope ``personal``.
    """

    pagination_class = KeyPagination
    filter_backends: ClassVar[list[Any]] = [RecordFilterBackend]
    filterset_class: Any = None
    serializer_class: type[RecordSerializer]
    lookup_field = "pk"
    lookup_value_regex = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    offers: ClassVar[frozenset[str]] = frozenset({"create", "change", "remove"})
    read_permission = ""
    is_personal = False
    route = ""

    @property
    def model(self) -> type[AuditedModel]:
        return self.queryset.model

    def scopes_for(self, request):
        personal = [Scope.PERSONAL] if self.is_personal else []
        if self.action == "bulk":
            return [Scope.BULK, *personal]
        return [Scope.READ if request.method in SAFE_METHODS else Scope.WRITE, *personal]

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        if self.read_permission and not request.user.has_perm(self.read_permission):
            raise PermissionDenied(f"Reading {self._plural} needs a permission of its own.")

    @property
    def _plural(self) -> str:
        return str(self.model._meta.verbose_name_plural)

    def get_queryset(self):
        """The records of the day, with what serializers read, in a fixed number of queries."""
        model = self.model
        history = model.history.filter(id=OuterRef("pk"), version=OuterRef("version"))
        number = history.order_by("-history_id").values("change_set__number")[:1]
        codes = [
            field.name
            for field in model._meta.concrete_fields
            if field.remote_field and issubclass(field.remote_field.model, ReferenceModel)
        ]
        records = self.queryset.all().recorded().select_related(*codes)
        return records.annotate(last_change_number=Subquery(number))

    def get_serializer_context(self):
        return {
            **super().get_serializer_context(),
            "route": self.route,
            "may_read_personal": may_read_personal(self.request),
        }

    # Reading -------------------------------------------------------------------------------------

    def list(self, request, *args, **kwargs):
        with reading_day(request):
            records = self.filter_queryset(self.get_queryset())
            page = self.paginate_queryset(records)
            data = self.get_serializer(page, many=True).data
            return self.get_paginated_response(data)

    def retrieve(self, request, *args, **kwargs):
        with reading_day(request):
            return self._answer(self.get_object())

    def filter_queryset(self, queryset):
        """Filters belong to lists: those of a page must not hide a record from its address."""
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def _answer(self, record: AuditedModel, status: int = status.HTTP_200_OK) -> Response:
        response = Response(self.get_serializer(record).data, status=status)
        day = self.request.query_params.get(asof.PARAMETER)
        response["ETag"] = f'"{record.version}@{day}"' if day else f'"{record.version}"'
        return response

    # Writing -------------------------------------------------------------------------------------

    def create(self, request, *args, **kwargs):
        return self._once(self._create)

    def partial_update(self, request, *args, **kwargs):
        return self._once(self._change)

    def destroy(self, request, *args, **kwargs):
        return self._once(self._remove)

    def _once(self, write: Callable[[], Response]) -> Response:
        """Answer a write, or repeat the stored answer (oegen.api.rest.idempotency)."""

        def respond() -> Response:
            try:
                with reading_day(self.request), dry_run.noted(self.request) as noted:
                    return noted.answer(write())
            except Exception as error:  # As APIView.dispatch does: unknown ones are raised again.
                return self.handle_exception(error)

        return once(self.request, respond)

    def _create(self) -> Response:
        self.require("create", "add")
        values, options = self._read_body(partial=False)
        record = self.model()
        writing.create(record, values, person=self.person, prepare=self.prepare, **options)
        response = self._answer(self.get_queryset().get(pk=record.pk), status.HTTP_201_CREATED)
        response["Location"] = response.data["url"]
        return response

    def _change(self) -> Response:
        self.require("change", "change")
        version = self._version()
        values, options = self._read_body(partial=True)
        key = self.get_object_to_write(self.kwargs["pk"]).pk
        writing.change(
            self.model,
            key,
            values,
            version=version,
            person=self.person,
            prepare=self.prepare,
            **options,
        )
        return self._answer(self.get_queryset().get(pk=key))

    def _remove(self) -> Response:
        self.require("remove", "delete")
        version = self._version()
        reason = self.request.headers.get(REASON_HEADER, "")
        key = self.get_object_to_write(self.kwargs["pk"]).pk
        writing.remove(self.model, key, version=version, person=self.person, reason=reason)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=False, methods=["post"], pagination_class=None, filter_backends=[])
    def bulk(self, request, *args, **kwargs):
        return self._once(self._bulk)

    def _bulk(self) -> Response:
        serializer = bulk.BulkSerializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return Response({"results": bulk.apply(self, serializer.validated_data)})

    @property
    def person(self) -> User:
        person: User = self.request.user
        return person

    def prepare(self, record: AuditedModel, changed: set[str]) -> None:
        """Do what a form of the model does before the record is checked (see writing.Prepare)."""

    def get_object_to_write(self, key: Any) -> AuditedModel:
        """The record with the key. Raises PermissionDenied if the person may not write to it."""
        record: AuditedModel = get_object_or_404(self.queryset.all(), pk=key)
        return record

    def require(self, action: str, permission: str) -> None:
        """Raises MethodNotAllowed or PermissionDenied."""
        if action not in self.offers:
            raise MethodNotAllowed(self.request.method)
        meta = self.model._meta
        if not self.request.user.has_perm(f"{meta.app_label}.{permission}_{meta.model_name}"):
            raise PermissionDenied(f"Your role does not {action} {self._plural}.")

    def _read_body(self, *, partial: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        """The values by the model's field names, and the options of the write."""
        values = self.parse(self.request.data, partial=partial)
        return values, {name: values.pop(name) for name in OPTIONS if name in values}

    def parse(self, data: Any, *, partial: bool) -> dict[str, Any]:
        """The values by the model's field names. Raises the framework's ValidationError."""
        serializer = self.get_serializer(data=data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _version(self) -> int:
        """The version in If-Match. Raises VersionRequiredError.

        Compression turns an ETag into its weak form, which counts the same here.
        """
        text = self.request.headers.get("If-Match", "").strip()
        found = re.fullmatch(r'(?:W/)?"([1-9][0-9]{0,8})"', text)
        if not found:
            why = "“*” would overwrite what you have not seen" if text == "*" else "it is missing"
            if text and text != "*":
                why = f"{text[:40]} is no version"
            raise VersionRequiredError(
                f'Send the version that you read as If-Match: "7" (the record\'s ETag); {why}. '
                "Nothing was saved."
            )
        return int(found[1])
