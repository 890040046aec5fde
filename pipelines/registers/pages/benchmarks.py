"""The page of benchmarks: how long projects take by technology and region, and ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import Http404
from django.utils.http import urlencode
from django.views.generic import TemplateView

from pipelines.models import Technology
from pipelines.registers.benchmarks import (
    Benchmark,
    Benchmarks,
    Group,
    benchmarks_of,
    our_benchmarks,
)
from pipelines.registers.licences import registers_shown
from pipelines.registers.models import Register, RegisterProject

#: Technologies and regions of fewer projects than this are left out of the tables.
FEWEST = 10

_NOTHING = Benchmark()


@dataclass(frozen=True)
class Row:
    label: str
    technology: Technology | None
    theirs: Benchmark
    ours: Benchmark
    url: str = ""
    is_current: bool = False

    @property
    def projects(self) -> int:
        return max(self.theirs.to_consent.projects, self.theirs.to_operation.projects)


class BenchmarksPage(TemplateView):
    """``?register=`` a code, ``?technology=`` a code, or what the register calls it."""

    template_name = "registers/benchmarks.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # In two queries: on a past page PostgreSQL can't group by a register's key alone.
        projects = RegisterProject.objects.order_by().values_list("register")
        numbers = dict(projects.annotate(Count("pk")))
        registers = sorted(registers_shown(), key=lambda one: -numbers.get(one.pk, 0))
        register = self._register(registers)
        context = super().get_context_data(**kwargs) | {
            "section": "benchmarks",
            "parent_section": "competitors",
            "registers": [(one, f"?{urlencode({'register': one.code})}") for one in registers],
            "register": register,
            "fewest": FEWEST,
            "licences": [register] if register else [],
        }
        if register is None:
            return context
        theirs, ours = benchmarks_of(register), our_benchmarks()
        technologies = Technology.objects.in_bulk()
        asked = self.request.GET.get("technology", "")
        chosen = self._chosen(asked, theirs, technologies)
        by_technology = [
            self._row(theirs, ours, technologies, group, register, is_current=group == chosen)
            for group in theirs
            if group.technology and not group.region
        ]
        by_region = [
            Row(group.region, None, theirs[group], _NOTHING)
            for group in theirs
            if group.region and group.technology == chosen.technology
        ]
        everything = theirs.get(Group(), _NOTHING)
        return context | {
            "everything": Row("All technologies", None, everything, ours.get(Group(), _NOTHING)),
            "by_technology": _largest(by_technology),
            "by_region": _largest(by_region),
            "chosen": self._label(chosen, technologies),
            "chosen_total": Row(
                "All regions", None, theirs.get(chosen, _NOTHING), ours.get(chosen, _NOTHING)
            ),
        }

    def _register(self, registers: list[Register]) -> Register | None:
        """The one asked for, else that with the most projects."""
        code = self.request.GET.get("register")
        if code is None:
            return registers[0] if registers else None
        for one in registers:
            if one.code == code:
                return one
        raise Http404("There is no such register, or none with an edition.")

    @staticmethod
    def _chosen(asked: str, theirs: Benchmarks, technologies: dict[UUID, Technology]) -> Group:
        """All technologies if there is none of that code or name."""
        key: UUID | str = next(
            (one.pk for one in technologies.values() if one.code == asked), asked
        )
        return Group(key) if Group(key) in theirs else Group()

    @staticmethod
    def _label(group: Group, technologies: dict[UUID, Technology]) -> str:
        if isinstance(group.technology, UUID):
            found = technologies.get(group.technology)
            return found.name if found else ""
        return group.technology

    def _row(
        self,
        theirs: Benchmarks,
        ours: Benchmarks,
        technologies: dict[UUID, Technology],
        group: Group,
        register: Register,
        *,
        is_current: bool,
    ) -> Row:
        known = technologies.get(group.technology) if isinstance(group.technology, UUID) else None
        code = known.code if known else str(group.technology)
        return Row(
            self._label(group, technologies),
            known,
            theirs[group],
            ours.get(group, _NOTHING),
            f"?{urlencode({'register': register.code, 'technology': code})}",
            is_current,
        )


def _largest(rows: list[Row]) -> list[Row]:
    found = [row for row in rows if row.projects >= FEWEST]
    key: Callable[[Row], Any] = lambda row: (-row.projects, row.label)  # noqa: E731
    return sorted(found, key=key)
