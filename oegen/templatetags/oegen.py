"""Filters and tags for all templates. A builtin of the template engine: no ``load`` is needed."""

import re
from functools import cache, lru_cache

from django import template
from django.conf import settings
from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from oegen.asof import PARAMETER
from oegen.audit.revert import merging
from oegen.core import clock, next_url, words
from oegen.pages import basemap, sample
from oegen.pages.admin_links import form_url
from oegen.pages.columns import truncate
from oegen.pages.importing.access import kinds_for

register = template.Library()

ICON_NAME = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
SVG = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


class UnknownIconError(Exception):
    def __init__(self, name: str):
        super().__init__(
            f"There is no icon “{name}” in {settings.ICONS_DIR / 'outline'}. Choose one from "
            "https://tabler.io/icons."
        )


@cache
def _icon_shapes(name: str) -> str:
    """The content of the <svg> element in the icon's file."""
    path = settings.ICONS_DIR / "outline" / f"{name}.svg"
    svg = SVG.search(path.read_text()) if ICON_NAME.match(name) and path.is_file() else None
    if svg is None:
        raise UnknownIconError(name)
    return re.sub(r"\s*\n\s*", "", svg[1])


@register.simple_tag
def has_sample_data() -> bool:
    return sample.is_loaded()


@register.simple_tag
def basemap_urls() -> str:
    return basemap.urls()


@register.simple_tag
def icon(name: str, extra_class: str = "", colour: str = "currentColor", fallback: str = ""):
    """The icon as inline SVG, hidden from screen readers.

    Raises UnknownIconError without a ``fallback``, which is for names that come from records.
    """
    return _icon_of(name, extra_class, colour, fallback)


@lru_cache(maxsize=512)
def _icon_of(name: str, extra_class: str, colour: str, fallback: str) -> SafeString:
    try:
        shapes = _icon_shapes(name)
    except UnknownIconError:
        if not fallback:
            raise
        shapes = _icon_shapes(fallback)
    return format_html(
        '<svg class="icon {}" width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="{}" '
        'stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" '
        'focusable="false">{}</svg>',
        extra_class,
        colour,
        mark_safe(shapes),  # noqa: S308 - from the pinned icon package, not from a record
    )


# Numbers and dates -------------------------------------------------------------------------------


for function in (
    *(words.number, words.whole, words.plain, words.degrees, words.mw),
    *(words.signed, words.days, words.in_days, words.than, words.day),
):
    register.filter(function)

register.simple_tag(words.moment)

# Django's takes as long for short texts as for those that it shortens.
register.filter("truncatechars", truncate, is_safe=True)


@register.simple_tag
def history_url(record) -> str:
    """The URL of the record's history."""
    return reverse("history", args=[record._meta.model_name, record.pk])


@register.simple_tag
def entry_url(entry, name: str = "history-entry") -> str:
    """The URL of the record's state at an entry of its history, or of another page about it."""
    return reverse(name, args=[entry.model._meta.model_name, entry.record_id, entry.history_id])


# Permissions -------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def may_enter_admin(context) -> bool:
    return admin.site.has_permission(context["request"])


@register.simple_tag(takes_context=True)
def edit_url(context, record) -> str:
    """The URL of the record's admin form, which returns to this page; empty without permission."""
    return _admin_url(context["request"], record._meta, "change", record.pk)


@register.simple_tag(takes_context=True)
def merge_url(context, record) -> str:
    """The URL of the page to merge another record into this one; empty without permission, for
    models that can't be merged, and on past pages."""
    model = type(record)
    may = context["request"].user.has_perms(merging.permissions_for(model))
    if not (model.MERGE_FIELDS and may) or clock.past_day():
        return ""
    return reverse(f"{model._meta.model_name}-merge", args=[record.pk])


@register.simple_tag(takes_context=True)
def add_url(context, meta) -> str:
    """The URL of the admin form for a new record. Takes the model's ``_meta``, because a template
    would call the class."""
    return _admin_url(context["request"], meta, "add")


@register.simple_tag(takes_context=True)
def import_url(context, kind: str = "") -> str:
    """The URL to import a table, of records of the kind if one is named; empty for those who may
    not, for a kind that can't be imported, and on past pages."""
    names = {one.name for one in kinds_for(context["request"].user)}
    if clock.past_day() or not names or (kind and kind not in names):
        return ""
    return f"{reverse('imports')}?kind={kind}" if kind else reverse("imports")


@register.simple_tag(takes_context=True)
def way_back(context) -> str:
    """A query string that makes a form return to this page."""
    return next_url.as_query(context["request"].get_full_path())


def _admin_url(request, meta, action: str, *args) -> str:
    return form_url(request, meta, action, *args, back=request.get_full_path())


@register.simple_tag
def past_day():
    """The past day that the page shows; None for the present."""
    return clock.past_day()


@register.simple_tag(takes_context=True)
def other_parameters(context) -> list[tuple[str, str]]:
    """The query parameters except the day and the page number, for the form that selects a day."""
    query = context["request"].GET
    return [
        (name, value)
        for name, values in query.lists()
        if name not in (PARAMETER, "page")
        for value in values
    ]


@register.simple_tag(takes_context=True)
def address_today(context) -> str:
    """The URL of this page in the present."""
    query = context["request"].GET.copy()
    query.pop(PARAMETER, None)
    return f"?{query.urlencode()}"
