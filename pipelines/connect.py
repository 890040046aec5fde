"""The page that connects Power BI, Excel, Databricks and Python with the OData feed, and its
files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from oegen.api.odata import types
from oegen.api.odata.sets import SETS
from oegen.core import clock
from pipelines.filtered import FilteredPipelines
from pipelines.filters import OPEN_BY_DEFAULT
from pipelines.odata.page_filters import (
    Translation,
    translate,
    translators_for_open_capacity,
    translators_for_pipelines,
)

ALL_TABLES = "all"

#: What can be read, by the value of ``?set=``: its label, and how the filters are translated.
READS = {
    "Pipelines": ("Projects", translators_for_pipelines),
    "OpenCapacityByProject": ("Open capacity", translators_for_open_capacity),
    ALL_TABLES: ("All tables", None),
}

#: Other types are text.
_SPARK_TYPES = {
    types.BOOLEAN.name: "boolean",
    types.INTEGER.name: "bigint",
    types.LONG.name: "bigint",
    types.decimal(0).name: "double",
}


@dataclass(frozen=True)
class Connection:
    """The address of a set with the page's filters, or of the service with all sets."""

    name: str
    root: str
    translation: Translation

    @property
    def address(self) -> str:
        if self.name == ALL_TABLES:
            return self.root
        text = self.translation.text
        return f"{self.root}{self.name}" + (f"?$filter={quote(text, safe='')}" if text else "")

    @property
    def table(self) -> str:
        """The name of the table in the client, and of the files."""
        return "OEGen" if self.name == ALL_TABLES else self.name

    @property
    def spark_schema(self) -> str:
        """The columns that every token reads, for Spark; days and times as text, as JSON has them.

        Empty for all tables.
        """
        if self.name == ALL_TABLES:
            return ""
        columns = SETS[self.name].columns_for(personal=False)
        return ", ".join(
            f"{column.name} {_SPARK_TYPES.get(column.type.name, 'string')}" for column in columns
        )

    @property
    def power_query(self) -> str:
        """The source in Power Query's language."""
        quoted = self.address.replace('"', '""')
        return f'OData.Feed("{quoted}", null, [Implementation="2.0"])'


class Connect(FilteredPipelines):
    """How to read what the page's filters leave: ``?set=`` is one of READS."""

    template_name = "pipelines/connect.html"
    switch_template_name = ""
    section = ""
    default_filter = OPEN_BY_DEFAULT
    page_parameters = FilteredPipelines.page_parameters | {"set"}

    def get_template_names(self):
        return [self.template_name]

    def usual_filters(self):
        return {}

    def connection(self) -> Connection:
        """Call it after the filters were found valid."""
        name = self.request.GET.get("set", "")
        if name not in READS:
            name = next(iter(READS))
        root = self.request.build_absolute_uri(reverse("odata"))
        if day := clock.past_day():
            root += f"as-of/{day}/"
        _, translators = READS[name]
        found = Translation("", ())
        if translators:
            found = translate(self.filterset, translators(self.request.user))
        return Connection(name, root, found)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        if context["is_wrong"]:
            return context
        query = self.request.GET.copy()
        connection = self.connection()
        reads = []
        for name, (label, _) in READS.items():
            query["set"] = name
            reads.append((label, query.urlencode(), name == connection.name))
        query["set"] = connection.name
        chooses_facilities = connection.name == "OpenCapacityByProject" and (
            {"technology", "country"} & self.filterset.active_values.keys()
        )
        return context | {
            "connection": connection,
            "reads": reads,
            "is_all": connection.name == ALL_TABLES,
            "file_query": query.urlencode(),
            "chooses_facilities": bool(chooses_facilities),
            "quick_views": [],
        }


class ConnectFile(Connect):
    """A file that opens a program at the address."""

    content_type = ""
    extension = ""

    def get(self, request, *args, **kwargs):
        self.filterset = self.get_filterset(self.get_filterset_class())
        if self.has_invalid_filters():
            raise BadRequest("A filter in this address is not valid: choose it again.")
        connection = self.connection()
        name = f"{connection.table}.{self.extension}"
        return HttpResponse(
            self.content(connection),
            content_type=self.content_type,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def content(self, connection: Connection) -> str:
        raise NotImplementedError


class PowerBIFile(ConnectFile):
    """A ``.pbids`` file: a data source without credentials."""

    content_type = "application/json"
    extension = "pbids"

    def content(self, connection):
        details = {"protocol": "odata", "address": {"url": connection.address}}
        connections = [{"details": details, "options": {}, "mode": "Import"}]
        return json.dumps({"version": "0.1", "connections": connections}, indent=2)


class ExcelFile(ConnectFile):
    """An Office data connection with a query of Power Query."""

    content_type = "text/x-ms-odc; charset=utf-8"
    extension = "odc"

    def content(self, connection):
        mashup = render_to_string("pipelines/connect_mashup.xml", {"connection": connection})
        return render_to_string(
            "pipelines/connect_excel.odc", {"connection": connection, "mashup": mashup}
        )
