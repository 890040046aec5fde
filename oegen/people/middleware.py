"""Middleware for the audit trail, sign-in and caching of personal pages."""

import re

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware

from oegen import audit
from oegen.people import security


class AuditMiddleware:
    """Sets the author of changes made in the request, and the origin of its security events. After
    a save, a cookie tells the browser to discard its draft of the form (oegen/unsaved.js)."""

    #: The form field with the draft's id, and the cookie for the id of a saved draft.
    DRAFT, SAVED = "draft", "oegen_saved"

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        person = request.user if request.user.is_authenticated else None
        with (
            audit.acting(person, audit.Source.PAGE) as origin,
            security.use_request(request),
        ):
            response = self.get_response(request)
        is_stored = origin.change_set_ids or getattr(request, "is_form_stored", False)
        if is_stored and request.method == "POST":
            draft = request.POST.get(self.DRAFT, "")
            if re.fullmatch(r"[0-9a-f]{32}", draft):
                secure = settings.SESSION_COOKIE_SECURE
                response.set_cookie(self.SAVED, draft, secure=secure, samesite="Lax")
        return response


class SignInMiddleware(LoginRequiredMiddleware):
    """Django's LoginRequiredMiddleware. After a POST without a session, the sign-in page says that
    nothing was saved."""

    def handle_no_permission(self, request, view_func):
        response = super().handle_no_permission(request, view_func)
        if request.method == "POST":
            response["Location"] += "&unsaved=1"
        return response


class NoStoreMiddleware:
    """Keeps pages of signed-in users out of every cache, so that nobody can read them after a
    sign-out. A response that sets Cache-Control is left alone."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store, private"
        return response
