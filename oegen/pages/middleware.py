from django.http import HttpResponseNotAllowed
from django.middleware.gzip import GZipMiddleware
from django.template.loader import render_to_string

#: Other answers, such as workbooks, are compressed already.
COMPRESSED_TYPES = frozenset({"text/html", "text/csv", "application/json"})


class CompressionMiddleware(GZipMiddleware):
    """Compresses what is text. Against BREACH, which guesses secrets by the length of an answer,
    Django adds a random number of bytes to each one and masks the CSRF token."""

    def process_response(self, request, response):
        content_type, _, _ = response.get("Content-Type", "").partition(";")
        if content_type not in COMPRESSED_TYPES:
            return response
        return super().process_response(request, response)


class NotAllowedPageMiddleware:
    """Adds a page to an empty response 405 (method not allowed)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        is_bare = isinstance(response, HttpResponseNotAllowed) and not response.content
        if is_bare and request.accepts("text/html"):
            response.content = render_to_string("405.html")
        return response
