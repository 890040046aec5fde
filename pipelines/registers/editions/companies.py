"""The companies that projects name as operators."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from oegen.core import bulk
from pipelines.registers.adapters.operators import NamedCompany, split_operators
from pipelines.registers.models import ProjectCompany, RegisterCompany, RegisterProject

_NAMESPACE = uuid.UUID("0f6b3d0c-52a4-4f55-9f43-0d4a5d0f0b8e")
_BATCH = 500
_MAX_NAME = 300


@dataclass
class _Found:
    """A company as the projects name it that are looked at."""

    company: NamedCompany
    identifiers: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, None] = field(default_factory=dict)


def link_companies(projects: Iterable[uuid.UUID]) -> None:
    """Link the projects to the companies in their operators, which are added where they are new.
    Private individuals are no companies."""
    keys = list(projects)
    for start in range(0, len(keys), _BATCH):
        _link(keys[start : start + _BATCH])


def _link(keys: list[uuid.UUID]) -> None:
    ProjectCompany.objects.filter(project__in=keys).delete()
    named = RegisterProject.objects.filter(pk__in=keys, is_private=False).present()
    links: list[ProjectCompany] = []
    found: dict[str, _Found] = {}
    rows = named.values_list("pk", "register__code", "operator", "identifiers")
    for project, register, operator, identifiers in rows:
        linked: set[str] = set()
        for key, number, company in _companies(register, operator, identifiers):
            if key in linked:
                continue
            linked.add(key)
            one = found.setdefault(key, _Found(company))
            one.aliases |= dict.fromkeys(company.aliases)
            if company.name != one.company.name:
                one.aliases[company.name] = None
            one.identifiers |= number
            links.append(
                ProjectCompany(project_id=project, company_id=_id_of(key), position=len(linked) - 1)
            )
    _save(found)
    bulk.insert(ProjectCompany, links)


def _companies(
    register: str, operator: str, identifiers: dict[str, str]
) -> Iterator[tuple[str, dict[str, str], NamedCompany]]:
    """The companies with their keys and official numbers, where the register has one for each."""
    companies = split_operators(operator)
    numbers = identifiers.get("operator_number", "").split()
    if len(numbers) != len(companies):
        numbers = ["-"] * len(companies)
    for company, number in zip(companies, numbers, strict=True):
        if number == "-":
            yield f"name:{company.key}"[:_MAX_NAME], {}, company
        else:
            yield f"{register}:{number}", {f"{register}_operator": number}, company


def _id_of(key: str) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, key)


def _save(found: dict[str, _Found]) -> None:
    """Add the companies that are new, and what is new of those that are not."""
    known = RegisterCompany.objects.in_bulk([_id_of(key) for key in found])
    new, changed = [], []
    for key, one in found.items():
        name = one.company.name[:_MAX_NAME]
        company = known.get(_id_of(key))
        if company is None:
            new.append(
                RegisterCompany(
                    pk=_id_of(key),
                    key=key,
                    name_key=one.company.key[:_MAX_NAME],
                    name=name,
                    aliases=list(one.aliases),
                    identifiers=one.identifiers,
                )
            )
            continue
        other_names = dict.fromkeys(company.aliases) | one.aliases
        if name != company.name:
            other_names[name] = None
        if list(other_names) != company.aliases:
            company.aliases = list(other_names)
            changed.append(company)
    bulk.insert(RegisterCompany, new)
    RegisterCompany.objects.bulk_update(changed, ["aliases"])
