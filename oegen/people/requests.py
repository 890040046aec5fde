"""Types of requests, for annotations."""

from __future__ import annotations

from django.http import HttpRequest

from oegen.people.models import User
from oegen.people.sessions import SessionStore


class SignedInRequest(HttpRequest):
    """A request that passed SignInMiddleware, so that its user is not anonymous."""

    user: User
    session: SessionStore
