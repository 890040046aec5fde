"""The page of removed records, from which they can be restored."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.text import capfirst

from oegen import audit
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.narrative.timeline import Entry
from oegen.history.stream import entries, stream
from oegen.pages.filters import NameFilter, PageFilterSet
from oegen.pages.lists import FilteredPage
from oegen.pages.selection import NOTHING, SelectionFilter
from oegen.people.comments import Comment

PAGE_SIZE = 50


@dataclass(frozen=True)
class Line:
    entry: Entry
    noun: str
    history_url: str
    may_bring_back: bool


def kinds() -> list[type[AuditedModel]]:
    """The models whose records can be removed by themselves. Removed links are in the history of
    their parent."""
    return [
        model
        for model in audit.tracked_models()
        if not (model.PARENT_FIELD or model.IS_COPY or model.is_append_only)
    ]


def kind_choices() -> list[tuple[str, str]]:
    return [
        (str(one._meta.model_name), capfirst(str(one._meta.verbose_name_plural))) for one in kinds()
    ]


def removals(model: type[AuditedModel]) -> QuerySet:
    """The last removal of each record of the model that does not exist now.

    A comment whose subject was removed is left out: it is restored together with that.
    """
    live = model._base_manager.filter(pk=OuterRef("id"))
    rows = model.history.filter(history_type=audit.REMOVED)
    later = rows.filter(id=OuterRef("id"), history_id__gt=OuterRef("history_id"))
    lost = rows.filter(~Exists(live), ~Exists(later))
    return lost.filter(_of_live_records()) if model is Comment else lost


def _of_live_records() -> Q:
    condition = Q(pk__in=[])
    for model in audit.tracked_models():
        if hasattr(model, "comments"):
            live = model._base_manager.filter(pk=OuterRef("object_id"))
            content_type = ContentType.objects.get_for_model(model)
            condition |= Q(content_type=content_type) & Q(Exists(live))
    return condition


class RemovedFilter(PageFilterSet):
    primary = ("q", "kind")

    q = NameFilter("Name or reason")
    kind = SelectionFilter("Kind", kind_choices, empty_label="Any kind", has_counts=False)

    class Meta:
        model = ChangeSet
        fields: list[str] = []

    @property
    def sources(self) -> list[QuerySet]:
        values = self.form.cleaned_data if self.is_bound and self.is_valid() else {}
        selection = values.get("kind") or NOTHING
        return [
            self._matching(removals(model), values.get("q", ""))
            if selection.allows(str(model._meta.model_name))
            else model.history.none()
            for model in kinds()
        ]

    @staticmethod
    def _matching(rows: QuerySet, text: str) -> QuerySet:
        name = rows.model.instance_type.name_field()
        for word in text.split():
            in_name = Q(**{f"{name}__icontains": word})
            rows = rows.filter(in_name | Q(history_change_reason__icontains=word))
        return rows

    @property
    def qs(self):
        return stream(self.sources)


class RemovedRecords(FilteredPage):
    template_name = "oegen/history/removed.html"
    state_template_name = "oegen/history/removed_records.html"
    filterset_class = RemovedFilter
    section = "changes"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        page = Paginator(self.object_list, PAGE_SIZE).get_page(self.request.GET.get("page"))
        shown = entries(page.object_list, self.filterset.sources)
        return context | {
            "singular": "removed record",
            "plural": "removed records",
            "page": page,
            "total": page.paginator.count,
            "lines": [self._line(entry) for entry in shown],
        }

    def _line(self, entry: Entry) -> Line:
        meta = entry.model._meta
        return Line(
            entry,
            noun=str(meta.verbose_name),
            history_url=reverse("history", args=[meta.model_name, entry.record_id]),
            may_bring_back=self.request.user.has_perm(f"{meta.app_label}.add_{meta.model_name}"),
        )
