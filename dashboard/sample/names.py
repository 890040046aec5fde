"""Names of projects, companies and people, composed of the parts in ``data/``."""

from __future__ import annotations

from itertools import chain, count
from random import Random

from dashboard.sample.tables import Row, choose, read_rows

COMPANIES = {row["kind"]: row for row in read_rows("companies")}
COUNTRIES = {row["country"]: row for row in read_rows("countries")}
SITES = {row["language"]: row for row in read_rows("sites")}


def site_name(rng: Random, place: Row) -> str:
    site = SITES[place["language"]]
    return site["pattern"].format(*choose(rng, site, "first", "second"))


def plant_name(site: str, place: Row, technology: str) -> str:
    """``technology`` is a code, or "hybrid"."""
    return SITES[place["language"]][technology.split("-")[-1]].format(site)


class UniqueNames:
    """A generator of names that are unique, ignoring case."""

    def __init__(self, rng: Random):
        self.rng = rng
        self._taken: set[str] = set()

    def make(self, name: str, detail: str) -> str:
        """The name, with the detail at its second use and with a number from the third on."""
        longer = f"{name}, {detail}"
        numbered = (f"{longer} {number}" for number in count(2))
        return next(filter(self._take, chain([name, longer], numbered)))

    def make_company(self, kind: str, country: str) -> str:
        names = COUNTRIES[country]
        root = "".join(choose(self.rng, names, "root", "ending"))
        while not self._take(root):
            root += choose(self.rng, names, "ending")[0]
        return f"{root} {choose(self.rng, COMPANIES[kind], 'trades')[0]} {names['legal_form']}"

    def make_person(self, country: str) -> str:
        """A person's name, with a second family name if it is taken; some duplicates remain."""
        names = COUNTRIES[country]
        name = " ".join(choose(self.rng, names, "first_names", "last_names"))
        if not self._take(name):
            name = f"{name}-{choose(self.rng, names, 'last_names')[0]}"
            self._take(name)
        return name

    def _take(self, name: str) -> bool:
        """Take the name. Returns whether it was free."""
        number = len(self._taken)
        self._taken.add(name.casefold())
        return len(self._taken) > number
