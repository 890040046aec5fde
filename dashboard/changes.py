import uuid
from itertools import groupby

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.generic import TemplateView

from oegen import timeline
from oegen.models import ChangeSet


class Changes(TemplateView):
    """What everybody changed, newest first; ``before`` is the last change set of a page."""

    template_name = "dashboard/changes.html"
    page_size = 25

    def get_context_data(self, **kwargs):
        before = self._before()
        batches = timeline.latest(limit=self.page_size + 1, before=before)
        shown = batches[: self.page_size]
        days = groupby(shown, lambda batch: timezone.localdate(batch.change_set.recorded_at))
        return super().get_context_data(**kwargs) | {
            "section": "changes",
            "days": [(day, list(of_day)) for day, of_day in days],
            "is_later_page": before is not None,
            "older_than": shown[-1].change_set.pk if len(batches) > len(shown) else None,
        }

    def _before(self) -> ChangeSet | None:
        key = self.request.GET.get("before")
        if not key:
            return None
        try:
            return get_object_or_404(ChangeSet, pk=uuid.UUID(key))
        except ValueError:
            raise Http404(f"“{key}” is not the key of a change.") from None
