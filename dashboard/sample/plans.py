"""What each project is to become, decided before its story is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from dashboard.sample.cast import FIRST_DAYS
from dashboard.sample.clock import Clock
from dashboard.sample.decks import Deck
from dashboard.sample.places import SEARCH_AREAS, Place
from dashboard.sample.plants import BUILD_DAYS
from dashboard.sample.sentences import (
    COMPLETED,
    CONSTRUCTION,
    DESIGN,
    DISCOVERY,
    PROCUREMENT,
)

WORKING_DAYS_A_MONTH = 21

#: Technologies of the facilities, with the number of such projects in sixty.
TECHNOLOGIES = [
    (("solar",), 20),
    (("onshore-wind",), 10),
    (("offshore-wind",), 6),
    (("bess",), 15),
    (("solar", "bess"), 7),
    (("onshore-wind", "bess"), 2),
]

#: Last stage and what else is particular, with the number of such projects in sixty.
FATES = [
    ((DISCOVERY, ""), 4),
    ((DISCOVERY, "no date"), 3),
    ((DISCOVERY, "no capacity"), 2),
    ((DESIGN, ""), 7),
    ((DESIGN, "overdue"), 2),
    ((DESIGN, "no rating"), 2),
    ((DESIGN, "probability"), 2),
    ((PROCUREMENT, ""), 6),
    ((PROCUREMENT, "overdue"), 3),
    ((PROCUREMENT, "probability"), 2),
    ((CONSTRUCTION, ""), 5),
    ((CONSTRUCTION, "probability"), 1),
    ((4, ""), 3),
    ((COMPLETED, ""), 6),
    ((DISCOVERY, "held"), 1),
    ((DESIGN, "held"), 2),
    ((PROCUREMENT, "held"), 2),
    ((DISCOVERY, "withdrawn"), 2),
    ((DESIGN, "withdrawn"), 1),
    ((DESIGN, "refused"), 2),
    ((PROCUREMENT, "sold"), 2),
]
ENDED = ("withdrawn", "refused", "sold")

#: Days from today to ready to build, for projects that have not got there.
RTB_AHEAD = {DISCOVERY: (540, 1500), DESIGN: (240, 1000), PROCUREMENT: (40, 420)}
SLIP_DAYS = [-61, -30, 28, 31, 45, 61, 61, 92, 92, 122, 183]

OWNERSHIP = [(100, 41), (50, 5), (75, 4), (51, 4), (80, 3), (49, 2), (90, 1)]


@dataclass(frozen=True)
class Step:
    day: int
    kind: str
    slip_days: int = 0


@dataclass(frozen=True)
class Plan:
    """``opened`` and the steps' days are numbers of the clock; stages are numbers from 0."""

    technologies: tuple[str, ...]
    place: Place
    trait: str
    opened: int
    early: bool
    start: int
    final: int
    ownership_pct: int
    steps: list[Step]
    rtb_date: date | None
    cod_date: date | None
    #: Commercial operation as it stands once the project is under construction.
    final_cod_date: date


