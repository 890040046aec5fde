"""Who may import, and whose import a page shows."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib.auth import get_permission_codename
from django.contrib.auth.mixins import AccessMixin
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.generic import View

from oegen.imports.tables.kinds import KINDS, ImportKind
from oegen.imports.tables.models import TableImport
from oegen.people.models import User
from oegen.people.requests import SignedInRequest


def kinds_for(person: User) -> list[ImportKind]:
    """The kinds of which the person may add or change records."""
    return [kind for kind in KINDS.values() if _may_write(person, kind)]


def _may_write(person: User, kind: ImportKind) -> bool:
    options = kind.model._meta
    return any(
        person.has_perm(f"{options.app_label}.{get_permission_codename(action, options)}")
        for action in ("add", "change")
    )


class ImportersMixin(AccessMixin, View):
    """A page for those who may import anything."""

    raise_exception = True
    request: SignedInRequest

    def dispatch(self, request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not kinds_for(request.user):
            return self.handle_no_permission()
        return super().dispatch(request, *args, **kwargs)


class ImportMixin(ImportersMixin):
    """A page of one import, for the person who uploaded its file."""

    kwargs: dict[str, Any]

    @cached_property
    def one(self) -> TableImport:
        mine = TableImport.objects.filter(person=self.request.user).select_related("job", "person")
        return get_object_or_404(mine, pk=self.kwargs["pk"])

    @property
    def kind(self) -> ImportKind:
        return KINDS[self.one.kind]
