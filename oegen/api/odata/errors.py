"""Refusals of the feed, in the shape that OData clients read."""

from __future__ import annotations

from django.http import JsonResponse

#: By status; the value of ``code``.
CODES = {
    400: "invalid",
    401: "not-authenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    429: "too-many-requests",
    503: "busy",
}


class ODataError(Exception):
    """A request that is refused; the text answers whoever made it.

    ``target`` is the query option that is wrong.
    """

    def __init__(self, text: str, *, status: int = 400, target: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.target = target


def error_response(error: ODataError) -> JsonResponse:
    body = {"code": CODES[error.status], "message": str(error)}
    if error.target:
        body["target"] = error.target
    return JsonResponse({"error": body}, status=error.status)
