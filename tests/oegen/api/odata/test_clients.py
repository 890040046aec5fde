"""What client libraries do with the feed, by HTTP on loopback."""

import pytest
from odata import ODataService
from requests.auth import HTTPBasicAuth

from oegen.api.odata import query
from oegen.api.scopes import Scope
from pipelines.models import Pipeline, Stage
from tests.support.builders import make_token, make_user


@pytest.mark.parametrize(
    ("number", "page_size"), [(25, 7), pytest.param(12_345, 5_000, marks=pytest.mark.heavy)]
)
def test_python_odata_reads_each_row_once_while_rows_are_written(
    transactional_db, live_server, monkeypatch, number, page_size
):
    monkeypatch.setattr(query, "PAGE_SIZE", page_size)
    stage = Stage.objects.get(code="design")
    rows = [Pipeline(project_name=f"Project {place}", stage=stage) for place in range(number)]
    Pipeline.objects.bulk_create(rows)
    _, secret = make_token(make_user("Portfolio managers"), scopes=[Scope.ODATA])
    service = ODataService(
        f"{live_server.url}/odata/v1/",
        auth=HTTPBasicAuth("reader", secret),
        reflect_entities=True,
        quiet_progress=True,
    )
    pipelines = service.entities["Pipelines"]
    seen = []
    for place, row in enumerate(service.query(pipelines)):
        seen.append(row.id)
        if place % (page_size // 2) == 0:
            Pipeline.objects.create(project_name="New meanwhile", stage=stage)
            Pipeline.objects.filter(pk=rows[place % number].pk).update(next_step=f"Step {place}")
    assert len(seen) == len(set(seen))
    assert {str(one.pk) for one in rows} <= {str(key) for key in seen}
    found = service.query(pipelines).filter(pipelines.project_name == "Project 7")
    assert [row.stage for row in found] == ["design"]
    assert found.count() == 1
    assert len(service.query(pipelines).filter(pipelines.overdue == True).all()) == 0  # noqa: E712
