"""The page that says what the columns of a file are, and how they are read."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.text import capfirst
from django.views.generic import TemplateView

from oegen.imports.tables.jobs import APPLY, KEPT_FOR, PREVIEW, READ, UNDO, ask_for
from oegen.imports.tables.kinds import KINDS, ImportKind
from oegen.imports.tables.mapping import Mapping, match_columns
from oegen.imports.tables.models import (
    ExternalReference,
    ImportMapping,
    ImportState,
    TableImport,
)
from oegen.imports.tables.reading import UnreadableFileError
from oegen.imports.tables.running import read_columns
from oegen.imports.tables.sampling import SampledTable
from oegen.jobs.models import State
from oegen.pages.importing.access import ImportMixin, kinds_for
from oegen.pages.importing.drafts import leave_out, read_draft
from oegen.pages.importing.forms import KeepForm, is_long
from oegen.pages.importing.showing import MAX_COLUMNS, MAX_VALUES, UNDECIDED, ColumnsShown
from oegen.people.requests import SignedInRequest


class ImportColumns(ImportMixin, TemplateView):
    """The columns of an import. ``?part=state`` returns what changes while the file is read.

    A POST with ``do``: “look” keeps the choices and shows what follows from them; “continue” asks
    for the preview, if nothing is open; “read” reads another sheet, header or kind; “use” takes a
    saved mapping, and “remove” removes one.
    """

    template_name = "oegen/importing/columns.html"
    request: SignedInRequest

    def get(self, request, *args, **kwargs):
        one = self.one
        is_part = request.GET.get("part") == "state"
        if self.is_decided:
            return self._go("import")
        if self.is_read and not is_part:
            return self._page(Mapping.from_json(one.mapping), KeepForm(self.kind))
        if is_part and (one.job is None or one.job.has_ended):
            return self._go("import" if one.state == ImportState.PLANNED else "import-columns")
        name = "waiting_state" if is_part else "waiting"
        self.template_name = f"oegen/importing/{name}.html"
        return self.render_to_response(
            {
                "one": one,
                "job": one.job,
                "is_gone": not one.path.is_file(),
                "may_read_again": self.has_failed and (one.sheet or one.header_row),
                "days": KEPT_FOR.days,
            }
        )

    def _go(self, name: str) -> HttpResponseBase:
        """Redirect the page; htmx would put the other page into a part of this one."""
        address = reverse(name, args=[self.one.pk])
        if self.request.headers.get("HX-Request") == "true":
            return HttpResponse(headers={"HX-Redirect": address})
        return redirect(address)

    def post(self, request, *args, **kwargs) -> HttpResponseBase:
        actions = {
            "look": self.look,
            "continue": self.go_on,
            "read": self.read_otherwise,
            "use": self.use_mapping,
            "remove": self.remove_mapping,
        }
        act = actions.get(request.POST.get("do", ""))
        if act is None:
            raise BadRequest("This page does not know what to do with that form.")
        if self.is_decided:
            return self._go("import")
        if not self.is_read and not (act == self.read_otherwise and self.has_failed):
            return self._go("import-columns")
        return act()

    @cached_property
    def is_decided(self) -> bool:
        """Whether it is written, or is being written: the columns are what they were."""
        one, job = self.one, self.one.job
        is_written = one.state in (ImportState.APPLIED, ImportState.UNDONE)
        is_writing = job is not None and not job.has_ended and job.kind in (APPLY, UNDO)
        return is_written or is_writing or bool(one.change_sets)

    @property
    def is_read(self) -> bool:
        """False while a job reads the file, and if it could not."""
        job = self.one.job
        is_reading = job is not None and job.kind == READ and job.state != State.DONE
        return not is_reading and self.one.columns_path.is_file()

    @property
    def has_failed(self) -> bool:
        """Whether a job could not read a file that is still there."""
        job = self.one.job
        return job is not None and job.state == State.FAILED and self.one.path.is_file()

    @cached_property
    def table(self) -> SampledTable:
        return SampledTable.read(self.one.columns_path)

    # POST actions ----------------------------------------------------------------------------

    def look(self) -> HttpResponseBase:
        draft = self._draft()
        with transaction.atomic():
            stored = TableImport.objects.select_for_update().get(pk=self.one.pk)
            # Of two requests on their way, the one that asked for the preview counts.
            if stored.job_id == self.one.job_id:
                self._save(draft)
        if self.request.headers.get("HX-Request") == "true":
            self.template_name = "oegen/importing/parts/columns_state.html"
            return self._page(draft, KeepForm(self.kind))
        return redirect("import-columns", self.one.pk)

    def go_on(self) -> HttpResponseBase:
        draft = self._draft()
        self._save(draft)
        keep = KeepForm(self.kind, self.request.POST)
        shown = self._shown(draft)
        if "rest" in self.request.POST and shown.unnamed:
            draft = leave_out(draft, shown.unnamed)
            shown = self._shown(draft)
        if not (keep.is_valid() and shown.is_complete):
            return self._page(draft, keep, was_sent=True)
        one, contents = self.one, shown.matched.mapping.as_json()
        with transaction.atomic():
            if name := keep.cleaned_data["keep"]:
                ImportMapping.objects.update_or_create(
                    kind=one.kind,
                    name__iexact=name,
                    defaults={"contents": contents, "changed_by": self.request.user},
                    create_defaults={
                        "name": name,
                        "contents": contents,
                        "changed_by": self.request.user,
                    },
                )
            one.mapping = contents
            one.save(update_fields=["mapping"])
            ask_for(PREVIEW, one)
        return redirect("import", one.pk)

    def read_otherwise(self) -> HttpResponseBase:
        """Another sheet, header row or kind: what was chosen does not fit any more."""
        one = self.one
        before = one.sheet, one.header_row, one.kind
        data = self.request.POST
        one.sheet = data.get("sheet", "")[:80]
        row = data.get("header_row", "")
        one.header_row = int(row) if row.isdecimal() and len(row) < 8 else None
        if data.get("kind") in {kind.name for kind in kinds_for(self.request.user)}:
            one.kind = data["kind"]
        if is_long(one.file_name, one.path.stat().st_size):
            self._save_otherwise(one)
            ask_for(READ, one, among=[])
            return redirect("import-columns", one.pk)
        try:
            read_columns(one)
        except (UnreadableFileError, FileNotFoundError) as error:
            one.sheet, one.header_row, one.kind = before
            draft = Mapping.from_json(one.mapping)
            return self._page(draft, KeepForm(self.kind), reading_error=str(error))
        self._save_otherwise(one)
        return redirect("import-columns", one.pk)

    def _save_otherwise(self, one: TableImport) -> None:
        one.mapping, one.choices, one.state = {}, {}, ImportState.UPLOADED
        one.save(
            update_fields=["sheet", "header_row", "kind", "digest", "mapping", "choices", "state"]
        )

    def use_mapping(self) -> HttpResponseBase:
        self.one.mapping = self._chosen_mapping().contents
        self.one.save(update_fields=["mapping"])
        return redirect("import-columns", self.one.pk)

    def remove_mapping(self) -> HttpResponseBase:
        self._chosen_mapping().delete()
        return redirect("import-columns", self.one.pk)

    def _chosen_mapping(self) -> ImportMapping:
        key = self.request.POST.get("mapping", "")
        if not key.isdecimal() or len(key) > 18:
            raise BadRequest("This page does not know which mapping is meant.")
        return get_object_or_404(ImportMapping, kind=self.one.kind, pk=key)

    def _draft(self) -> Mapping:
        known = Mapping.from_json(self.one.mapping)
        return read_draft(self.request.POST, self.table, self.kind, known)

    def _save(self, draft: Mapping) -> None:
        self.one.mapping = draft.as_json()
        self.one.save(update_fields=["mapping"])

    # What is shown ---------------------------------------------------------------------------

    def _shown(self, draft: Mapping) -> ColumnsShown:
        matched = match_columns(self.table, self.kind, draft, dict(self.one.choices))
        return ColumnsShown(self.table, self.kind, draft, matched)

    def _page(self, draft: Mapping, keep: KeepForm, **context: Any) -> HttpResponse:
        one, table = self.one, self.table
        is_too_wide = len(table.columns) > MAX_COLUMNS
        kinds = [(kind.name, capfirst(kind.label)) for kind in kinds_for(self.request.user)]
        sources = ExternalReference.objects.order_by("source").values_list("source", flat=True)
        context |= {
            "one": one,
            "kind": self.kind,
            "kinds": kinds,
            "table": table,
            "other_kind": _other_kind(table, self.kind),
            "shown": None if is_too_wide else self._shown(draft),
            "max_columns": MAX_COLUMNS,
            "max_values": MAX_VALUES,
            "undecided": UNDECIDED,
            "keep": keep,
            "mappings": keep.others.select_related("changed_by"),
            "sources": sources.distinct(),
        }
        return self.render_to_response(context)


def _other_kind(table: SampledTable, kind: ImportKind) -> str:
    """What our export says that its rows are, if that is not the kind."""
    marked = KINDS.get(table.marker.kind) if table.marker else None
    return marked.label if marked and marked != kind else ""
