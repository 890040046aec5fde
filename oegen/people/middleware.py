"""Who acts in a request, and what a signed-in person's answers may be kept by."""

import re

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware

from oegen import audit
from oegen.people import security


class AuditMiddleware:
    """Names the signed-in person as the author of every change made in the request, and where the
    request came from for the security events recorded in it. Tells the browser which draft
    (oegen/unsaved.js) it has written, so that it need not be kept any more."""

    #: The field that names the draft, and the cookie that names it as saved.
    DRAFT, SAVED = "draft", "oegen_saved"

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        person = request.user if request.user.is_authenticated else None
        with (
            audit.acting(person, audit.Source.PAGE) as origin,
            security.answering(request),
        ):
            response = self.get_response(request)
        if origin.written and request.method == "POST":
            draft = request.POST.get(self.DRAFT, "")
            if re.fullmatch(r"[0-9a-f]{32}", draft):
                secure = settings.SESSION_COOKIE_SECURE
                response.set_cookie(self.SAVED, draft, secure=secure, samesite="Lax")
        return response


class SignInMiddleware(LoginRequiredMiddleware):
    """As Django's, and to somebody whose session ended before they pressed Save the sign-in page
    says that nothing was saved."""

    def handle_no_permission(self, request, view_func):
        response = super().handle_no_permission(request, view_func)
        if request.method == "POST":
            response["Location"] += "&unsaved=1"
        return response


class NoStoreMiddleware:
    """Keeps pages that a signed-in person is shown out of every cache, so that nobody reads them
    there after a sign-out. A view that says itself how its answer may be kept is left alone."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store, private"
        return response
