"""What is known of a record, by aspect: each a few cells, findings or texts."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator

from dashboard.ask.findings import Cell, Findings, page_address
from dashboard.ask.lookups.base import Asker
from oegen.core import clock
from oegen.search.ordering import natural
from pipelines.choices import RAG, Reason
from pipelines.models import Pipeline
from pipelines.querysets.milestone import AHEAD, DONE, MISSED

#: The most characters of a record's text.
MOST_TEXT = 300

#: The most linked records of one aspect.
MOST_LINKED = 10

Facts = dict[str, tuple[Cell, ...]]

_STATES = {DONE: "done", AHEAD: "ahead", MISSED: "missed"}

#: Distinct facilities, gross, as lists and pages have the capacity of a record.
BASIS = "Distinct facilities, gross; MWp (DC) and MW (AC) added."


def cut(text: Any) -> str:
    return Truncator(str(text or "")).chars(MOST_TEXT)


def _day(findings: Findings, day: date | None) -> tuple[Cell, ...]:
    return (findings.add_day(day),) if day else ()


def _record(findings: Findings, record: Any, text: str = "") -> Cell:
    return findings.add_record(
        record._meta.model_name,
        record.pk,
        str(record),
        text=text,
        link=page_address(record.get_absolute_url()),
    )


def _capacity(findings: Findings, name: str, capacity: Any, link: str) -> tuple[Cell, ...]:
    found: list[Cell] = [
        findings.add_figure(
            f"{name}: capacity", str(capacity.mw), capacity.unit, basis=BASIS, link=link
        )
    ]
    if capacity.storage_mwh:
        found.append(
            findings.add_figure(f"{name}: storage", str(capacity.storage_mwh), "MWh", link=link)
        )
    return tuple(found)


def of_pipeline(record: Pipeline, asker: Asker, findings: Findings) -> Facts:
    name = str(record)
    link = page_address(record.get_absolute_url())
    itself = Pipeline.objects.filter(pk=record.pk)
    one = (
        itself.with_overdue().with_first_dates().with_baseline().with_reasons()
        .with_probability().select_related("stage", "responsible").get()
    )  # fmt: skip

    def days(label: str, number: int | None) -> tuple[Cell, ...]:
        if number is None:
            return ()
        return (findings.add_figure(f"{name}: {label}", number, "days", link=link),)

    found: Facts = {"status": (one.status_label,)}
    if one.status_label != one.stage.name:
        found["stage"] = (one.stage.name,)
    found["on_hold"] = (cut(one.on_hold_reason),) if one.on_hold_reason else ()
    found["rag"] = (RAG(one.rag_status).label if one.rag_status else "Not rated",)
    found["rag_comment"] = (cut(one.rag_comment),) if one.rag_comment else ()
    if one.rag_confirmed_at:
        confirmed = timezone.localdate(one.rag_confirmed_at)
        found["rag_confirmed"] = (
            findings.add_day(confirmed),
            *days("age of the rating", (clock.today() - confirmed).days),
        )
    found["rtb"] = _day(findings, one.rtb_date)
    if one.is_overdue:
        found["overdue"] = days("overdue by", (clock.today() - one.rtb_date).days)
    found["cod"] = _day(findings, one.cod_date)
    if one.rtb_date and one.first_rtb_date:
        slip = (one.rtb_date - one.first_rtb_date).days
        found["slip"] = (
            *days("RTB against the first date", slip),
            *_day(findings, one.first_rtb_date),
        )
    if one.rtb_days_late is not None:
        found["baseline"] = (
            *days("RTB against its baseline", int(one.rtb_days_late)),
            *_day(findings, one.rtb_baseline),
        )
    found["capacity"] = _capacity(findings, name, itself.capacity(), link)
    found["ownership"] = (
        findings.add_figure(f"{name}: our share", str(one.ownership_pct), "%", link=link),
    )
    if one.probability is not None:
        found["probability"] = (
            findings.add_figure(f"{name}: probability", str(one.probability), "%", link=link),
        )
    links = record.counterparty_links.select_related("counterparty", "role").order_by(
        "role__order", natural("counterparty__name")
    )[:MOST_LINKED]
    found["counterparties"] = tuple(
        _record(findings, each.counterparty, str(each.role)) for each in links
    )
    facilities = record.facilities.select_related("technology").order_by(natural("name"))
    found["facilities"] = tuple(
        _record(findings, each, _place(each)) for each in facilities[:MOST_LINKED]
    )
    technologies = dict.fromkeys(str(each.technology) for each in facilities)
    found["technology"] = (", ".join(technologies),) if technologies else ()
    places = dict.fromkeys(_place(each).partition(", ")[2] for each in facilities)
    found["place"] = tuple(place for place in places if place)
    if one.responsible and asker.may_read_personal:
        found["responsible"] = (str(one.responsible),)
    elif not one.responsible:
        found["responsible"] = ("nobody",)
    if one.next_step:
        found["next_step"] = (cut(one.next_step), *_day(findings, one.next_step_on))
    reasons = [Reason(code).label for code in (one.reason_codes or "").split()]
    found["attention"] = tuple(map(str, reasons))
    found["milestones"] = _milestones(record, findings)
    points = record.information_points.by_rating()[:MOST_LINKED]
    found["infopoints"] = tuple(_record(findings, each) for each in points)
    return found


def _place(facility: Any) -> str:
    place = ", ".join(filter(None, (facility.region, facility.country_name)))
    return f"{facility.technology}, {place}" if place else str(facility.technology)


def _milestones(record: Pipeline, findings: Findings) -> tuple[Cell, ...]:
    """Of each the name with its state, then its day."""
    cells: list[Cell] = []
    for one in record.milestones.with_day().select_related("kind").order_by("kind__order"):
        state = _STATES.get(one.state, "")
        cells.append(f"{one.kind}, {state}" if state else str(one.kind))
        if one.day:
            cells.append(findings.add_day(one.day))
    return tuple(cells)


def of_counterparty(record: Any, asker: Asker, findings: Findings) -> Facts:
    name = str(record)
    query = f"held_by={record.pk}"
    link = page_address(f"{_list()}?{query}&status=open")
    held = Pipeline.objects.filter(
        pk__in=Pipeline.objects.open().held_by(record).order_by().values("pk")
    )
    linked = record.pipelines.distinct()
    all_of_it = page_address(f"{_list()}?counterparty_id={record.pk}&status=all")
    found: Facts = {
        "held": (
            findings.add_figure(f"{name}: held", str(held.held_mw(by=record)), "MW", link=link),
            findings.add_figure(f"{name}: held", held.count(), "pipelines", link=link),
        ),
        "pipelines": (
            findings.add_figure(f"{name}: pipelines", linked.count(), "pipelines", link=all_of_it),
            *_capacity(findings, name, linked.capacity(), all_of_it),
        ),
        "place": (record.country_name,) if record.country else (),
        "strategy": (cut(record.strategy),) if record.strategy else (),
    }
    if asker.may_read_personal:
        links = record.contact_links.current().select_related("contact", "role")
        links = links.order_by("role__order", natural("contact__name"))[:MOST_LINKED]
        found["contacts"] = tuple(_record(findings, each.contact, str(each.role)) for each in links)
    points = record.information_points.by_rating()[:MOST_LINKED]
    found["infopoints"] = tuple(_record(findings, each) for each in points)
    return found


def of_facility(record: Any, asker: Asker, findings: Findings) -> Facts:
    name, link = str(record), page_address(record.get_absolute_url())
    found: Facts = {
        "technology": (str(record.technology),),
        "place": tuple(filter(None, (record.region, record.country_name))),
        "pipelines": tuple(
            _record(findings, one)
            for one in record.pipelines.order_by(natural("project_name"))[:MOST_LINKED]
        ),
    }
    if record.capacity_mw is not None:
        unit = record.technology.unit_label
        found["capacity"] = (
            findings.add_figure(f"{name}: capacity", str(record.capacity_mw), unit, link=link),
        )
    if record.storage_mwh is not None:
        found["storage"] = (
            findings.add_figure(f"{name}: storage", str(record.storage_mwh), "MWh", link=link),
        )
    return found


def of_information_point(record: Any, asker: Asker, findings: Findings) -> Facts:
    name, link = str(record), page_address(record.get_absolute_url())
    listed = page_address(f"{_list()}?infopoint={record.pk}&status=open")
    exposed = record.pipelines.open()
    found: Facts = {
        "status": (record.get_status_display(),),
        "rating": tuple(
            findings.add_figure(f"{name}: {label}", value, "", link=link)
            for label, value in (
                ("rating", record.rating),
                ("impact", record.impact),
                ("likelihood", record.likelihood),
            )
        ),
        "exposed": (
            findings.add_figure(f"{name}: exposed", exposed.count(), "pipelines", link=listed),
            *_capacity(findings, name, exposed.capacity(), listed),
        ),
        "market": (record.market,) if record.market else (),
        "text": (cut(record.description),) if record.description else (),
        "review": _day(findings, record.review_on),
    }
    if record.owner and asker.may_read_personal:
        found["owner"] = (str(record.owner),)
    return found


def of_contact(record: Any, asker: Asker, findings: Findings) -> Facts:
    links = record.counterparty_links.current().select_related("counterparty", "role")
    return {
        "job_title": (record.job_title,) if record.job_title else (),
        "roles": tuple(
            _record(findings, one.counterparty, str(one.role))
            for one in links.order_by("role__order")[:MOST_LINKED]
        ),
        "email": (record.email,) if record.email else (),
        "phone": (record.phone,) if record.phone else (),
    }


def _list() -> str:
    return reverse("pipelines")
