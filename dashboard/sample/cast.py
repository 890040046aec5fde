"""The companies and people of the sample, and the invented colleagues who enter everything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.utils.text import slugify

from counterparties.models import Contact, ContactRole, Counterparty, CounterpartyContact
from dashboard.sample import names
from dashboard.sample.clock import Clock
from dashboard.sample.decks import Deck
from dashboard.sample.ledger import Event, Ledger
from oegen.models import User

#: Companies are entered in the first days, so that every project finds one of each kind.
FIRST_DAYS = 4

COLLEAGUES = [
    ("Amara", "Whitlock"),
    ("Tomasz", "Lindqvist"),
    ("Isla", "Fenwick"),
    ("Rafael", "Ordaz"),
    ("Hanne", "Rosendahl"),
]

STRATEGIES = {
    "developer": [
        "Takes greenfield sites to ready to build and sells half before construction.",
        "Co-located solar and storage near constrained substations.",
        "Few, large sites with early community agreements; keeps a minority after sale.",
        "Repowering of first-generation wind sites.",
    ],
    "investor": [
        "Buys at ready to build, long hold, wants inflation-linked revenue.",
        "Minority stakes in portfolios above 200 MW, no construction risk.",
    ],
    "offtaker": [
        "Ten-year pay-as-produced contracts, prefers plants near its own sites.",
        "Needs round-the-clock green power; interested in solar with storage.",
    ],
    "builder": ["Full-wrap contracts up to 100 MW, own high-voltage crew."],
    "operator": ["Operates from two control rooms, wants multi-technology contracts."],
    "landowner": ["Long leases on lower-grade land, wants grazing between the rows."],
    "grid": ["Connects in the order of readiness; flexible offers where it is full."],
}
NEW_STRATEGIES = [
    "Has paused new sites until it has raised more equity; sells two projects this year.",
    "Has moved from solar to storage after the last auction.",
    "Looks beyond its home market now, first offices opened.",
]


@dataclass(frozen=True, slots=True)
class Company:
    id: UUID
    name: str
    country: str
    opened: int


def get_colleagues(joined: datetime) -> list[User]:
    """The invented users, made where they are missing. None of them can sign in."""
    colleagues = []
    for first, last in COLLEAGUES:
        user, _created = User.objects.get_or_create(
            username=f"sample.{first}.{last}".lower(),
            defaults={
                "first_name": first,
                "last_name": last,
                "email": f"{first}.{last}@oegen.example".lower(),
                "is_active": False,
                "password": make_password(None),
                "date_joined": joined,
            },
        )
        colleagues.append(user)
    return colleagues


class Cast:
    def __init__(self, rng: Random, clock: Clock, ledger: Ledger):
        self.rng = rng
        self.clock = clock
        self.ledger = ledger
        self.colleagues = get_colleagues(
            datetime.combine(clock.days[0], datetime.min.time(), UTC) - timedelta(days=30)
        )
        self._roles = dict(ContactRole.objects.values_list("code", "pk"))
        self._companies: dict[tuple[str, str], list[Company]] = defaultdict(list)
        self._kinds = self._deal_kinds()
        self._team_sizes = Deck(rng, [(2, 8), (3, 12), (4, 5)])
        self._fates = Deck(rng, [("", 11), ("succession", 9), ("strategy", 4), ("archived", 1)])
        self._taken: set[str] = set()
        self._adviser: Contact | None = None

    def colleague(self) -> User:
        return self.rng.choice(self.colleagues)

    def pick(self, kind: str, country: str, day: int) -> Company:
        """A company of the kind known by that day, from the country if there is one. The first
        ones are picked most often, as a few partners have most of the projects."""
        for where in (country, ""):
            known = self._companies[kind, where]
            for _ in range(3 if known else 0):
                company = known[int(len(known) * self.rng.random() ** 1.3)]
                if company.opened < day:
                    return company
        return self._companies[kind, ""][0]

    def knows(self, kind: str, country: str, day: int) -> bool:
        return any(company.opened < day for company in self._companies[kind, country][:3])

    def enter(self, count: int) -> Iterator[None]:
        """Make ``count`` companies with their contacts; yields after each."""
        for number in range(count):
            one_of_first = number < len(names.COMPANY_KINDS)
            self._enter_company(next(self._kinds), one_of_first=one_of_first)
            yield

    def _deal_kinds(self) -> Iterator[str]:
        """As many of each kind as there are among 25 companies, and first one of each."""
        counts = [(kind, count) for kind, (count, _) in names.COMPANY_KINDS.items()]
        deck = Deck(self.rng, counts)
        while True:
            hand = [deck.deal() for _ in range(sum(count for _, count in counts))]
            for kind, _ in counts:
                hand.remove(kind)
                yield kind
            yield from hand

    def _enter_company(self, kind: str, *, one_of_first: bool) -> None:
        rng, clock = self.rng, self.clock
        early = one_of_first or rng.random() < 0.75
        country = "GB" if one_of_first else rng.choice(names.COMPANY_COUNTRIES)
        name = names.company_name(rng, kind, country, self._taken)
        domain = f"{slugify(' '.join(name.split()[:2]))}.example"
        opened = rng.randrange(FIRST_DAYS) if early else rng.randrange(15, len(clock) - 40)
        reason = "Taken over from the old address book" if early else "New partner met"
        event = self.ledger.event(clock.moment(opened, rng), self.colleague(), reason)
        company = event.add(
            Counterparty,
            name=name,
            aliases=name.split()[0] if rng.random() < 0.3 else "",
            strategy=rng.choice(STRATEGIES[kind]),
            website=f"https://www.{domain}",
            country=country,
            # Companies House has not come near these numbers.
            company_number=f"99{rng.randrange(10**6):06}" if country == "GB" else "",
            lei=_lei(rng) if rng.random() < 0.4 else "",
        )
        roles = rng.sample(list(self._roles), self._team_sizes.deal())
        team = [self._enter_contact(event, company, domain, role) for role in roles]
        others = [role for role in self._roles if role not in roles]
        if others and rng.random() < 0.2:
            self._link(event, company, team[0][0], others[0], self._some_day_before(event))
        if self._adviser and self._adviser.created_at < event.when and rng.random() < 0.15:
            self._link(event, company, self._adviser, "strategy-lead", None)
        self._adviser = team[0][0]

        if rng.random() < 0.35:
            later = self._later(opened, "From the signature of their last e-mail")
            later.change(team[0][0], job_title=f"{team[0][0].job_title}, Europe")
        fate = self._fates.deal()
        if fate == "succession":
            self._replace_contact(opened, company, domain, team[-1], roles[-1])
        elif fate == "strategy":
            later = self._later(opened, "Annual partner review")
            later.change(company, strategy=rng.choice(NEW_STRATEGIES))
        elif fate == "archived" and not one_of_first:
            later = self._later(opened, "In administration, no more dealings")
            later.change(company, archived_at=later.when)
            return
        known = Company(company.pk, name, country, opened)
        self._companies[kind, country].append(known)
        self._companies[kind, ""].append(known)

    def _later(self, opened: int, reason: str) -> Event:
        day = self.rng.randrange(opened + 30, len(self.clock))
        return self.ledger.event(self.clock.moment(day, self.rng), self.colleague(), reason)

    def _some_day_before(self, event: Event) -> date | None:
        if self.rng.random() < 0.4:
            return None
        return event.when.date() - timedelta(days=self.rng.randrange(1500))

    def _enter_contact(self, event, company, domain, role, since=None):
        """The new contact and its link to the company."""
        rng = self.rng
        first, last = names.person_name(rng, company.country)
        contact = event.add(
            Contact,
            name=f"{first} {last}",
            email=f"{slugify(f'{first} {last}').replace('-', '.')}@{domain}",
            # A range that the British regulator keeps free for plays and films.
            phone=f"020 7946 0{rng.randrange(1000):03}" if company.country == "GB" else "",
            job_title=rng.choice(names.JOB_TITLES[role]),
        )
        since = since or self._some_day_before(event)
        return contact, self._link(event, company, contact, role, since)

    def _link(self, event, company, contact, role, since: date | None) -> CounterpartyContact:
        return event.add(
            CounterpartyContact,
            counterparty_id=company.pk,
            contact_id=contact.pk,
            role_id=self._roles[role],
            valid_from=since,
        )

    def _replace_contact(self, opened, company, domain, leaver, role) -> None:
        contact, link = leaver
        event = self._later(opened, f"{contact.name} has left, successor introduced")
        last_day = event.when.date() - timedelta(days=self.rng.randrange(20))
        event.change(link, valid_until=last_day)
        self._enter_contact(event, company, domain, role, last_day + timedelta(days=1))


def _lei(rng: Random) -> str:
    """A legal entity identifier with right check digits (ISO 7064, mod 97-10), of an issuer that
    does not exist."""
    body = "999900" + "".join(rng.choices("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", k=12))
    digits = "".join(str(int(character, 36)) for character in body + "00")
    return f"{body}{98 - int(digits) % 97:02}"
