"""What views may rely on in a request: the types that Django's own leave open."""

from __future__ import annotations

from django.http import HttpRequest

from oegen.people.models import User
from oegen.people.sessions import SessionStore


class SignedInRequest(HttpRequest):
    """An annotation for views behind SignInMiddleware, which lets nobody else through."""

    user: User
    session: SessionStore
