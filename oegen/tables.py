"""The base table and the columns that several lists share."""

import django_tables2 as tables
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from oegen.templatetags.oegen import number


class RecordTable(tables.Table):
    """One line a record. The first column leads to the record and stays in view on phones."""

    class Meta:
        attrs = {"class": "table table-vcenter table-hover oegen-table"}

    @tables.Table.order_by.setter
    def order_by(self, value):
        """As the base's, with the id last, so that rows of equal value keep their page."""
        tables.Table.order_by.fset(self, value)
        rows = self.data.data
        if rows.query.order_by:
            self.data.data = rows.order_by(*rows.query.order_by, "pk")


class PartColumn(tables.Column):
    """A cell drawn by a template, which is given ``record`` and ``value``."""

    def __init__(self, template_name: str, *args, **kwargs):
        self.part = template_name
        kwargs.setdefault("empty_values", ())
        super().__init__(*args, **kwargs)

    def render(self, record, value) -> SafeString:
        return render_to_string(self.part, {"record": record, "value": value})


class RecordColumn(PartColumn):
    """The record's name, leading to its page."""

    def __init__(self, *args, **kwargs):
        super().__init__("oegen/parts/record_link.html", *args, **kwargs)


class NumberColumn(tables.Column):
    """Right-aligned, with the unit in the heading."""

    def __init__(self, *args, places: int = 0, **kwargs):
        self.places = places
        kwargs.setdefault("attrs", {"th": {"class": "num"}, "td": {"class": "num"}})
        kwargs.setdefault("initial_sort_descending", True)
        super().__init__(*args, **kwargs)

    def render(self, value):
        return number(value, self.places)
