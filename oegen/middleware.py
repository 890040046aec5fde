from oegen import audit


class AuditMiddleware:
    """Names the signed-in person as the author of every change made in the request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        person = request.user if request.user.is_authenticated else None
        with audit.acting(person, audit.Source.PAGE):
            return self.get_response(request)
