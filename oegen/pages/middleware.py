from django.http import HttpResponseNotAllowed
from django.template.loader import render_to_string


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
