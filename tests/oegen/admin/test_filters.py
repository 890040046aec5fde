"""A list of the admin whose address asks for something it does not know."""

from urllib.parse import urlencode

import pytest

from tests.support.builders import make_pipeline

pytestmark = pytest.mark.django_db

PIPELINES = "/admin/pipelines/pipeline/"


def visit(client, address: str, query: dict):
    response = client.get(f"{address}?{urlencode(query)}", follow=True)
    assert response.status_code == 200
    return response, " ".join(str(message) for message in response.context["messages"])


@pytest.mark.parametrize(
    "query",
    [
        {"stage__id__exact": "abc"},
        {"facilities__technology__id__exact": "abc"},
        {"facilities__technology__id__exact": "6b1f0d0e-0000-4000-8000-000000000000"},
        {"status": "abc"},
        {"overdue": "perhaps"},
        {"rag_status__exact": "purple"},
        {"rag_status__exact": "re\x00d"},
        {"rtb_date__gte": "soon"},
        {"rtb_date__gte": "2027-02-31"},
        {"nothing": "here"},
        {"project_name__regex": "("},
        {"e": "1", "status": "abc"},
    ],
)
def test_unknown_filter_is_named_and_everything_is_listed(desk, query):
    make_pipeline("Kestrel Moor")

    response, messages = visit(desk.client, PIPELINES, query)

    assert "The list is shown without filters" in messages
    assert list(query.values())[-1].replace("\x00", "") in messages.replace("\x00", "")
    assert response.context["cl"].result_count == 1


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": "kestrel"},
        {"status": "design"},
        {"rag_status__exact": "red"},
        {"rtb_date__gte": "2027-03-01", "rtb_date__lt": "2027-04-01"},
        {"overdue": "yes", "status": "open"},
    ],
)
def test_known_filter_is_left_alone(desk, query):
    make_pipeline("Kestrel Moor")

    response, messages = visit(desk.client, PIPELINES, query)

    assert messages == ""
    assert response.redirect_chain == []


@pytest.mark.parametrize(
    ("model", "query"),
    [
        ("counterparties/counterparty", {"country": "ZZ"}),
        ("counterparties/counterparty", {"archived_at__isempty": "maybe"}),
        ("counterparties/counterparty", {"is_placeholder__exact": "maybe"}),
        ("infopoints/informationpoint", {"status__exact": "asleep"}),
        ("oegen/comment", {"created_at__year": "99999"}),
        ("oegen/user", {"groups__id__exact": "abc"}),
        ("oegen/user", {"groups__id__exact": "99999999999999999999"}),
        ("pipelines/stage", {"is_active__exact": "perhaps"}),
    ],
)
def test_every_list_says_so(client, administrator, model, query):
    client.force_login(administrator)

    _, messages = visit(client, f"/admin/{model}/", query)

    assert "The list is shown without filters" in messages


def test_table_sent_to_such_an_address_saves_nothing_and_says_so(desk):
    pipeline = make_pipeline("Kestrel Moor")
    response = desk.client.post(f"{PIPELINES}?status=abc", {"_save": "Save"}, follow=True)

    assert "Nothing was saved." in " ".join(str(one) for one in response.context["messages"])
    assert pipeline.history.count() == 1


def test_pages_of_a_search_are_those_of_now(desk):
    for number in range(51):
        make_pipeline(f"Moor {number:02}")
    kept = make_pipeline("Moor 99")

    def names(page: int) -> list[str]:
        answer = desk.client.get(PIPELINES, {"q": "moor", "p": page})
        return [one.project_name for one in answer.context["cl"].result_list]

    assert (len(names(1)), names(2)) == (50, ["Moor 50", "Moor 99"])
    kept.project_name = "Heath"
    kept.save()
    assert (len(names(1)), names(2)) == (50, ["Moor 50"])
    assert "Choose a filter" in visit(desk.client, PIPELINES, {"q": "moor", "p": 3})[1]
    # With one page, Django shows that for any number.
    assert desk.client.get(PIPELINES, {"q": "heath", "p": 3}).context["cl"].result_count == 1
