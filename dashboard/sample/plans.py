"""What each project is to become, decided before anything happens to it."""

from __future__ import annotations

from datetime import date, timedelta

from dashboard.sample.companies import FIRST_DAYS
from dashboard.sample.history import History
from dashboard.sample.tables import PLACES, PROPORTIONS, TECHNOLOGIES, TEXTS, choose, span, weighted

DISCOVERY, DESIGN, PROCUREMENT, CONSTRUCTION, COMMISSIONING, COMPLETED = range(6)
WORKING_DAYS_A_MONTH = 21


class Plan:
    """``source`` has the codes of the technologies, or is the plan of a project to extend.

    Stages are numbers from 0. ``opened`` and the days of ``steps`` are days of the history, with
    the name of the Project's method that makes the step.
    """

    def __init__(self, history: History, destination: tuple[int, str], source: Plan | str):
        self._history = history
        self._rng = rng = history.rng
        self.final_stage, self.trait = destination
        is_old = self.trait == "overdue" or rng.random() < PROPORTIONS["older"][self.final_stage]
        last = len(history.days)
        if isinstance(source, Plan):
            self.technologies, self.place, self.is_old = source.technologies, source.place, False
            self.opened = rng.randrange(source.opened + 15, last - 30)
        else:
            self.technologies, self.is_old = source.split(), is_old
            (language,) = choose(rng, TECHNOLOGIES[self.technologies[0]], "languages")
            self.place = rng.choice([row for row in PLACES if row["language"] == language])
            self.opened = FIRST_DAYS + rng.randrange(12 if self.is_old else last - 40)
        self._months = (last - self.opened) // WORKING_DAYS_A_MONTH
        moves = rng.choice((1, 1, 2, 2, 3) if self.final_stage == COMPLETED else (0, 1, 1, 2, 3))
        slowest = 1 if self.place["language"] == "sea" else 3
        self._moves = min(moves, self.final_stage, slowest, self._months // 5)
        self.stage = self.final_stage - self._moves
        self.steps = self._choose_steps()
        self._choose_dates()

    def _choose_steps(self) -> list[tuple[int, str]]:
        """Moves, holds and ends spread over the time, and incidents on other days."""
        rng, first, last = self._rng, self.opened + 3, len(self._history.days)
        names = ["move"] * self._moves
        if self.trait == "held":
            names.append("hold")
        elif self.trait in TEXTS["endings"]:
            names.append("end")
        elif self.stage < CONSTRUCTION and self._months > 10 and rng.random() < 0.15:
            names = ["hold", "release", *names]
        share = (last - first) / max(1, len(names))
        days = [int(first + share * (n + rng.uniform(0.15, 0.9))) for n in range(len(names))]
        free = sorted({*range(first, last)} - {*days})
        for day in rng.sample(free, rng.randint(1, 2 + self._months // 3)):
            days.append(day)
            names.append(weighted(rng, PROPORTIONS["incidents"]))
        return sorted(zip(days, names, strict=True))

    def _choose_dates(self) -> None:
        """The first dates, the slips to the dates of today, and when it is or will be built."""
        rng, today, days = self._rng, self._history.today, self._history.days
        created = days[self.opened]
        moves = [days[day] for day, name in self.steps if name == "move"]
        build = timedelta(rng.randint(*span(TECHNOLOGIES[self.technologies[0]], "build_days")))
        self.slips: list[int] = []
        self.rtb_date: date | None = None
        self.cod_date: date | None = None
        self.built_on = today + timedelta(rng.randint(20, 300))
        if self.final_stage == COMPLETED:
            self.built_on = moves[-1] if moves else created - timedelta(rng.randint(20, 400))
        if self.stage >= CONSTRUCTION:
            waited = timedelta(rng.randint(30, 300))
            self.rtb_date = min(created - waited, self.built_on - build)
            self.cod_date = self.built_on
            return

        ready = today
        if self.final_stage >= CONSTRUCTION:
            ready = moves[CONSTRUCTION - self.stage - 1]
            if self.final_stage == CONSTRUCTION:
                self.built_on = max(self.built_on, ready + build)
            target = ready + timedelta(rng.randint(-80, 5))
        elif self.trait == "overdue":
            target = today - timedelta(rng.randint(5, 170))
        else:
            target = today + timedelta(rng.randint(*PROPORTIONS["rtb_ahead"][self.final_stage]))
        slipping = [day for day, name in self.steps if name == "slip" and days[day] < ready]
        self.slips = rng.choices(PROPORTIONS["slip_days"], k=len(slipping))
        while self.slips and target - timedelta(sum(self.slips)) < created + timedelta(45):
            self.slips.remove(max(self.slips))
        if self.trait != "no date":
            self.rtb_date = target - timedelta(sum(self.slips))
            if self.stage or rng.random() < 0.6:
                self.cod_date = self.rtb_date + build
