"""The fields of the admin's forms are the same HTML as from Django's templates."""

from itertools import chain
from pathlib import Path

import pytest
from django.contrib import admin
from django.forms.renderers import DjangoTemplates
from django.template import Context, Engine
from django.test.html import Element, parse_html

from oegen.models import AuditedModel
from pipelines.models import Pipeline
from tests.support.builders import make_portfolio
from tests.support.desk import Desk, errors_of
from tests.support.readers import HOSTILE

pytestmark = pytest.mark.django_db

DJANGOS = Engine(
    dirs=[str(Path(admin.__file__).parent / "templates")],
    libraries={
        "i18n": "django.templatetags.i18n",
        "static": "django.templatetags.static",
        "admin_urls": "django.contrib.admin.templatetags.admin_urls",
        "admin_modify": "django.contrib.admin.templatetags.admin_modify",
    },
)


def test_every_form_has_the_fields_of_djangos_templates(desk, administrator):
    portfolio = make_portfolio(administrator)
    pipeline = portfolio[Pipeline]
    refused = desk.open(pipeline) | {
        "project_name": "",
        "rag_comment": HOSTILE,
        "cod_date": HOSTILE,
        "facility_links-0-capacity_mw": HOSTILE,
        "counterparty_links-0-share_pct": "1000",
    }
    pages = [desk.send(pipeline, refused)]
    assert errors_of(pages[0])
    for record in portfolio.values():
        if isinstance(record, AuditedModel) and admin.site.is_registered(type(record)):
            pages.append(desk.client.get(Desk.url(record)))
    forms = [page for page in pages if page.status_code == 200]
    assert sum(map(_compare, forms)) > 300


def _compare(page) -> int:
    """Compare the fields of a form with those of Django's templates; returns their number."""
    ours = parse_html(page.content.decode())
    lines, cells = list(_found(ours, "div", "form-row")), list(_found(ours, "td", "field-"))
    for name, fieldset in enumerate(page.context["adminform"]):
        djangos = _djangos("includes/fieldset", fieldset=fieldset, id_suffix=name)
        for line in _found(djangos, "div", "form-row"):
            assert line in lines
    forms = [page.context["adminform"].form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [*inline.formset.forms, inline.formset.empty_form]
        if inline.opts.template == "admin/link_table.html":
            djangos = _djangos("edit_inline/tabular", inline_admin_formset=inline)
            for cell in _found(djangos, "td", "field-"):
                assert cell in cells
    boxes = list(chain(*forms))
    for box in boxes:
        ours = parse_html(str(box))
        box.form.renderer = DjangoTemplates()
        assert parse_html(str(box)) == ours
    return len(boxes)


def _djangos(template: str, **values):
    page = DJANGOS.get_template(f"admin/{template}.html")
    return parse_html(page.render(Context(values)))


def _found(element, name: str, begin: str):
    """The elements of this name and with a class that begins so, inside others too."""
    if not isinstance(element, Element):
        return
    classes = dict(element.attributes).get("class") or ""
    if element.name == name and any(one.startswith(begin) for one in classes.split()):
        yield element
    for child in element.children:
        yield from _found(child, name, begin)
