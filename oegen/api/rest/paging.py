"""Cursor paging: each page follows the last key of the one before, so that its cost does not grow
with the number of pages, and nothing is skipped or repeated while records are written."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response

DEFAULT_LIMIT, MAX_LIMIT = 100, 1_000


class KeyPagination(CursorPagination):
    """By primary key. ``?limit=`` up to MAX_LIMIT; ``?count=1`` also counts all records."""

    ordering = "pk"
    page_size = DEFAULT_LIMIT
    page_size_query_param = "limit"
    max_page_size = MAX_LIMIT
    page_size_query_description = f"Records on a page, up to {MAX_LIMIT:,}."
    #: The query parameters of the page.
    parameters = frozenset({"cursor", "limit", "count"})

    def paginate_queryset(self, queryset, request, view=None):
        wants_count = request.query_params.get("count") in ("1", "true")
        self.count = queryset.order_by().count() if wants_count else None
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, ValidationError, ValueError) as error:
            raise ValidationError(
                {"cursor": "This is no cursor: follow “next” of the page before."}
            ) from error

    def get_paginated_response(self, data) -> Response:
        body: dict[str, Any] = {"next": self.get_next_link(), "results": data}
        if self.count is not None:
            body["count"] = self.count
        return Response(body)

    def get_paginated_response_schema(self, schema):
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {
                "next": {
                    "type": ["string", "null"],
                    "format": "uri",
                    "description": "The next page; null on the last one.",
                },
                "results": schema,
                "count": {
                    "type": "integer",
                    "description": "All records that match, with `count=1` only.",
                },
            },
        }

    def get_schema_operation_parameters(self, view):
        count = {
            "name": "count",
            "required": False,
            "in": "query",
            "description": "1: also count all records that match.",
            "schema": {"type": "string", "enum": ["1"]},
        }
        return [*super().get_schema_operation_parameters(view), count]
