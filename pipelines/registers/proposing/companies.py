"""Pairs of companies of registers and counterparties, and the group that such a company belongs to.

No list of pairs whose answer is known stands behind these scores: they order what agrees. An
identifier is accepted without a person, a name never is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import permutations
from uuid import UUID

from django.contrib.contenttypes.models import ContentType

from counterparties.models import Counterparty
from oegen.core.text import split_lines
from oegen.core.words import count
from pipelines.registers.adapters.operators import legal_form
from pipelines.registers.matching.companies import Company, is_similar_company, parse_company
from pipelines.registers.matching.deciding import Band
from pipelines.registers.matching.reasons import Reason
from pipelines.registers.models import ProjectCompany, RegisterCompany
from pipelines.registers.proposing.decisions import Decisions
from pipelines.registers.proposing.ours import read_references
from pipelines.registers.proposing.pairs import Pair

#: What agrees: its probability, by which pairs are ordered, and the band.
_IDENTIFIER = (0.999, Band.SURE)
_NAME = (0.985, Band.SURE)
_OTHER_NAME = (0.93, Band.LIKELY)
_OTHER_FORM = (0.88, Band.LIKELY)
_NUMBERED = (0.9, Band.LIKELY)
_SAME_STEM = (0.75, Band.LIKELY)
_BEGINS_ALIKE = (0.5, Band.POSSIBLE)

#: How much more likely two companies are one group that a project names together.
_TOGETHER = 0.08

#: A group's name of one word that other words may follow has so many letters at least.
_MIN_STEM = 5

#: A word that so many different ones follow, such as “Scottish”, is no group's.
_COMMON = 4

#: Of a company, so many counterparties are proposed at most.
_MOST = 2


@dataclass(slots=True)
class _Named:
    """A company of registers with its parsed names, the present one first."""

    id: UUID
    name: str
    names: tuple[Company, ...]
    #: Official numbers by register.
    numbers: dict[str, str]
    countries: frozenset[str]
    projects: int

    @property
    def company(self) -> Company:
        return self.names[0]


@dataclass(slots=True)
class _Ours:
    id: UUID
    name: str
    names: tuple[Company, ...]
    country: str
    numbers: dict[str, str] = field(default_factory=dict)


def find_companies(decisions: Decisions) -> Iterator[Pair]:
    """The proposals of companies that a newest edition names. A company that is decided to be a
    counterparty, or of a group, has no other of that kind."""
    companies = _read_companies()
    grouped = set()
    for pair in _find_groups(companies, decisions):
        grouped.add(pair.source_id)
        yield pair
    yield from _find_counterparties(companies, grouped, decisions)


def _read_companies() -> list[_Named]:
    links = ProjectCompany.objects.filter(project__is_vanished=False).exclude(project__state=None)
    projects: Counter[UUID] = Counter()
    countries: dict[UUID, set[str]] = defaultdict(set)
    for company, country in links.values_list("company_id", "project__country").iterator():
        projects[company] += 1
        countries[company].add(country)
    found = []
    rows = RegisterCompany.objects.order_by("pk").values_list("pk", "name", "aliases", "key")
    for pk, name, aliases, key in rows.iterator():
        parsed = _parse(name, *aliases)
        if not parsed or not projects[pk]:
            continue
        register, _, number = key.partition(":")
        found.append(
            _Named(
                id=pk,
                name=name,
                names=parsed,
                numbers={} if register == "name" else {register: number},
                countries=frozenset(countries[pk] - {""}),
                projects=projects[pk],
            )
        )
    return found


def _parse(*names: str) -> tuple[Company, ...]:
    return tuple(one for one in map(parse_company, dict.fromkeys(names)) if one is not None)


# Counterparties -------------------------------------------------------------------------------


def _find_counterparties(
    companies: Iterable[_Named], grouped: set[UUID], decisions: Decisions
) -> Iterator[Pair]:
    ours = _read_counterparties()
    by_key: dict[str, list[_Ours]] = defaultdict(list)
    by_first: dict[str, list[_Ours]] = defaultdict(list)
    by_number: dict[tuple[str, str], list[_Ours]] = defaultdict(list)
    for one in ours:
        for key in {name.key for name in one.names}:
            by_key[key].append(one)
        for first in {name.stem[0] for name in one.names}:
            by_first[first].append(one)
        for register, numbers in one.numbers.items():
            for number in numbers.split():
                by_number[register, number].append(one)
    kind = ContentType.objects.get_for_model(Counterparty).pk
    for company in companies:
        if kind in decisions.taken_companies.get(company.id, ()):
            continue
        candidates: dict[UUID, _Ours] = {}
        for item in company.numbers.items():
            candidates |= {one.id: one for one in by_number.get(item, ())}
        for name in company.names:
            candidates |= {one.id: one for one in by_key.get(name.key, ())}
        # What belongs to a group of the register is a counterparty's through that group.
        if not candidates and company.id not in grouped:
            candidates |= {one.id: one for one in by_first.get(company.company.stem[0], ())}
        pairs = [
            pair
            for one in candidates.values()
            if (company.id, one.id) not in decisions.decided
            and (pair := _compare(company, one)) is not None
        ]
        pairs.sort(key=lambda pair: -pair.probability)
        yield from pairs[:_MOST]


def _read_counterparties() -> list[_Ours]:
    references = read_references(Counterparty)
    rows = Counterparty.objects.order_by("pk").values_list("pk", "name", "aliases", "country")
    return [
        _Ours(pk, name, names, country, references.get(pk, {}))
        for pk, name, aliases, country in rows.iterator()
        if (names := _parse(name, *split_lines(aliases)))
    ]


def _compare(company: _Named, ours: _Ours) -> Pair | None:
    """None if nothing says that they are one."""
    reasons = []
    probability, band = 0.0, Band.DOUBTFUL
    is_identified = any(
        number in ours.numbers.get(register, "").split()
        for register, number in company.numbers.items()
    )
    keys = {name.key for name in company.names} & {name.key for name in ours.names}
    if company.company.key == ours.names[0].key:
        (probability, band), text = _NAME, "The names are the same."
        one, other = legal_form(company.name), legal_form(ours.name)
        if one and other and one != other:
            (probability, band) = _OTHER_FORM
            reasons.append(Reason("form", -2.0, f"One is {one}, the other {other}."))
        reasons.append(Reason("name", 8.0, text))
    elif keys:
        probability, band = _OTHER_NAME
        text = f"One is called {sorted(keys)[0]}, as the other is, or was formerly."
        reasons.append(Reason("name", 6.0, text))
    elif _is_spv_of(company.company, ours.names[0]):
        probability, band = _BEGINS_ALIKE
        reasons.append(Reason("name", 3.0, _begins(ours.names[0])))
    if is_identified:
        probability, band = _IDENTIFIER
        reasons.append(Reason("identifier", 25.0, "The official number is the same."))
    if not reasons:
        return None
    if ours.country and company.countries:
        if ours.country in company.countries:
            reasons.append(Reason("country", 1.0, "It has projects in the country of ours."))
        elif not is_identified:
            reasons.append(Reason("country", -2.0, "It has no project in the country of ours."))
            probability, band = min((probability, band), _OTHER_FORM)
    return Pair(
        source="company",
        source_id=company.id,
        model=Counterparty,
        record_id=ours.id,
        probability=probability,
        band=band,
        reasons=sorted(reasons, key=lambda one: -abs(one.weight)),
        may_accept=is_identified,
    )


# Groups ---------------------------------------------------------------------------------------


def _find_groups(companies: list[_Named], decisions: Decisions) -> Iterator[Pair]:
    """A company and the one that it may belong to: whose name is the beginning of its own, or the
    same but for numbers and words that many companies have, and which has the most projects."""
    kind = ContentType.objects.get_for_model(RegisterCompany).pk
    by_stem: dict[tuple[str, ...], list[_Named]] = defaultdict(list)
    for one in companies:
        by_stem[one.company.stem].append(one)
    heads = {
        stem: head for stem, family in by_stem.items() if (head := _head_of(family)) is not None
    }
    common = _common_words(by_stem)
    together = _named_together()
    for one in companies:
        if kind in decisions.taken_companies.get(one.id, ()):
            continue
        head = _find_head(one, heads)
        if head is None or (one.id, head.id) in decisions.decided:
            continue
        probability, band = _likeness(one.company, head.company)
        is_weak = len(head.company.stem) == 1 and band is Band.POSSIBLE
        if is_weak and (head.projects == 1 or head.company.stem[0] in common):
            continue
        reasons = [Reason("name", 4.0, _begins(head.company))]
        if one.company.numbers and not head.company.numbers:
            reasons.append(Reason("numbers", 2.0, "Its name has a number, as those of SPVs have."))
        if projects := together[one.id, head.id]:
            probability += _TOGETHER
            text = f"{count(projects, 'project')} name{'' if projects > 1 else 's'} both."
            reasons.append(Reason("project", 3.0, text))
        if one.countries and head.countries and not one.countries & head.countries:
            probability -= _TOGETHER
            reasons.append(Reason("country", -1.0, "They have no country in common."))
        yield Pair(
            source="company",
            source_id=one.id,
            model=RegisterCompany,
            record_id=head.id,
            probability=probability,
            band=band,
            reasons=sorted(reasons, key=lambda reason: -abs(reason.weight)),
        )


def _likeness(company: Company, head: Company) -> tuple[float, Band]:
    """How sure it is by name alone: “Larch SPV 12” and “Larch Energy”, then “Larch Energy UK” and
    “Larch Energy”, then “Larch Moor” and “Larch Energy”."""
    if company.stem == head.stem and company.numbers:
        return _NUMBERED
    own, others = set(company.key.split()), set(head.key.split())
    return _SAME_STEM if company.stem == head.stem and own >= others else _BEGINS_ALIKE


def _common_words(stems: Iterable[tuple[str, ...]]) -> set[str]:
    followers: dict[str, set[str]] = defaultdict(set)
    for first, *rest in stems:
        followers[first].update(rest[:1])
    return {word for word, found in followers.items() if len(found) >= _COMMON}


def _head_of(family: list[_Named]) -> _Named | None:
    """The one without a number that has the most projects; of those the shortest name."""
    plain = [one for one in family if not one.company.numbers]
    return min(plain, key=lambda one: (-one.projects, len(one.name), one.name), default=None)


def _find_head(one: _Named, heads: dict[tuple[str, ...], _Named]) -> _Named | None:
    stem = one.company.stem
    for length in range(1, len(stem) + 1):
        head = heads.get(stem[:length])
        if (
            head is not None
            and head.id != one.id
            and (head.projects > one.projects or length == len(stem))
            and _is_spv_of(one.company, head.company)
        ):
            return head
    return None


def _is_spv_of(company: Company, parent: Company) -> bool:
    """Whether the name goes on from the parent's. A single short word is too little."""
    long_enough = len(parent.stem) > 1 or len(parent.stem[0]) >= _MIN_STEM
    return (
        long_enough
        and company.key != parent.key
        and company.stem[: len(parent.stem)] == parent.stem
        and is_similar_company(company, parent)
    )


def _begins(parent: Company) -> str:
    return f"The name begins as that of {' '.join(parent.stem).title()}."


def _named_together() -> Counter[tuple[UUID, UUID]]:
    """How many projects name both companies."""
    found: Counter[tuple[UUID, UUID]] = Counter()
    several = ProjectCompany.objects.filter(
        project__in=ProjectCompany.objects.filter(position=1).values("project")
    )
    by_project: dict[UUID, list[UUID]] = defaultdict(list)
    for project, company in several.order_by().values_list("project_id", "company_id").iterator():
        by_project[project].append(company)
    for members in by_project.values():
        found.update(permutations(members, 2))
    return found
