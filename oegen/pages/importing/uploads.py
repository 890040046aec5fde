"""Where an import starts: a file or a pasted block, and the imports of the signed-in user."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.views.generic import TemplateView

from oegen.imports.tables.jobs import KEPT_FOR, PREVIEW, READ, ask_for
from oegen.imports.tables.kinds import KINDS
from oegen.imports.tables.models import ImportMapping, TableImport
from oegen.imports.tables.reading import UnreadableFileError
from oegen.imports.tables.reading.limits import MAX_COLUMNS, MAX_ROWS, MAX_UNPACKED
from oegen.imports.tables.running import asks_nothing, start_import
from oegen.imports.tables.sampling import SampledTable
from oegen.pages.importing.access import ImportersMixin, kinds_for
from oegen.pages.importing.forms import KIND, UploadForm
from oegen.people.requests import SignedInRequest

#: The number of imports per page.
PAGE_SIZE = 25


class Imports(ImportersMixin, TemplateView):
    """The imports of the signed-in user, newest first. A POST starts one. ``?kind=`` preselects
    what the rows are."""

    template_name = "oegen/importing/imports.html"
    request: SignedInRequest

    def get(self, request, *args, **kwargs):
        initial = {"reads_as": f"{KIND}:{request.GET.get('kind', '')}"}
        return self._page(UploadForm(kinds_for(request.user), initial=initial))

    def post(self, request, *args, **kwargs) -> HttpResponseBase:
        form = UploadForm(kinds_for(request.user), request.POST, request.FILES)
        if not form.is_valid():
            return self._page(form)
        try:
            one = self._start(form)
        except UnreadableFileError as error:
            form.add_error("file" if form.cleaned_data["file"] else "block", str(error))
            return self._page(form)
        request.is_form_stored = True
        if form.is_long:
            among = [] if form.cleaned_data["reads_as"] else [*form.kinds_by_name]
            ask_for(READ, one, among=among)
        elif asks_nothing(one, SampledTable.read(one.columns_path)):
            ask_for(PREVIEW, one)
            return redirect("import", one.pk)
        return redirect("import-columns", one.pk)

    def _start(self, form: UploadForm) -> TableImport:
        """Raises UnreadableFileError."""
        reads_as = form.cleaned_data["reads_as"]
        names = [*form.kinds_by_name]
        mapping = reads_as if isinstance(reads_as, ImportMapping) else None
        kind = mapping.kind if mapping else reads_as.name if reads_as else names[0]
        with tempfile.NamedTemporaryFile() as copy:
            if file := form.cleaned_data["file"]:
                for chunk in file.chunks():
                    copy.write(chunk)
            else:
                copy.write(form.cleaned_data["block"].encode())
            copy.flush()
            return start_import(
                content=Path(copy.name),
                name=form.file_name,
                kind=kind,
                person=self.request.user,
                mapping=mapping,
                among=() if reads_as else names,
                is_read_later=form.is_long,
            )

    def _page(self, form: UploadForm) -> HttpResponseBase:
        mine = TableImport.objects.filter(person=self.request.user).select_related("job")
        mine = mine.defer("mapping", "choices")  # Of large files, these are large.
        page = Paginator(mine, PAGE_SIZE).get_page(self.request.GET.get("page"))
        context: dict[str, Any] = {
            "form": form,
            "page": page,
            "imports": [(one, KINDS[one.kind].label) for one in page],
            "days_kept": KEPT_FOR.days,
            "max_megabytes": MAX_UNPACKED // 1_000_000,
            "max_rows": MAX_ROWS,
            "max_columns": MAX_COLUMNS,
        }
        return self.render_to_response(context)
