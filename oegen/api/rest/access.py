"""Access tokens in REST: who asks, what for, and how often."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from oegen.api.authentication import (
    BEARER,
    authenticate,
    bearer_secret,
    check_access,
    count_request,
)
from oegen.api.scopes import Scope
from oegen.people.security import address_of


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer oegen_…``. Raises TokenRefusedError."""

    def authenticate(self, request):
        secret = bearer_secret(request.headers.get("Authorization", ""))
        if secret is None:
            return None
        token = authenticate(secret, address_of(request))
        request._request.rate_limit = count_request(token)
        return token.person, token

    def authenticate_header(self, request):
        return f'{BEARER} realm="OEGen pipeline"'


class TokenScheme(OpenApiAuthenticationExtension):
    """The description of TokenAuthentication."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema):
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token, from your page “Access tokens”.",
        }


class HasScopes(BasePermission):
    """The token has what the view's ``scopes_for(request)`` returns. Raises TokenRefusedError."""

    def has_permission(self, request, view):
        if request.auth is None:
            return False
        for scope in view.scopes_for(request):
            check_access(request.auth, scope)
        return True


def may_read_personal(request: Request) -> bool:
    """Whether people's names and the like belong into the answer."""
    return request.auth is not None and Scope.PERSONAL in request.auth.scope_list


class TokenView:
    """A mixin for API views: tells how many requests the token has left in this minute."""

    authentication_classes: Any = (TokenAuthentication,)
    permission_classes: Any = (HasScopes,)

    def scopes_for(self, request: Request) -> list[Scope]:
        """What a token needs for this request."""
        return [Scope.READ]

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        rate = getattr(request, "rate_limit", None)
        for name, value in rate.headers.items() if rate else ():
            response.headers.setdefault(name, value)
        return response
