"""The questions of questions.csv: how they are read, and what is answered."""

import csv
import re
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from django.http import QueryDict

from counterparties.models import Counterparty
from dashboard import metrics
from dashboard.ask.answering import Answer, answer_reading
from dashboard.ask.findings import Figure, text_of
from dashboard.ask.grammar import ASKS, REFUSED, Reading, read
from dashboard.ask.lookups import Asker
from dashboard.ask.lookups.listing import PAGES
from dashboard.charts import Lists
from dashboard.figures import FIGURES, read_figure
from dashboard.figures.figure import Finding, Source
from oegen import asof
from oegen.core import clock
from oegen.models import User
from pipelines.filtered import select_pipelines
from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline

pytestmark = pytest.mark.django_db

QUESTIONS = Path(__file__).parent / "questions.csv"

#: Other words for the same, typing errors, and what is refused; read, and not answered here.
MORE = Path(__file__).parent / "more_questions.csv"

#: The columns that are compared as they are.
PLAIN = ("lookup", "metric", "group_by", "as_of", "compare", "kind", "order", "limit", "name")
PLAIN += ("term", "from", "to")

#: At least this part of the questions has to be read.
ENOUGH = 0.8


def rows(path: Path = QUESTIONS) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def readings(asker) -> dict[str, Reading]:
    return {row["question"]: read(row["question"], asker) for row in rows()}


@pytest.fixture(scope="module")
def answers(asker, readings) -> list[Answer]:
    """Those of the questions that are read."""
    return [
        answer_reading(question, reading, asker)
        for question, reading in readings.items()
        if reading.lookup not in (REFUSED, ASKS)
    ]


def named(filters: str) -> list[tuple[str, str]]:
    """The filters in one order, with names in place of keys."""
    keys = {str(one.pk): one.name for one in Counterparty.objects.all()}
    keys |= {str(one.pk): one.username for one in User.objects.all()}
    return sorted(
        (name, keys.get(value, value) if name in ("held_by", "person") else value)
        for name, value in parse_qsl(filters)
    )


def difference(row: dict[str, str], reading: Reading) -> dict[str, tuple[object, object]]:
    found = reading.as_json()
    pairs: dict[str, tuple[object, object]] = {
        name: (found.get(name, ""), row[name]) for name in PLAIN
    }
    pairs["filters"] = named(reading.filters), named(row["filters"])
    pairs["choices"] = (
        sorted(one.name for one in reading.choices),
        sorted(filter(None, row["choices"].split("; "))),
    )
    wanted = list(filter(None, row["unread"].split("; ")))
    has_all = set(wanted) <= set(reading.unread) and bool(wanted) == bool(reading.unread)
    pairs["unread"] = (wanted if has_all else reading.unread), wanted
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def test_every_question_is_read_as_expected(readings):
    wrong = {
        row["question"]: found
        for row in rows()
        if (found := difference(row, readings[row["question"]]))
    }
    assert wrong == {}
    read_ones = [one for one in readings.values() if one.is_read]
    assert len(read_ones) >= ENOUGH * len(readings) and len(readings) >= 250


def test_other_words_are_read_as_expected(asker):
    wrong = {}
    for row in rows(MORE):
        if found := difference(row, read(row["question"], asker)):
            wrong[row["question"]] = found
    assert wrong == {}


def test_every_refusal_says_why(readings):
    refused = [one for one in readings.values() if one.lookup == REFUSED]
    assert refused and all(one.unread and one.why for one in refused)


def test_every_number_of_an_answer_is_in_what_was_found(answers):
    number = re.compile(r"[0-9][0-9,.]*")
    for one in answers:
        known = [text_of(item) for item in one.findings]
        for found in one.found:
            known += [found.title, *found.remarks, *(item.label for item in found.figures)]
            known += [
                text_of(cell) for row in (found.table.rows if found.table else ()) for cell in row
            ]
            known += [text_of(cell) for cells in found.facts.values() for cell in cells]
        known += [part for pair in one.reading.corrected for part in pair]
        # The share of stays and of probability that these figures are of.
        known += ["95 % 80 %", "60 days"]
        numbers = {text.strip(".,") for text in number.findall(" ".join(known))}
        said = {text.strip(".,") for text in number.findall(one.text)}
        assert said <= numbers, (one.question, said - numbers)


# Figures -----------------------------------------------------------------------------------------


@cache
def metric_of(name: str, filters: str, as_of: str, compare: str, person: User) -> Finding:
    """The figure read by the metric functions, without the lookups and their cache."""
    query = QueryDict(filters)
    request = Asker(person).request(query)
    select = partial(select_pipelines, query, request)
    lists = Lists(dict(query.lists()))
    day = date.fromisoformat(as_of) if as_of else None
    with asof.as_of(day) if day else nullcontext():
        since = date.fromisoformat(compare) if compare else clock.a_month_before(clock.today())
        figure = FIGURES[name]
        if figure.compared.name == "CHANGE":
            return read_figure(figure, select, since, lists)[0]
        with metrics.portfolio(select) as now:
            return figure.read(Source(now, None, since, lists, select))


