"""The pages of registers and of their projects."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Count, Q
from django.db.models.query import RawQuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.generic import DetailView, TemplateView

from oegen import asof, jobs
from oegen.core import clock
from oegen.imports.tables.jobs import KEPT_FOR
from oegen.imports.tables.reading import UnreadableFileError
from oegen.imports.tables.reading.limits import MAX_ROWS, MAX_UNPACKED
from oegen.jobs.models import Job
from oegen.jobs.models.job import JobQuerySet
from oegen.pages.filters import DefaultFilter
from oegen.pages.lists import ListPage
from oegen.people.requests import SignedInRequest
from pipelines.registers.adapters.base import DATES
from pipelines.registers.choices import Phase
from pipelines.registers.editions.uploads import INGEST, ask_for_ingest
from pipelines.registers.filters import RegisterProjectFilter
from pipelines.registers.forms import EditionForm
from pipelines.registers.history import history_of
from pipelines.registers.licences import registers_shown
from pipelines.registers.models import (
    Edition,
    Match,
    Register,
    RegisterProject,
)
from pipelines.registers.models.edition import stored_editions
from pipelines.registers.querysets import IN_NEWEST
from pipelines.registers.tables import RegisterProjectTable

#: What fetching requires: it writes editions.
MAY_FETCH = "registers.add_edition"

#: The editions of a register that its card lists.
MAX_EDITIONS = 12

#: The jobs that fetched or read editions, whose results are listed.
MAX_JOBS = 5

#: The kind of job that fetches; see jobs.py.
FETCH = "fetch-registers"


class Registers(TemplateView):
    """The registers with their editions. A POST with ``do`` asks for the newest ones, or for that
    in a file."""

    template_name = "registers/registers.html"
    request: SignedInRequest

    def post(self, request, *args, **kwargs) -> HttpResponse:
        if not request.user.has_perm(MAY_FETCH):
            raise PermissionDenied
        action = request.POST.get("do")
        if action == "fetch":
            return self._fetch()
        if action == "upload":
            return self._upload()
        raise BadRequest("This page does not know what to do with that form.")

    def _fetch(self) -> HttpResponse:
        if not Job.objects.unfinished().filter(kind=FETCH).exists():
            jobs.enqueue(FETCH, person=self.request.user)
        messages.info(
            self.request,
            "The newest editions are being fetched. Those that bring something new stand here when "
            "they are read.",
        )
        return redirect("registers")

    def _upload(self) -> HttpResponse:
        form = EditionForm(self.request.POST, self.request.FILES)
        if form.is_valid():
            data = form.cleaned_data
            try:
                job = ask_for_ingest(
                    register=data["register"],
                    file=data["file"],
                    on=data["edition"],
                    person=self.request.user,
                )
            except UnreadableFileError as error:
                form.add_error("file", str(error))
            else:
                self.request.is_form_stored = True
                return redirect(job)
        return self.render_to_response(self.get_context_data(form=form))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        day = clock.past_day()
        editions: dict[Any, list[Edition]] = {}
        for edition in _editions():
            if day is None or edition.date <= day:
                editions.setdefault(edition.register_id, []).append(edition)
        phases: dict[Any, dict[str, int]] = {}
        rows = RegisterProject.objects.exclude(phase="").order_by()
        for register, phase, number in rows.values_list("register", "phase").annotate(Count("pk")):
            phases.setdefault(register, {})[phase] = number
        labels = dict(Phase.choices)
        may_fetch = self.request.user.has_perm(MAY_FETCH) and not day
        return super().get_context_data(**kwargs) | {
            "section": "registers",
            "parent_section": "competitors",
            "may_fetch": may_fetch,
            "form": kwargs.get("form") or (EditionForm() if may_fetch else None),
            "max_megabytes": MAX_UNPACKED // 1_000_000,
            "max_rows": MAX_ROWS,
            "days_kept": KEPT_FOR.days,
            "jobs": self._jobs() if may_fetch else (),
            "registers": [
                {
                    "register": one,
                    "editions": editions.get(one.pk, [])[:MAX_EDITIONS],
                    "has_rejects": any(edition.rejected for edition in editions.get(one.pk, [])),
                    "older": max(len(editions.get(one.pk, [])) - MAX_EDITIONS, 0),
                    "phases": [
                        (code, labels[code], phases[one.pk][code])
                        for code in labels
                        if phases.get(one.pk, {}).get(code)
                    ],
                }
                for one in Register.objects.active()
            ],
        }

    def _jobs(self) -> JobQuerySet:
        """The latest that fetched or read editions, of the person or of a schedule."""
        found = Job.objects.filter(kind__in=(FETCH, INGEST))
        mine = found.filter(Q(person=self.request.user) | Q(person=None))
        return mine.order_by("-created_at")[:MAX_JOBS]


def _editions() -> RawQuerySet[Edition]:
    """The newest first; on a past page also those that were fetched later."""
    table = asof.stored_table(Edition)
    return Edition.objects.raw(f"SELECT * FROM {table} ORDER BY date DESC")  # noqa: S608


class RegisterProjects(ListPage):
    queryset = RegisterProject.objects.order_by("name", "key", "pk")
    filterset_class = RegisterProjectFilter
    table_class = RegisterProjectTable
    section = "register-projects"
    switch_template_name = "registers/parts/switch.html"
    template_name = "registers/projects.html"
    default_filter = DefaultFilter("seen", IN_NEWEST, "in the newest edition")
    empty_text = "Projects of public registers stand here once an edition was fetched."
    remedy_text = "Portfolio managers fetch editions on the page of the registers."
    is_imported = False

    def file_facts(self, table, title, marker):
        licences = [
            (f"Licence of {one}", f"{one.attribution} ({one.licence_name}, {one.licence_url})")
            for one in registers_shown()
        ]
        return [*super().file_facts(table, title, marker), *licences]

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {
            "parent_section": "competitors",
            "licences": registers_shown(),
        }


class RegisterProjectPage(DetailView[RegisterProject]):
    """What a register says of a project: now, and edition by edition."""

    template_name = "registers/project.html"
    context_object_name = "record"

    def get_queryset(self):
        found = RegisterProject.objects.present()
        return found.select_related("register", "technology", "stage")

    def get_context_data(self, **kwargs):
        record = self.object
        matches = Match.objects.accepted().filter(project=record)
        return super().get_context_data(**kwargs) | {
            "section": "register-projects",
            "parent_section": "competitors",
            "companies": [
                link.company
                for link in record.company_links.select_related("company__group").order_by(
                    "position"
                )
            ],
            "matches": matches.prefetch_related("record"),
            "history": history_of(record),
            "newest_on": stored_editions(record.register, clock.past_day())[-1][1],
            "others": self._others(),
            "dates": [
                (label, value)
                for code, label in DATES.items()
                if (value := getattr(record, f"{code}_on"))
            ],
            "places": self._places(),
            "licences": [record.register],
        }

    def _others(self) -> list[dict[str, Any]]:
        """The projects of the register that the row refers to, as far as they are there."""
        record = self.object
        keys = {"Replaced by": record.superseded_by, "Storage with": record.storage_with}
        wanted = {key for several in keys.values() for key in several}
        if not wanted:
            return []
        found = RegisterProject.objects.present().filter(register=record.register, key__in=wanted)
        projects = {one.key: one for one in found}
        return [
            {"label": label, "projects": [projects[key] for key in several if key in projects]}
            for label, several in keys.items()
            if any(key in projects for key in several)
        ]

    def _places(self) -> list[dict[str, Any]]:
        record = self.object
        if record.latitude is None or record.longitude is None:
            return []
        return [
            {
                "name": record.name,
                "size": "",
                "latitude": float(record.latitude),
                "longitude": float(record.longitude),
            }
        ]
