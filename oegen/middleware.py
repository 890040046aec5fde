from django.http import HttpResponseNotAllowed
from django.template.loader import render_to_string

from oegen import audit


class AuditMiddleware:
    """Names the signed-in person as the author of every change made in the request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        person = request.user if request.user.is_authenticated else None
        with audit.acting(person, audit.Source.PAGE):
            return self.get_response(request)


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