class open_nothing:
    def __enter__(self):
        return self

    def __exit__(self, *args):
        return None


def test_every_figure_equals_the_metric_function(answers, asker):
    tried = 0
    for one in answers:
        reading = one.reading
        if reading.lookup != "metric" or reading.group_by or "held_by" in reading.filters:
            continue
        if reading.metric == "forecast" and reading.end:
            continue
        name, _, measure = reading.metric.partition(":")
        found = metric_of(name, reading.filters, reading.as_of, reading.compare, asker.person)
        value = found.parts.get(measure) if measure else found.value
        if reading.name:
            [row] = [row for row in found.rows or [] if reading.name in row.values()]
            value = row[measure]
        shown = one.found[0].main
        if value is None:
            continue
        assert isinstance(shown[0], Figure), one.question
        assert shown[0].value == value, one.question
        if reading.compare and len(shown) == 3:
            before = metric_of(name, reading.filters, reading.compare, "", asker.person)
            then = before.parts.get(measure) if measure else before.value
            assert (shown[1].value, Decimal(shown[2].value)) == (
                then, Decimal(str(value)) - Decimal(str(then)),
            ), one.question  # fmt: skip
        tried += 1
    assert tried > 80


# Links -------------------------------------------------------------------------------------------


@cache
def listed(address: str, person: User) -> tuple[PipelineFilter, date | None]:
    """The filters and the day of the list of pipelines at the address."""
    path, _, text = address.partition("?")
    assert path == "/pipelines/"
    query = QueryDict(text, mutable=True)
    day = query.pop("as_of", [""])[-1]
    for name in ("sort", "columns"):
        query.pop(name, None)
    if not any(query.getlist(name) for name in ("status", "status__not")):
        query["status"] = "open"
    everything = Pipeline.objects.recorded()
    filterset = PipelineFilter(query, queryset=everything, request=Asker(person).request(query))
    return filterset, date.fromisoformat(day) if day else None


def adds_up(figure: Figure, person: User) -> bool:
    """Whether the list has so many pipelines; or so many MW in all, or where it tells that of a
    technology, a holder, a basis, our share and what is weighted."""
    filterset, day = listed(figure.link, person)
    with asof.as_of(day) if day else nullcontext():
        assert filterset.is_valid(), (figure.link, filterset.errors)
        found = filterset.qs.order_by()
        if figure.unit == "pipelines":
            return found.count() == figure.value
        amount = Decimal(figure.value or 0)

        def amounts() -> Iterator[Decimal]:
            capacity = found.capacity()
            yield from (capacity.mw, capacity.mwp_dc, capacity.mw_ac, capacity.storage_mw)
            yield capacity.storage_mwh
            for code in filterset.technologies:
                yield found.facilities().of_technology(code).capacity().mw
            for _, holder in filterset.holders.values():
                yield found.held_mw(**holder)
            shares = found.shares_of_capacity()
            yield from (shares.net.mw, shares.gross_weighted.mw, shares.net_weighted.mw)

        return any(abs(amount - each) < Decimal("0.001") for each in amounts())


def figures_with_lists(answers: list[Answer]) -> Iterator[tuple[Answer, Figure]]:
    for one in answers:
        for item in one.findings:
            if isinstance(item, Figure) and item.link.startswith("/pipelines/?"):
                yield one, item


def test_every_link_opens_rows_that_add_up(answers, asker):
    """Of figures with a number of pipelines or an amount of MW: not of days and shares."""
    units = ("pipelines", "MW", "MWp", "MW, mixed", "MWh")
    tried: dict[tuple[object, str], tuple[str, bool]] = {}
    for one, figure in figures_with_lists(answers):
        if figure.unit not in units or one.reading.metric.startswith(("stages", "forecast")):
            continue
        key = figure.value, figure.link
        if key not in tried:
            tried[key] = one.question, adds_up(figure, asker.person)
    assert {key: question for key, (question, is_right) in tried.items() if not is_right} == {}
    assert len(tried) > 200


@pytest.mark.heavy
def test_every_link_of_an_answer_opens_a_page(answers, client, asker):
    client.force_login(asker.person)
    pages = {}
    for one in answers:
        for found in one.found:
            if found.link:
                # One of each kind of page and set of parameters.
                path, _, query = found.link.partition("?")
                names = tuple(sorted({name for name, _ in parse_qsl(query)}))
                pages.setdefault((path[:12], names), found.link)
    assert len(pages) > 40
    for address in pages.values():
        response = client.get(address.partition("#")[0])
        assert response.status_code == 200, address
        assert not response.context.get("is_wrong"), address
        assert not response.context.get("unknown_parameters"), address


def test_kinds_of_lists_have_the_names_of_their_models():
    for kind, page in PAGES.items():
        view = page()
        view.setup(Asker(User()).request())
        assert view.get_queryset().model._meta.model_name == kind
