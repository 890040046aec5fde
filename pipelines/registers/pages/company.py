"""The page of a company of registers."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import DetailView

from counterparties.models import Counterparty
from oegen.core import clock
from oegen.core.words import plain
from oegen.people.requests import SignedInRequest
from oegen.search.ordering import natural
from pipelines.models import Facility, Pipeline
from pipelines.registers.adapters.operators import company_key
from pipelines.registers.benchmarks import benchmark_of
from pipelines.registers.choices import Phase
from pipelines.registers.filters import MAIN, chosen_registers, main_registers
from pipelines.registers.market import Standing
from pipelines.registers.models import Match, RegisterCompany, RegisterProject
from pipelines.registers.nearby import NEAR_KM, Neighbour, neighbours
from pipelines.registers.services import (
    DecisionRefusedError,
    add_counterparty,
    same_counterparty,
)
from pipelines.registers.survival import Course
from pipelines.registers.track_record import track_record_of

#: What adding a company as counterparty requires.
MAY_ADD = ("counterparties.add_counterparty", "registers.add_match")

MAX_LISTED, MAX_ON_MAP, MAX_NEAR, MAX_JOINT, MAX_NAMES = 100, 1000, 10, 20, 5

_PHASES = {phase: place for place, phase in enumerate(Phase)}


@dataclass(frozen=True)
class Figure:
    """What the company has in a phase, and the list of it."""

    label: str
    standing: Standing
    url: str


class CompanyPage(DetailView[RegisterCompany]):
    """What a company, and those that belong to it, plan and built. A POST makes it a counterparty.

    Of the registers of one country one counts, so that no plant counts twice.
    """

    model = RegisterCompany
    template_name = "registers/company.html"
    context_object_name = "record"
    request: SignedInRequest

    def get_queryset(self):
        return RegisterCompany.objects.select_related("group")

    def post(self, request, *args, **kwargs) -> HttpResponse:
        if not request.user.has_perms(MAY_ADD):
            raise PermissionDenied
        company = self.get_object()
        try:
            counterparty = add_counterparty(company=company, person=request.user)
        except (ValidationError, DecisionRefusedError) as error:
            why = " ".join(getattr(error, "messages", [str(error)]))
            messages.warning(request, f"Nothing was added. {why}")
            return redirect(company)
        messages.success(request, f"{company} is our counterparty {counterparty} now.")
        return redirect(company)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        company = self.object
        projects = RegisterProject.objects.present().of_owner(company)
        everywhere = list(projects.select_related("technology", "register", "stage"))
        chosen = chosen_registers(everywhere)
        counted = [one for one in everywhere if chosen[one.country] == one.register_id]
        registers = sorted({one.register for one in counted}, key=lambda one: one.order)
        here = [one for one in counted if one.phase]
        here.sort(key=lambda one: (_PHASES[one.phase], -(one.capacity_mw or 0), one.name))
        is_main = all(main_registers().get(country) == key for country, key in chosen.items())
        codes = [MAIN] if is_main else [one.code for one in registers]
        counterparties = self._counterparties()
        joint = Pipeline.objects.filter(counterparties__in=counterparties).distinct()
        matched = self._matched(everywhere)
        may_add = not counterparties and self.request.user.has_perms(MAY_ADD)
        return super().get_context_data(**kwargs) | {
            "section": "competitors",
            "other_names": _other_names(company),
            "members": company.members.order_by("name"),
            "figures": self._figures(counted, codes),
            "unit": "/".join(sorted({one.unit for one in here if one.capacity_mw})) or "MW",
            "projects": here[:MAX_LISTED],
            "projects_url": self._list(codes),
            "left_out": max(len(here) - MAX_LISTED, 0),
            "elsewhere": Counter(
                one.register.name for one in everywhere if chosen[one.country] != one.register_id
            ).items(),
            "places": _places(here[:MAX_ON_MAP]),
            "track_record": track_record_of(map(Course.of, counted)),
            "market": [(one, benchmark_of(one)) for one in registers],
            "counterparties": counterparties,
            "joint": joint.select_related("stage")
            .with_capacity()
            .with_overdue()
            .order_by(natural("project_name"), "pk")[:MAX_JOINT],
            "joint_count": joint.count(),
            "joint_capacity": joint.capacity(),
            "matched": matched[:MAX_JOINT],
            "near": _near(here, matched),
            "near_km": round(NEAR_KM),
            "may_add": may_add and not clock.past_day(),
            "same": same_counterparty(company) if may_add else None,
            "licences": sorted(
                {one.register for one in everywhere}, key=lambda one: (one.order, one.name)
            ),
        }

    def _list(self, registers: list[str], *phases: str) -> str:
        query = [("owner", str(self.object.pk))]
        query += [("register", code) for code in registers]
        query += [("phase", phase) for phase in phases]
        return f"{reverse('register-projects')}?{urlencode(query)}"

    def _figures(self, projects: list[RegisterProject], registers: list[str]) -> list[Figure]:
        numbers: Counter[str] = Counter()
        mw: dict[str, Decimal] = defaultdict(Decimal)
        before: dict[str, Decimal] = defaultdict(Decimal)
        for one in projects:
            if one.phase:
                numbers[one.phase] += 1
                mw[one.phase] += one.capacity_mw or 0
            if one.previous_phase:
                before[one.previous_phase] += one.previous_mw or 0
        return [
            Figure(
                str(phase.label),
                Standing(numbers[phase], float(mw[phase]), float(mw[phase] - before[phase])),
                self._list(registers, phase),
            )
            for phase in Phase
        ]

    def _counterparties(self) -> list[Counterparty]:
        matches = Match.objects.accepted().filter(
            Q(company=self.object) | Q(company__group=self.object),
            content_type=ContentType.objects.get_for_model(Counterparty),
        )
        keys = list(matches.values_list("object_id", flat=True))
        found = (
            Counterparty.objects.recorded().filter(pk__in=keys)
            if keys
            else Counterparty.objects.none()
        )
        return list(found.order_by(natural("name")))

    def _matched(self, projects: list[RegisterProject]) -> list[Match]:
        """Projects of the company that are ours, too."""
        kinds = ContentType.objects.get_for_models(Pipeline, Facility).values()
        found = Match.objects.accepted().filter(
            project__in=[one.pk for one in projects], content_type__in=kinds
        )
        return list(found.select_related("project").prefetch_related("record"))


def _near(projects: list[RegisterProject], ours: list[Match]) -> list[Neighbour]:
    """Of those that are to be built and are none of ours."""
    known = {match.project_id for match in ours}
    others = (one for one in projects if one.phase != Phase.BUILT and one.pk not in known)
    return neighbours(others, MAX_NEAR)


def _other_names(company: RegisterCompany) -> list[str]:
    """Without those that differ by letters and legal forms alone."""
    names = {company_key(company.name): company.name}
    for alias in company.aliases:
        names.setdefault(company_key(alias), alias)
    return list(names.values())[1:][:MAX_NAMES]


def _places(projects: list[RegisterProject]) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "size": "" if one.capacity_mw is None else f"{plain(one.capacity_mw)} {one.unit}",
            "latitude": float(one.latitude),
            "longitude": float(one.longitude),
            "url": one.get_absolute_url(),
        }
        for one in projects
        if one.latitude is not None and one.longitude is not None
    ]
