"""The backend of accounts and permissions."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import QuerySet

from oegen.core.compiled import compiled
from oegen.people.models import User


class Backend(ModelBackend):
    """Django's, which reads the account of each request with a compiled statement."""

    def get_user(self, user_id: Any) -> User | None:
        return next((one for one in _account(key=user_id) if self.user_can_authenticate(one)), None)


@compiled
def _account(*, key: Any) -> QuerySet[User]:
    return User.objects.filter(pk=key)
