"""The page "Connect": its addresses read what the page's filters leave."""

import json
from datetime import date, timedelta
from html import unescape
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from django.http import QueryDict

from oegen.api.odata.query import read_page, read_query
from oegen.api.odata.sets import SETS
from oegen.core import clock
from pipelines.filters import PipelineFilter
from pipelines.odata.page_filters import translate, translators_for_pipelines
from tests.support.builders import make_facility, make_pipeline, make_user
from tests.support.portfolios import make_awkward_portfolio

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def reader(module_db):
    make_awkward_portfolio()
    make_facility(technology="wind", country="GB")
    reader = make_user("Managers", "o'neil", first_name="Olive")
    make_pipeline("Olive's", responsible=reader, rag_status="amber", rtb_date=date(2027, 5, 1))
    return reader


@pytest.mark.parametrize(
    "query",
    [
        "",
        "status=open",
        "status=all",
        "status=on-hold&status=completed",
        "status=open&status=withdrawn",
        "status__not=open",
        "status__not=design",
        "rag=red&rag=none",
        "rag__not=green&status=open",
        "rtb=overdue",
        "rtb=due&rtb=none",
        "rtb__not=none",
        "responsible=~me",
        "responsible=o'neil",
        "responsible=no one",
        "responsible__not=~me",
        "rtb_from=2027-01-01&rtb_to=2028-12-31",
        "rtb_year=2027",
        "capacity_min=10&capacity_max=100.5",
    ],
)
def test_filters_of_a_page_leave_the_same_rows_in_the_feed(reader, rf, query):
    request = rf.get("/")
    request.user = reader
    filters = PipelineFilter(QueryDict(query), request=request)
    assert filters.is_valid()
    found = translate(filters, translators_for_pipelines(reader))
    assert found.left_out == ()
    options = [("$filter", [found.text])] if found.text else []
    page = read_page(
        read_query(SETS["Pipelines"], [*options, ("$select", ["project_name"])], personal=False)
    )
    assert {row[0] for row in page.rows} == {one.project_name for one in filters.qs}


def test_what_has_no_column_is_told(client, reader):
    client.force_login(reader)
    page = client.get("/connect/?q=solar&technology=solar&rtb=on-course&rag=red")
    assert "No column of this table says" in page.text
    _, *left_out = page.context["connection"].translation.left_out
    assert left_out == ["Technology", "RTB date"]
    assert "rag_status eq &#x27;red&#x27;" not in page.text
    assert "rag_status%20eq%20%27red%27" in page.text
    by_facility = client.get("/connect/?set=OpenCapacityByProject&technology=wind-all&country=GB")
    assert "choose facilities here" in by_facility.text
    assert by_facility.context["connection"].translation.left_out == ()
    wrong = client.get("/connect/?rag=purple")
    assert "is not valid" in wrong.text
    assert client.get("/connect/excel/?rag=purple").status_code == 400


def test_the_lines_for_databricks_name_the_type_of_each_column(client, reader):
    client.force_login(reader)
    schema = client.get("/connect/?set=Pipelines").context["connection"].spark_schema
    assert "project_name string" in schema
    assert "overdue boolean" in schema
    assert "capacity_mw double" in schema
    assert "version bigint" in schema
    assert "responsible_name" not in schema
    assert client.get("/connect/?set=all").context["connection"].spark_schema == ""


def test_files_hold_the_address_and_no_secret(client, reader):
    client.force_login(reader)
    file = client.get("/connect/power-bi/?rag=red&set=Pipelines")
    assert file["Content-Disposition"] == 'attachment; filename="Pipelines.pbids"'
    [connection] = json.loads(file.text)["connections"]
    assert connection["details"]["protocol"] == "odata"
    address = connection["details"]["address"]["url"]
    assert unquote(address) == (
        "http://testserver/odata/v1/Pipelines?$filter=open eq true and rag_status eq 'red'"
    )
    file = client.get("/connect/excel/?rag=red&set=Pipelines")
    assert file["Content-Disposition"] == 'attachment; filename="Pipelines.odc"'
    _, _, rest = file.text.partition("<odc:PowerQueryMashupData>")
    mashup = ElementTree.fromstring(unescape(rest.partition("</odc:")[0]))  # noqa: S314
    [formula] = mashup.iter("{http://schemas.microsoft.com/DataMashup}Formula")
    assert formula.text == (
        f'let Source = OData.Feed("{address}", null, [Implementation="2.0"]) in Source'
    )
    everything = client.get("/connect/power-bi/?rag=red&set=all").json()["connections"][0]
    assert everything["details"]["address"]["url"] == "http://testserver/odata/v1/"


def test_a_past_page_leads_to_the_root_of_its_day(client, reader):
    client.force_login(reader)
    day = clock.today() - timedelta(days=3)
    page = client.get(f"/connect/?as_of={day}&set=all")
    assert page.context["connection"].address == f"http://testserver/odata/v1/as-of/{day}/"
    file = client.get(f"/connect/power-bi/?as_of={day}&set=all").json()
    assert file["connections"][0]["details"]["address"]["url"].endswith(f"/as-of/{day}/")
