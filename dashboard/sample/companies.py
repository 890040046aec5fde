"""The companies and contacts of the sample."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain, islice
from random import Random

from django.utils.text import slugify

from counterparties.models import Contact, Counterparty, CounterpartyContact
from counterparties.reference import CONTACT_ROLES
from dashboard.sample.history import History
from dashboard.sample.names import COMPANIES, UniqueNames
from dashboard.sample.tables import PROPORTIONS, TEXTS, evenly, weighted
from oegen.audit.seeding import reference_id

#: Most companies are entered in the first days, so that every project finds one of each kind.
FIRST_DAYS = 4

#: Kinds that do business in their own country only.
LOCAL_KINDS = ("landowner", "grid")


class Companies:
    def __init__(self, history: History):
        self.history = history
        self.rng = history.rng
        self.names = UniqueNames(history.rng)
        self._numbers: set[int] = set()
        self._later_events = evenly(self.rng, PROPORTIONS["company_events"])
        #: By kind and country ("" is all countries): the companies, and since which day they exist.
        self._known: dict[tuple[str, str], list[tuple[int, Counterparty]]] = defaultdict(list)

    def pick(self, kind: str, country: str, day: int) -> Counterparty:
        """A company of the kind that exists on the day, from the country if there is one.

        The first ones are picked most often, because a few partners have most of the projects.
        """
        for where in (country, ""):
            known = self._known[kind, where]
            for _ in range(3 if known else 0):
                since, company = known[int(len(known) * self.rng.random() ** 1.3)]
                if since < day:
                    return company
        return self._known[kind, ""][0][1]

    def create(self, count: int) -> Iterator[None]:
        """Make ``count`` companies with their contacts, one of each kind first."""
        numbers = {kind: int(company["number"]) for kind, company in COMPANIES.items()}
        kinds = chain(COMPANIES, evenly(self.rng, numbers))
        for number, kind in enumerate(islice(kinds, count)):
            self._create_company(kind, is_first=number < len(COMPANIES))
            yield

    def _create_company(self, kind: str, *, is_first: bool) -> None:
        rng, last = self.rng, len(self.history.days)
        is_old = is_first or rng.random() < 0.75
        country = "GB" if is_first else weighted(rng, PROPORTIONS["countries"])
        day = rng.randrange(FIRST_DAYS) if is_old else rng.randrange(15, last - 40)
        reason = "Taken over from the old address book" if is_old else "New partner met"
        event = self.history.event(day, reason)
        name = self.names.make_company(kind, country)
        company = event.add(
            Counterparty,
            name=name,
            aliases=self.names.make_company(kind, country) if rng.random() < 0.2 else "",
            strategy=rng.choice(COMPANIES[kind]["strategies"].split(" / ")),
            website=f"https://www.{_domain(name)}",
            country=country,
            company_number=self._unused_number() if country == "GB" else "",
            lei=_lei(rng) if rng.random() < 0.4 else "",
        )
        roles = rng.sample(CONTACT_ROLES, rng.choice(PROPORTIONS["team_sizes"]))
        links = [self._add_contact(event, company, role) for role in roles]
        later = rng.randrange(day + 30, last)
        match next(self._later_events):
            case "succession":
                self._replace_contact(later, company, links[-1], roles[-1])
            case "strategy":
                strategy = rng.choice(TEXTS["new_strategies"])
                self.history.event(later, "Annual partner review").change(
                    company, strategy=strategy
                )
            case "archived" if not is_first:
                event = self.history.event(later, "In administration, no more dealings")
                event.change(company, archived_at=event.when)
                return
        for where in (country, ""):
            self._known[kind, where].append((day, company))

    def _unused_number(self) -> str:
        """A company number far above those that Companies House has issued."""
        number = self.rng.randrange(10**6)
        while number in self._numbers:
            number = (number + 1) % 10**6
        self._numbers.add(number)
        return f"99{number:06}"

    def _add_contact(self, event, company, role, since=None) -> CounterpartyContact:
        """A contact and its link to the company, which is returned."""
        code, title = role
        name = self.names.make_person(company.country)
        contact = event.add(
            Contact,
            name=name,
            email=f"{slugify(name).replace('-', '.')}@{_domain(company.name)}",
            # A range that Ofcom reserves for drama.
            phone=f"020 7946 0{self.rng.randrange(1000):03}" if company.country == "GB" else "",
            job_title=title,
        )
        if not since and self.rng.random() < 0.6:
            since = event.when.date() - timedelta(self.rng.randrange(1500))
        return event.add(
            CounterpartyContact,
            counterparty_id=company.pk,
            contact_id=contact.pk,
            role_id=reference_id("contactrole", code),
            valid_from=since,
        )

    def _replace_contact(self, day, company, link, role) -> None:
        event = self.history.event(day, "Has left, successor introduced")
        last_day = event.when.date() - timedelta(self.rng.randrange(20))
        event.change(link, valid_until=last_day)
        self._add_contact(event, company, role, last_day + timedelta(1))


def _domain(company: str) -> str:
    return f"{slugify(' '.join(company.split()[:2]))}.example"


def _lei(rng: Random) -> str:
    """A legal entity identifier with right check digits (ISO 7064, mod 97-10), of an issuer that
    does not exist."""
    body = "999900" + "".join(rng.choices("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", k=12))
    digits = "".join(str(int(character, 36)) for character in body + "00")
    return f"{body}{98 - int(digits) % 97:02}"
