"""Hostile text in every free-text field: kept and shown as text, or refused in words.

The fields come from the models that the admin knows, so that a new one can't be forgotten.
"""

import json
import re
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db import connection, models
from django.urls import resolve, reverse

from counterparties.models import Counterparty
from counterparties.tables import ContactTable, CounterpartyTable
from infopoints.models import InformationPoint
from infopoints.tables import InformationPointTable
from oegen.admin import guard
from oegen.admin.read_only import ReadOnlyMixin
from oegen.core.fields import REASON_LIMIT, clean_text
from oegen.models import AlertRule, AuditedModel
from oegen.pages.selection import ALL
from pipelines.models import Facility, Pipeline
from pipelines.tables import FacilityTable, PipelineTable
from tests.permissions.test_permissions import TABLE
from tests.support.addresses import address_of
from tests.support.builders import make_portfolio, make_user
from tests.support.desk import Desk
from tests.support.downloads import csv_rows, xlsx_cells

TEXTS = {
    "script and attribute": '<script>alert(1)</script>"><img src=x onerror=alert(1)>',
    "formula": '=HYPERLINK("http://x","y")',
    "plus": "+1",
    "minus": "-1",
    "at": "@SUM(1)",
    "sql, shell, templates": "' OR 1=1 -- ${x}`x` {{ 7*7 }}{% now 'Y' %} %s%(name)s{0}",
    "tab": "\tled by a tab",
    "endless": "x" * 10_000,
    "right-to-left": "\u202eمشروع\u202c \u2067ריח\u2069 \u202enever closed",
    "markup and emoji": "&lt;b&gt; &amp; </textarea></script><!-- 👩🏽\u200d🚀 🏴\u200d☠️",
}

#: To a page these are words like others: only a file could take them for a formula.
HARMLESS_ON_PAGES = {"plus", "minus", "at"}

NUL = "be\x00fore"

#: Values that their fields may take although they hold what would do harm elsewhere.
IN_SHAPE = {
    models.URLField: 'https://x.example/?"onmouseover="alert(1)"><script>alert(1)</script>',
    models.EmailField: '"<script>alert(1)</script>"@x.example',
}

#: The lists, which people may also download, by the name of their address.
LISTS = {
    "pipelines": PipelineTable,
    "facilities": FacilityTable,
    "counterparties": CounterpartyTable,
    "contacts": ContactTable,
    "infopoints": InformationPointTable,
}

#: Pages show at least so much of a text before they cut it.
SHOWN = 50


#: What no form asks for, because the program makes it of the name.
MADE = [(AlertRule, "code")]


def free_text_fields(model) -> list[models.Field]:
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField)
        and field.editable
        and not field.choices
        and (model, field.name) not in MADE
    ]


def candidates(field: models.Field, text: str) -> list[str]:
    """What to try in the field, in this order, until it takes one: the text with the field's name
    behind, so that a page that shows it is known to show this field; the text; what fits of it;
    the like in the shape that the field wants."""
    longest = getattr(field, "limit", field.max_length)
    tries = [f"{text} {field.name}", text, text[:longest]]
    tries += [value for kind, value in IN_SHAPE.items() if isinstance(field, kind)]
    return [
        one for one in dict.fromkeys(tries) if one != f"{text} {field.name}" or len(one) <= longest
    ]


def comment_of(text: str) -> str:
    """The text as a comment, in which a word after an @ would have to be a person's name."""
    return text.replace("@", "@ ")


def is_sentence(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Z“0-9].*[^.]\.", text, re.DOTALL))


def enter(desk: Desk, record: AuditedModel, text: str) -> dict[str, str]:
    """Give every free-text field of the record the text through its form in the admin.

    A value that is refused must be so with a sentence at its field; what the fields took is given
    back, by field, as it is kept.
    """
    asked = {"change_reason": text[:REASON_LIMIT], "new_comment": comment_of(text)}
    opened = desk.open(record)
    left = {field.name: candidates(field, text) for field in free_text_fields(type(record))}
    assert set(left) <= set(opened), f"The form of {record._meta.verbose_name} lacks a field."
    if isinstance(record, Pipeline):
        opened |= {"on_hold": "on", "probability_pct": "5"}
    while True:
        sent = {name: tries[0] for name, tries in left.items() if tries}
        response = desk.send(record, {**opened, **sent, **asked})
        if response.status_code == 302:
            record.refresh_from_db()
            fields = {field.name: field for field in free_text_fields(type(record))}
            return {name: clean_text(fields[name], value) for name, value in sent.items()}
        errors = response.context["adminform"].form.errors
        assert set(errors) <= set(sent), errors
        for name, sentences in errors.items():
            assert all(map(is_sentence, sentences)), (name, sentences)
            left[name].pop(0)


