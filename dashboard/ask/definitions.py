"""What the product's words mean. The sentences are those of docs/metrics.md, of the figures and of
the fields' help texts: there is no second definition."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from django.conf import settings

from dashboard.figures import FIGURES
from infopoints.models import InformationPoint
from oegen.core.fields import own_field
from oegen.core.folding import fold
from pipelines.choices import Reason
from pipelines.models import Facility, Pipeline

_BULLET = re.compile(r"^- (.*?)(?=^- |^\S|\n\n|\Z)", re.MULTILINE | re.DOTALL)
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_TABLE_ROW = re.compile(r"^\| ([^|]+?) \| ([^|]+?) \|$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")

#: Fields whose help text says what a word means: the model, the field, and the words.
_FIELDS = (
    (Pipeline, "rtb_date", "RTB"),
    (Pipeline, "cod_date", "COD"),
    (Pipeline, "rag_status", "RAG"),
    (Pipeline, "ownership_pct", "Ownership"),
    (Pipeline, "probability_pct", "Probability"),
    (Facility, "capacity_mw", "Capacity"),
    (Facility, "export_limit_mw", "Export limit"),
    (InformationPoint, "impact", "Impact"),
    (InformationPoint, "likelihood", "Likelihood"),
    (InformationPoint, "rating", "Rating"),
)

#: Other words for the terms above and below.
_OTHERS = {
    "ready to build": "rtb",
    "rtb date": "rtb",
    "commercial operation": "cod",
    "commercial operation date": "cod",
    "rag rating": "rag",
    "red": "rag",
    "amber": "rag",
    "green": "rag",
    "net": "net mw",
    "net capacity": "net mw",
    "weighted": "gross weighted mw",
    "weighted mw": "gross weighted mw",
    "gross weighted": "gross weighted mw",
    "weighted pipeline": "gross weighted mw",
    "weighted capacity": "gross weighted mw",
    "net weighted": "net weighted mw",
    "mw mixed": "mwp (dc) and mw (ac)",
    "mixed": "mwp (dc) and mw (ac)",
    "mixed mw": "mwp (dc) and mw (ac)",
    "mwp": "mwp (dc) and mw (ac)",
    "dc": "mwp (dc) and mw (ac)",
    "ac": "mwp (dc) and mw (ac)",
    "storage": "mw (ac) holds the power of batteries",
    "mwh": "mw (ac) holds the power of batteries",
    "walk": "mw walk",
    "waterfall": "mw walk",
    "slippage": "rtb slippage",
    "slip": "rtb slippage",
    "slipped": "rtb slippage",
    "conversion": "time in stage and conversion",
    "time in stage": "time in stage and conversion",
    "p80": "time in stage and conversion",
    "median": "time in stage and conversion",
    "attention": "what needs attention, by reason",
    "needs attention": "what needs attention, by reason",
    "unconfirmed": "not confirmed",
    "confirmed": "not confirmed",
    "withdrawn": "given up",
    "refused": "given up",
    "as of": "as of a day",
    "exposure": "information points by exposed capacity",
    "exposed": "information points by exposed capacity",
    "concentration": "who holds the open capacity",
    "holder": "who holds the open capacity",
    "held": "who holds the open capacity",
    "forecast": "cumulative capacity by rtb date",
    "trend": "cumulative capacity by rtb date",
    "on hold": "on hold: capacity",
    "completed": "completed: capacity",
    "open capacity": "open: capacity",
    "open mw": "open: capacity",
    "pipeline": "open",
    "our share": "ownership",
    "worse": "rated worse: pipelines",
    "better": "rated better: pipelines",
}


@dataclass(frozen=True)
class Definition:
    """``figure`` is the name of the figure that counts it; empty if there is none."""

    term: str
    sentence: str
    figure: str = ""


#: The figures that say how much there is now of what a word means.
_COUNTED = {
    "open": "open-capacity",
    "overdue": "overdue-capacity",
    "not confirmed": "unconfirmed-capacity",
    "net mw": "net-capacity",
    "gross weighted mw": "weighted-capacity",
    "net weighted mw": "net-weighted-capacity",
}


@cache
def definitions() -> dict[str, Definition]:
    """By folded term."""
    found: dict[str, Definition] = {}

    def add(term: str, sentence: str, figure: str = "") -> None:
        key = fold(term)
        found.setdefault(key, Definition(term, sentence, figure or _COUNTED.get(key, "")))

    text = (settings.BASE_DIR / "docs" / "metrics.md").read_text(encoding="utf-8")
    for bullet in _BULLET.findall(text):
        sentence = _plain(_BOLD.sub(r"\1", bullet))
        for term in _BOLD.findall(bullet):
            add(_plain(term), sentence[:1].upper() + sentence[1:])
    for term, when in _TABLE_ROW.findall(text):
        if fold(term) in _REASONS:
            add(term, f"{term}: {_plain(when)}.")
    for model, name, term in _FIELDS:
        add(term, f"{term}: {own_field(model, name).help_text}")
    for figure in FIGURES.values():
        add(figure.title, f"{figure.title}: {figure.definition} {figure.basis}", figure.name)
        add(figure.name.replace("-", " "), f"{figure.title}: {figure.definition}", figure.name)
    for other, term in _OTHERS.items():
        if other not in found and term in found:
            found[other] = found[term]
    return found


_REASONS = {fold(str(reason.chip)) for reason in Reason} | {
    *("milestone missed", "not rated", "no rtb date", "no capacity", "no one responsible"),
    *("gates not proven", "long in stage", "worse", "slipped"),
}


def _plain(text: str) -> str:
    return " ".join(_LINK.sub(r"\1", text).replace("`", "").split())


def define(term: str) -> Definition | None:
    known = definitions()
    text = fold(term).strip(" ?.,")
    for one in (text, text.removeprefix("the "), text.removesuffix(" pipelines")):
        if one in known:
            return known[one]
    return None
