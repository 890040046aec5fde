"""Types of requests, for annotations."""

from __future__ import annotations

from django.http import HttpRequest

from oegen.people.models import User
from oegen.people.sessions import SessionStore


class SignedInRequest(HttpRequest):
    """A request that passed SignInMiddleware, so that its user is not anonymous."""

    user: User
    session: SessionStore
    #: Set by a view that stored what a form says without a change set, such as a file to import.
    is_form_stored: bool