class Reader(HTMLParser):
    """What a page says, and whatever in it could run."""

    def __init__(self, html: str):
        super().__init__()
        self.said: list[str] = []
        self.running: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        is_data = values.get("type") == "application/json"
        is_ours = values.get("src", "").startswith(("/static/", "/admin/jsi18n/"))
        if tag in ("iframe", "object", "embed", "base") or (
            tag == "script" and not is_data and not is_ours
        ):
            self.running.append(self.get_starttag_text())
        for name, value in attributes:
            if name.startswith("on") or (value or "").lower().lstrip().startswith("javascript:"):
                self.running.append(self.get_starttag_text())
        self.said += [values[name] for name in ("value", "title") if values.get(name)]

    def handle_data(self, data):
        self.said.append(data)

    def text(self) -> str:
        return flat("".join(self.said))


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def desk(client, administrator):
    client.force_login(administrator)
    return Desk(client)


@pytest.fixture(scope="module")
def records(module_db):
    """The tests change what is stored of them, which is taken back, and look only at that."""
    return make_portfolio(make_user())


def read(client, address: str) -> Reader:
    response = client.get(address)
    assert response.status_code == 200, address
    return Reader(response.content.decode())


def is_entered(model) -> bool:
    """Whether it has a form in the admin that keeps its history and changes it."""
    is_kept = issubclass(model, AuditedModel) and not model.is_append_only
    return is_kept and not isinstance(admin.site._registry.get(model), ReadOnlyMixin)


def enter_everywhere(desk, records, text) -> dict[type[AuditedModel], dict[str, str]]:
    """The pipeline last, so that it is among the latest changes of the dashboard."""
    return {
        model: enter(desk, records[model], text)
        for model in sorted(records, key=lambda model: model is Pipeline)
        if is_entered(model) and free_text_fields(model)
    }


def listed_model(list_name: str) -> type[AuditedModel]:
    return resolve(reverse(list_name)).func.view_class.filterset_class._meta.model


def everything(list_name: str) -> dict[str, str]:
    """What the address of a list says where it would start with less than all."""
    start = resolve(reverse(list_name)).func.view_class.default_filter
    return {start.name: ALL} if start else {}


def text_columns(list_name: str, kept) -> tuple[str, list[str]]:
    """The names of a list's columns that show a text, as its address takes them, and the texts."""
    values = kept[listed_model(list_name)]
    columns = [name for name in LISTS[list_name].base_columns if name in values]
    return ",".join(columns), [values[name] for name in columns]


def check_pages(desk, records, kept, text) -> None:
    """Every page that shows the text shows it as text."""
    name_of = {model: str(records[model]) for model in kept}
    expected = {
        "/": [name_of[Pipeline]],
        "/?tab=risks": [name_of[InformationPoint]],
        "/changes/": [name_of[Pipeline]],
        "/changes/latest/": [name_of[Pipeline], name_of[Counterparty], text],
        "/pipelines/board/": [name_of[Pipeline]],
        "/pipelines/map/?status=all": [name_of[Facility]],
    }
    for model, values in kept.items():
        record = records[model]
        expected[desk.url(record)] = [*values.values()]
        history = reverse("history", args=[model._meta.model_name, record.pk])
        expected[history] = [*values.values(), text]
        entry = record.history.latest("history_id").history_id
        expected[f"{history}{entry}/"] = [*values.values(), text]
        expected[f"{history}{record.history.earliest('history_id').history_id}/restore/"] = [
            *values.values()
        ]
        if values:
            expected[desk.url(record, "delete")] = [name_of[model]]
            expected[desk.url(model, "changelist")] = [name_of[model]]
        if hasattr(record, "get_absolute_url"):
            expected[record.get_absolute_url()] = [*values.values(), text]
    for list_name in LISTS:
        columns, values = text_columns(list_name, kept)
        query = urlencode({"columns": columns, **everything(list_name)})
        expected[f"{reverse(list_name)}?{query}"] = values
    words = text if text == TEXTS["endless"] else "project name"
    expected[f"/search/?{urlencode({'q': words[:SHOWN]})}"] = [name_of[Pipeline]]

    for address, values in expected.items():
        page = read(desk.client, address)
        assert page.running == [], address
        for value in values:
            assert flat(value)[:SHOWN] in page.text(), address
    sites = json.loads(desk.client.get(reverse("map-data")).content)["sites"]
    assert sites[0][1] == name_of[Facility].strip()


