"""What the tests of the figures in the API share: queries, reading and comparing."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from rest_framework.test import APIClient

from dashboard.metrics import Total
from oegen.api.models import ApiToken
from oegen.api.scopes import Scope
from oegen.core.clock import a_month_before
from oegen.models import User
from tests.support.portfolios import TODAY

SINCE = a_month_before(TODAY)
YESTERDAY = TODAY - timedelta(days=1)
METRICS = "/api/v1/metrics/"
HOST = "http://testserver"

QUERIES = {
    "all": {},
    "solar": {"technology": "solar"},
    "red": {"rag": ["red", "amber"], "status": "open"},
    "large": {"capacity_min": "8", "responsible": "no one", "compare": str(YESTERDAY)},
    "past": {"as_of": str(YESTERDAY)},
    "past-filtered": {
        "as_of": str(YESTERDAY),
        "technology__not": "wind",
        "also": "status=open",
        "country": "GB",
    },
}

#: What the dashboard is filtered by.
FILTERS = (
    *("", "technology=solar", "technology=bess", "technology__not=wind&country=GB"),
    *("status=design", "status=open", "status=on-hold", "status__not=design", "status=all"),
    *("rag=red&rag=amber", "rag=none", "rtb=overdue", "rtb=none", "country=GB", "q=solar"),
    *("capacity_min=8", "capacity_max=60", "counterparty=Larch", "responsible=no+one"),
    "rtb_from=2027-01-01&also=technology%3Dsolar",
)

#: Filters that leave nothing that is open.
NOTHING_OPEN = ("status=on-hold",)

#: Today, and two past days.
DAYS = (TODAY, YESTERDAY, SINCE)

#: Figures of every kind.
A_FEW = ("open-capacity", "capacity-by-rag", "overdue-pipelines", "rag-movement", "baselines")
A_FEW += ("worsened-pipelines", "exposure", "information-points", "mw-walk", "rtb-slippage")
A_FEW += ("forecast", "weighted-capacity")


def client_of(person: User, scope: Scope = Scope.READ) -> APIClient:
    """A client of the API with a token of the person, which is not stored: tokens end by the real
    clock."""
    api = APIClient()
    api.force_authenticate(person, token=ApiToken(person=person, scopes=scope))
    return api


def read(api: APIClient, name: str, query: dict | None = None) -> dict:
    answer = api.get(f"{METRICS}{name}/", query or {})
    assert answer.status_code == 200, (name, answer.json())
    return answer.json()


def cells(total: Total) -> tuple:
    """A total as rows have it."""
    one = total.capacity
    sizes = one.mw, one.mwp_dc, one.mw_ac, one.storage_mw, one.storage_mwh
    return (total.pipelines, *sizes, one.facilities, one.facilities_without_capacity)


def row_cells(row: dict) -> tuple:
    sizes = "capacity_mw", "capacity_mwp_dc", "capacity_mw_ac", "storage_mw", "storage_mwh"
    return (
        row["pipelines"],
        *(Decimal(row[name]) for name in sizes),
        row["facilities"],
        row["facilities_without_capacity"],
    )


def same(shown, found) -> bool:
    return (
        found is None if shown is None else abs(Decimal(found) - Decimal(shown)) < Decimal("0.001")
    )


def urls_in(one: dict) -> Iterator[str]:
    """The addresses of a figure and of its rows."""
    yield one["url"]
    for row in one["rows"] or []:
        yield from (value for key, value in row.items() if key.endswith("url") and value)
