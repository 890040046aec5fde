"""The feed of changes: a reader that follows it has an exact copy."""

import pytest

from oegen import audit
from oegen.api.rest.registry import VIEWSETS
from oegen.models import ChangeSet
from pipelines.models import Pipeline
from tests.support.builders import make_pipeline, make_portfolio, make_user

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/changes/"


def follow(api, after: str = "0", limit: int = 1000):
    """The pages up to the last one, each read where the one before says."""
    address = f"{ADDRESS}?after={after}&limit={limit}"
    while True:
        page = api.get(address).json()
        yield page
        address = page["next"]
        if not page["more"]:
            return


@pytest.mark.parametrize("limit", [3, 1000])
def test_whoever_follows_it_has_a_copy_of_every_record(api_of, administrator, limit):
    api = api_of(administrator)
    make_portfolio(make_user("Portfolio managers"))
    with audit.change_set(reason="Many at once"):
        for number in range(5):
            make_pipeline(f"Moor {number}")
        Pipeline.objects.filter(project_name="Moor 1").delete()
    Pipeline.objects.filter(project_name="Moor 2").update(rag_status="red")

    copy: dict[tuple[str, str], dict] = {}
    whole, seen = [], []
    for page in follow(api, limit=limit):
        assert (
            sum(max(1, len(one["entries"]) + one["withheld"]) for one in page["results"]) <= limit
        )
        for change_set in page["results"]:
            if change_set["complete"]:
                whole.append(change_set["number"])
            for entry in change_set["entries"]:
                seen.append((change_set["number"], entry["entry"]))
                key = (entry["kind"], entry["id"])
                if entry["action"] == "removed":
                    del copy[key]
                    continue
                record = copy.setdefault(key, {})
                for name, value in entry["values"].items():
                    if entry["action"] == "changed":
                        assert record[name] == value["old"]
                    record[name] = value["new"]
    numbers = list(ChangeSet.objects.order_by("number").values_list("number", flat=True))
    assert whole == numbers, "no gaps, and each is whole once"
    assert len(seen) == len(set(seen))

    stored = {}
    for kind in VIEWSETS:
        address = f"/api/v1/{kind}/?limit=1000"
        for record in api.get(address).json()["results"]:
            stored[kind, record["id"]] = record
    assert set(copy) == set(stored)
    for key, record in copy.items():
        if key[0] == "comments":
            continue
        for name, value in record.items():
            shown = stored[key].get(name, value)
            assert shown == value or shown.startswith(value[:19]), (key, name)


def test_what_nobody_may_see_is_counted_and_keeps_its_number(api, api_of, administrator):
    user = make_user("Managers")
    user.first_name = "Ann"
    user.save()
    last = ChangeSet.objects.latest("number").number
    (page,) = follow(api, after=str(last - 1))
    (one,) = page["results"]
    assert (one["number"], one["entries"], one["withheld"], one["complete"]) == (last, [], 1, True)
    assert page["next"].endswith(f"after={last}&limit=1000")
    assert api.get(f"{ADDRESS}?after={last}").json()["results"] == []


def test_it_says_what_it_does_not_understand(api):
    for query in ("after=x", "after=-1", "limit=0", "limit=5000", "befor=3", "after=1.2.3"):
        answer = api.get(f"{ADDRESS}?{query}")
        assert answer.status_code == 400, query
        assert answer.json()["errors"][0]["field"] in query