def check_downloads(client, kept) -> None:
    """No cell of a download is taken for a formula, and none has lost anything."""
    for list_name in LISTS:
        columns, values = text_columns(list_name, kept)
        texts = [value.strip() for value in values]

        query = {"columns": columns, **everything(list_name)}
        row = csv_rows(client, list_name, **query)[1]
        cells = xlsx_cells(client, list_name, **query)

        shown = [f"'{text}" if text[0] in "=+-@'" else text for text in texts]
        assert row[: len(texts)] == shown
        letters = "ABCDEFGHIJ"[: len(texts)]
        assert [cells[f"{letter}2"] for letter in letters] == [("inlineStr", t) for t in texts]


#: One that runs and one that is calculated; the others are tried by ``make test-full``.
TRIED_ALWAYS = {"script and attribute"}


@pytest.mark.parametrize(
    "name",
    [
        name if name in TRIED_ALWAYS else pytest.param(name, marks=pytest.mark.heavy)
        for name in TEXTS
    ],
)
def test_text_goes_in_and_comes_out_as_text_everywhere(desk, records, name):
    text = TEXTS[name]

    kept = enter_everywhere(desk, records, text)

    for model, values in kept.items():
        stored = {name: getattr(records[model], name) for name in values}
        assert stored == values, model
    assert records[Pipeline].comments.filter(text=comment_of(text).strip()).exists()
    # What the database gave back is what was put in; what pages make of it needs one database.
    if name not in HARMLESS_ON_PAGES and connection.vendor == "sqlite":
        check_pages(desk, records, kept, text)
    check_downloads(desk.client, kept)


def test_a_null_character_is_refused_at_every_field(desk, records):
    for model, record in records.items():
        if not is_entered(model):
            continue
        opened = desk.open(record)
        asked = {"change_reason", *({"new_comment"} if hasattr(model, "comments") else ())}
        names = {field.name for field in free_text_fields(model)} | asked

        response = desk.send(record, opened | dict.fromkeys(names, NUL))

        assert response.status_code == 200, model
        errors = response.context["adminform"].form.errors
        assert names <= set(errors), model
        assert all(is_sentence(one) for name in names for one in errors[name]), errors


@pytest.mark.parametrize("route", [route for route, answers in TABLE.items() if "GET" in answers])
def test_a_null_character_in_an_address_is_no_server_error(client, administrator, records, route):
    client.force_login(administrator)
    known = ["q", "sort", "columns", "page", "show", "entries", "before", "kind", "next", "o", "p"]
    for list_name in LISTS:
        known += resolve(reverse(list_name)).func.view_class.filterset_class.base_filters

    response = client.get(address_of(route, records), dict.fromkeys(known, NUL))

    assert response.status_code < 500


def test_a_null_character_in_a_reason_is_refused_and_nothing_is_changed(desk, records):
    """The reasons that are no part of a record's form: of a table, of one removal, of several."""
    pipeline, point = records[Pipeline], records[InformationPoint]
    table = desk.fields_of(desk.client.get(desk.url(Pipeline, "changelist")))
    table["form-0-rag_comment"] = "Something else"
    removal = {"post": "yes", "guard": guard.token([point])}
    several = {"post": "yes", "action": "delete_selected", "_selected_action": str(point.pk)}
    for address, data in (
        (desk.url(Pipeline, "changelist"), {**table, "_save": "Save"}),
        (desk.url(point, "delete"), removal),
        (desk.url(InformationPoint, "changelist"), several),
    ):
        response = desk.client.post(address, {**data, "change_reason": NUL}, follow=True)
        assert "the reason" in flat(response.content.decode()).lower(), address

    pipeline.refresh_from_db()
    assert pipeline.rag_comment != "Something else"
    assert InformationPoint.objects.filter(pk=point.pk).exists()


def test_half_a_surrogate_pair_is_kept_as_the_sign_for_what_can_not_be_read(desk, records):
    data = desk.open(records[Counterparty])
    body = urlencode({**data, "_save": "Save"}).encode()
    raw = body.replace(b"strategy=", b"strategy=half+%ED%A0%80+pair")

    response = desk.client.post(
        desk.url(records[Counterparty]), raw, content_type="application/x-www-form-urlencoded"
    )

    assert response.status_code == 302
    records[Counterparty].refresh_from_db()
    assert records[Counterparty].strategy.startswith("half \ufffd")
    page = read(desk.client, records[Counterparty].get_absolute_url())
    assert "half \ufffd" in page.text()
