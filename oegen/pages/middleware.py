from django.http import HttpResponseNotAllowed
from django.template.loader import render_to_string


class NotAllowedPageMiddleware:
    """Puts a page into the empty answer to a method that an address does not take."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        is_bare = isinstance(response, HttpResponseNotAllowed) and not response.content
        if is_bare and request.accepts("text/html"):
            response.content = render_to_string("405.html")
        return response
