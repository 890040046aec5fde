"""The page of possible duplicates, which links to merging."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import get_text_list
from django.views.generic import TemplateView

from oegen.audit.audited import AuditedModel
from oegen.core import clock
from oegen.core.text import name_key
from oegen.search import keys

#: The number of groups per page.
PAGE_SIZE = 50

#: Labels for the kinds of keys, in the order in which they are listed.
KIND_LABELS = {keys.NAME: "name", "lei": "LEI", "company number": "company number"}


@dataclass(frozen=True)
class Group:
    """Possible duplicates; ``oldest`` is the one into which the others can be merged."""

    in_common: str
    oldest: AuditedModel
    others: list[AuditedModel]


def count_of(model: type[AuditedModel]) -> int:
    """The number of groups on the model's page; 0 on past pages."""
    return 0 if clock.past_day() else len(keys.shared(model))


class DuplicatesPage(TemplateView):
    """Groups of records that share a name, alias or register number.

    It shows the present only: a past day is answered with 400.
    """

    template_name = "oegen/history/duplicates.html"
    model: type[AuditedModel]
    section = ""
    #: What is compared, for a sentence on the page.
    compared_by = ""

    def get(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if clock.past_day():
            why = "Possible duplicates are looked for among the records of today only."
            return render(request, "oegen/no_past.html", {"why": why}, status=400)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        meta = self.model._meta
        paginator = Paginator(keys.shared(self.model), PAGE_SIZE)
        page = paginator.get_page(self.request.GET.get("page"))
        return super().get_context_data(**kwargs) | {
            "section": self.section,
            "compared_by": self.compared_by,
            "noun": meta.verbose_name,
            "plural": meta.verbose_name_plural,
            "page": page,
            "total": paginator.count,
            "groups": self._groups(list(page)),
        }

    def _groups(self, shared: list[keys.SharedKeys]) -> list[Group]:
        found = []
        for group, records in keys.records_of(self.model, shared):
            if len(records) > 1:
                found.append(Group(_in_common(group, records), records[0], records[1:]))
        return found


def _in_common(group: keys.SharedKeys, records: list[AuditedModel]) -> str:
    labels = [label for kind, label in KIND_LABELS.items() if kind in group.kinds]
    if (
        labels[0] == keys.NAME
        and len({name_key(getattr(record, record.name_field())) for record in records}) > 1
    ):
        labels[0] = "name or other name"
    return get_text_list(labels, "and")
