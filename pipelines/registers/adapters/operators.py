"""The companies in what a register publishes as operator."""

from __future__ import annotations

import re
from dataclasses import dataclass

from oegen.core.text import likeness_key
from pipelines.registers.adapters.base import PRIVATE_INDIVIDUAL, squeeze
from pipelines.registers.adapters.people import has_company_word, is_of_persons, may_be_person

_FORMERLY = re.compile(
    r"[\s,]*[(\[]\s*((?:formerly|formally|previously|was|ex|vormals|ehemals)\b[^)\]]*)[)\]]",
    re.IGNORECASE,
)
_BETWEEN_FORMER = re.compile(
    r"(?:^|[,;&/])\s*(?:and\s+)?(?:formerly|formally|previously|was|ex|vormals|ehemals)\b:?\s*"
    r"(?:known as\s+)?",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"\s+/\s*|\s*/\s+|\s*;\s*|(?<=[\w)][\w).])/(?=\w\w)")

#: Whom letters to a company go to, up to the next company or the end of a bracket.
_CONTACT = re.compile(
    r"[\s,]+(?P<title>c/o|care of|attn\b|fao\b|z\.?\s?hd\b|zu h(?:ä|ae)nden|herrn?\b|frau\b)"
    r"(?P<name>.*?)(?=\s+/\s|[;)\]]|$)",
    re.IGNORECASE,
)

#: Legal forms at the end of a name, which registers write or leave out as it comes. Those that make
#: another company of the same name, such as “GmbH & Co. KG”, are no longer than they are.
_LEGAL_FORM = re.compile(
    r"\s(?:ltd|limited|plc|llp|lp|inc|gmbh|ag|se|sa|bv|nv|as|ab|aps|kg|mbh|ug|eg)$"
)

_LONG_FORMS = {"limited": "ltd"}


@dataclass(frozen=True)
class NamedCompany:
    """A company by the name that is published, with its former names."""

    name: str
    aliases: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return company_key(self.name)


def split_operators(text: str) -> list[NamedCompany]:
    """The companies of “A (formerly B) / C Ltd”, in their order, each once."""
    found: dict[str, NamedCompany] = {}
    for part in _SEVERAL.split(_protect(text)):
        part = part.replace("\0", "/")
        aliases = tuple(
            alias
            for former in _FORMERLY.findall(part)
            for text in _BETWEEN_FORMER.split(f",{former}")
            if (alias := squeeze(text).strip("-,; "))
        )
        name = squeeze(_FORMERLY.sub("", part)).strip(",;)" if "(" not in part else ",;")
        if company_key(name) and name != PRIVATE_INDIVIDUAL:
            found.setdefault(company_key(name), NamedCompany(name, aliases))
    return list(found.values())


@dataclass(frozen=True)
class ShownOperator:
    """What is shown as operator, and whether it is nobody but private individuals."""

    text: str
    aliases: tuple[str, ...] = ()
    is_private: bool = False


def shown_operator(text: str) -> ShownOperator:
    """The text of a register without the names of private individuals, among them those of the
    people at a company to whom letters go."""
    text = _CONTACT.sub(_without_contact, squeeze(text))
    if is_of_persons(text):
        return ShownOperator(PRIVATE_INDIVIDUAL, is_private=True)
    companies = split_operators(text)
    people = [one for one in companies if may_be_person(one.name)]
    aliases = tuple(name for one in companies for name in one.aliases if one not in people)
    if not people:
        return ShownOperator(text, aliases)
    others = [one.name for one in companies if one not in people]
    return ShownOperator(" / ".join([*others, PRIVATE_INDIVIDUAL]), aliases, is_private=not others)


def _without_contact(found: re.Match[str]) -> str:
    """“Frau Holle Energie GmbH” is a company's own name."""
    is_name = found["title"].casefold().startswith(("herr", "frau"))
    return found[0] if is_name and has_company_word(found["name"]) else ""


def _protect(text: str) -> str:
    """The text with slashes inside brackets, and those of “T/A” and “a/s”, as null characters."""
    text = re.sub(r"[(\[][^)\]]*[)\]]", lambda found: found[0].replace("/", "\0"), text)
    return re.sub(r"\b([A-Za-z])/([A-Za-z])\b", "\\1\0\\2", text)


def company_key(name: str) -> str:
    """Equal for names that differ by case, accents, punctuation and a legal form at the end."""
    key = likeness_key(name)
    return _LEGAL_FORM.sub("", key) or key


def legal_form(name: str) -> str:
    """The legal form at the end of a name, such as “ltd”; empty if it has none."""
    found = _LEGAL_FORM.search(likeness_key(name))
    return _LONG_FORMS.get(found[0].strip(), found[0].strip()) if found else ""
