"""``?dry_run=1``: a write that is tried, told value by value, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rest_framework.request import Request
from rest_framework.response import Response

from oegen.api.authentication import acting_by
from oegen.api.rest.entries import read_entries
from oegen.audit.changesets import ChangeSet
from oegen.audit.context import Origin

PARAMETER = "dry_run"


@dataclass
class Noted:
    """Whether a request is a dry run, and the change sets that it has written."""

    is_wanted: bool
    origin: Origin

    def answer(self, response: Response) -> Response:
        """The response of the write; of a dry run, the difference it would make."""
        if not self.is_wanted:
            return response
        change_sets = ChangeSet.objects.filter(pk__in=self.origin.change_set_ids)
        changes = [entry for one in change_sets.order_by("number") for entry in read_entries(one)]
        tried = Response({"dry_run": True, "changes": changes})
        tried.is_dry_run = True
        return tried


@contextmanager
def noted(request: Request) -> Iterator[Noted]:
    """Note what the block writes, for ``Noted.answer``."""
    is_wanted = request.query_params.get(PARAMETER) in ("1", "true")
    with acting_by(request.auth) as origin:
        yield Noted(is_wanted, origin)