class Planner:
    def __init__(self, rng: Random, clock: Clock):
        self.rng = rng
        self.clock = clock
        self._technologies = Deck(rng, TECHNOLOGIES)
        self._fates = Deck(rng, FATES)
        self._ownership = Deck(rng, OWNERSHIP)

    def plan(self, *, beside: Plan | None = None) -> Plan:
        """The next project; ``beside`` makes it an extension of an earlier one."""
        rng, clock = self.rng, self.clock
        final, trait = self._fates.deal()
        if beside:
            technologies, place, early = beside.technologies, beside.place, False
            opened = rng.randrange(beside.opened + 15, len(clock) - 30)
        else:
            technologies = self._technologies.deal()
            place = self._place(technologies[0])
            early = trait == "overdue" or rng.random() < (0.3, 0.45, 0.6, 0.8, 0.9, 0.9)[final]
            opened = FIRST_DAYS + rng.randrange(12 if early else len(clock) - 40)
        months = (len(clock) - opened) / WORKING_DAYS_A_MONTH
        start = final - self._moves(technologies[0], final, months)
        steps = self._steps(opened, months, start, final, trait)
        steps, rtb_date, cod_date, final_cod_date = self._dates(
            technologies[0], opened, start, final, trait, steps
        )
        return Plan(
            technologies=technologies,
            place=place,
            trait=trait,
            opened=opened,
            early=early,
            start=start,
            final=final,
            ownership_pct=self._ownership.deal(),
            steps=steps,
            rtb_date=rtb_date,
            cod_date=cod_date,
            final_cod_date=final_cod_date,
        )

    def _place(self, technology: str) -> Place:
        groups, weights = zip(*SEARCH_AREAS[technology], strict=True)
        return self.rng.choice(self.rng.choices(groups, weights)[0])

    def _moves(self, technology: str, final: int, months: float) -> int:
        wanted = self.rng.choice((0, 1, 1, 2, 2, 3))
        if final == COMPLETED:
            wanted = max(1, wanted)
        slowest = 1 if technology == "offshore-wind" else 3
        return min(wanted, final, slowest, int(months / 5))

    def _steps(self, opened: int, months: float, start: int, final: int, trait: str) -> list[Step]:
        rng, last = self.rng, len(self.clock)
        spine = ["move"] * (final - start)
        if start < CONSTRUCTION and months > 10 and trait != "held" and rng.random() < 0.12:
            spine = ["hold", "release", *spine]
        if trait == "held":
            spine.append("hold")
        elif trait in ENDED:
            spine.append("end")
        wanted = (
            ["slip"] * rng.choice((0, 1, 1, 2, 3))
            + ["rag"] * rng.choice((0, 1, 1, 2, 3))
            + ["confirm"] * rng.choice((0, 0, 1, 2))
            + ["capacity"] * rng.choice((0, 0, 0, 1))
            + ["join"] * rng.choice((0, 0, 1, 1))
            + ["comment"] * rng.choice((0, 0, 1, 2))
            + ["sell-down"] * (rng.random() < 0.05)
        )
        others = [kind for kind in wanted if rng.random() < 0.3 + months / 30]
        if trait == "probability":
            others.append("probability")
        days = []
        first = opened + 3
        length = (last - first) / max(1, len(spine))
        for number in range(len(spine)):
            days.append(int(first + length * (number + rng.uniform(0.15, 0.9))))
        free = sorted(set(range(first, last)) - set(days))
        rng.shuffle(others)
        others = others[: len(free) // 2]
        steps = [Step(day, kind) for day, kind in zip(days, spine, strict=True)]
        steps += map(Step, rng.sample(free, len(others)), others)
        return sorted(steps, key=lambda step: step.day)

    def _dates(self, technology, opened, start, final, trait, steps):
        """The steps with the days of each slip, the first RTB and COD, and the COD in the end."""
        rng, today, days = self.rng, self.clock.today, self.clock.days
        build = rng.randint(*BUILD_DAYS[technology])
        created = days[opened]
        moves = [step.day for step in steps if step.kind == "move"]
        if final == COMPLETED:
            final_cod = days[moves[-1]] if moves else created - timedelta(rng.randint(20, 400))
        else:
            final_cod = today + timedelta(rng.randint(20, 120 if final > CONSTRUCTION else 330))

        if start >= CONSTRUCTION:
            waited = rng.randint(30, 300)
            rtb = min(created - timedelta(waited), final_cod - timedelta(build))
            return steps, rtb, max(final_cod, rtb), final_cod

        if final >= CONSTRUCTION:
            until = moves[CONSTRUCTION - start - 1]
            if final == CONSTRUCTION:
                final_cod = max(final_cod, days[until] + timedelta(build - 30))
            target = days[until] + timedelta(rng.randint(-80, 5))
        elif trait == "overdue":
            until = len(days)
            target = today - timedelta(rng.randint(5, 170))
        else:
            until = len(days)
            target = today + timedelta(rng.randint(*RTB_AHEAD[final]))
        slipping = [step for step in steps if step.kind == "slip" and step.day < until]
        slips = [rng.choice(SLIP_DAYS) for _ in slipping]
        earliest = created + timedelta(45)
        while slips and max(slips) > 14 and target - timedelta(sum(slips)) < earliest:
            slips[slips.index(max(slips))] = 14
        amount = {step.day: slip for step, slip in zip(slipping, slips, strict=True)}
        steps = [Step(step.day, step.kind, amount.get(step.day, 0)) for step in steps]
        if trait == "no date":
            return steps, None, None, final_cod
        rtb = target - timedelta(sum(slips))
        cod = rtb + timedelta(build) if start or rng.random() < 0.6 else None
        return steps, rtb, cod, final_cod
