"""What the palette and the search field suggest while somebody types."""

from __future__ import annotations

from django.utils.text import capfirst
from django.views.generic import TemplateView

from oegen import search
from oegen.pages import commands
from oegen.pages.commands import Question, Suggestion
from oegen.people.requests import SignedInRequest

#: The longest text that is read, and how many letters it must have for records to be looked for.
LONGEST, FEWEST = 200, 2

MAX_COMMANDS, MAX_RECORDS = 6, 8

#: The number of records that are shown before anything is typed.
MAX_CHANGED = 4


class Suggest(TemplateView):
    """An HTML fragment: commands and records for the text ``q``, typed on the page ``on``."""

    template_name = "oegen/parts/suggestions.html"
    request: SignedInRequest

    def get_context_data(self, **kwargs):
        text = self.request.GET.get("q", "").strip()[:LONGEST]
        path, query = commands.parse_page(self.request.GET.get("on", "/"))
        question = Question(self.request, text, path, query)
        answers = commands.answers_to(question)
        last = [one for one in answers if one.is_last]
        offered = [one for one in answers if not one.is_last] + commands.commands_for(question)
        if not question.words:
            return {"commands": offered, "changed": self._changed()}
        finding = search.Finding.of(text if len(text) >= FEWEST else "")
        shown = finding.shown
        if not offered and not finding.typed.total:
            offered = commands.commands_meant(question)
        return {
            "text": text,
            "commands": offered[:MAX_COMMANDS],
            "last": last,
            "hits": shown.best(MAX_RECORDS) if shown.total else [],
            "total": shown.total,
            "found": shown.text,
            "is_corrected": finding.is_corrected,
            "meant": finding.meant,
        }

    def _changed(self) -> list[Suggestion]:
        """The records that the person changed last."""
        return [
            Suggestion(
                str(record), "", record.get_absolute_url(), capfirst(str(record._meta.verbose_name))
            )
            for record in search.changed_last_by(self.request.user, MAX_CHANGED)
        ]
