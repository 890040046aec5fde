"""What was decided already, which proposals leave alone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from oegen import audit
from pipelines.registers.models import Match, MatchState
from pipelines.registers.proposing.pairs import Key


@dataclass
class Decisions:
    """``decided``: pairs with a match, accepted or refused. ``withdrawn``: pairs whose match was
    undone, which only a person may accept. ``taken``: projects that are a record of ours, and for
    each company the content types of what it is. ``standing``: records, each with a register of
    which it needs no other project. ``touched``: records, each with a register of which a project
    was decided to be it or not: without that one the scores of others say too much."""

    decided: set[Key] = field(default_factory=set)
    withdrawn: set[Key] = field(default_factory=set)
    taken_projects: set[UUID] = field(default_factory=set)
    taken_companies: dict[UUID, set[int]] = field(default_factory=lambda: defaultdict(set))
    standing: set[tuple[UUID, UUID]] = field(default_factory=set)
    touched: set[tuple[UUID, UUID]] = field(default_factory=set)

    @classmethod
    def read(cls) -> Self:
        found = cls()
        rows = Match.objects.order_by().values_list(
            "project_id", "company_id", "content_type_id", "object_id", "state"
        )
        for project, company, content_type, record, state in rows:
            found.decided.add((project or company, record))
            if state != MatchState.ACCEPTED:
                continue
            if project:
                found.taken_projects.add(project)
            else:
                found.taken_companies[company].add(content_type)
        removed = Match.history.filter(history_type=audit.REMOVED)
        for project, company, record in removed.values_list(
            "project_id", "company_id", "object_id"
        ):
            if (project or company, record) not in found.decided:
                found.withdrawn.add((project or company, record))
        of_register = ("object_id", "project__register")
        matches = Match.objects.order_by().exclude(project=None)
        found.standing = set(matches.standing().values_list(*of_register))
        found.touched = set(matches.values_list(*of_register))
        found.touched.update(removed.exclude(project=None).values_list(*of_register))
        return found
