"""Saved views: kept under a name, shared, and changed by their owner only."""

import pytest
from django.urls import reverse

from oegen.models import SavedView
from tests.support.builders import make_pipeline, make_user

PIPELINES = "/pipelines/"


@pytest.fixture
def view(as_manager, manager):
    """The manager's own view of red pipelines."""
    as_manager.post(f"{PIPELINES}?rag=red&sort=-rtb_date", {"do": "save-view", "name": "Red ones"})
    return SavedView.objects.get()


def names(client, name: str = "pipelines") -> list[str]:
    return [view.name for view in client.get(reverse(name)).context["saved_views"]]


def test_view_keeps_filters_order_and_columns_and_opens_on_them(as_manager, view):
    make_pipeline("Alpha", rag_status="red")
    make_pipeline("Bravo", rag_status="green")
    as_manager.post(PIPELINES, {"do": "columns", "columns": ["stage"]})

    response = as_manager.get(f"{PIPELINES}?{view.query}")

    table = response.context["table"]
    assert [str(row.record) for row in table.paginated_rows] == ["Alpha"]
    assert table.columns["rtb_date"].is_ordered
    assert "lead_developer" in table.columns.names(), "the columns of the view, not of the person"
    assert response.context["open_view"] == view


def test_page_and_unknown_words_of_the_address_are_not_kept(as_manager):
    as_manager.post(
        f"{PIPELINES}?rag=red&page=4&download=csv&evil=1", {"do": "save-view", "name": "Red"}
    )

    query = SavedView.objects.get().query
    assert query.startswith("rag=red&status=open&columns=project_name,")
    assert "page" not in query
    assert "evil" not in query


def test_view_is_the_person_s_own_until_it_is_shared(as_manager, view, client):
    other = make_user("Managers", "olga")
    client.force_login(other)
    assert names(client) == []

    SavedView.objects.update(is_shared=True)

    assert names(client) == ["Red ones"]
    assert names(client, "contacts") == []


def test_owner_renames_shares_and_removes(as_manager, view):
    answer = {"view": view.pk, "name": "  Re\u200bds\u00a0 1 ", "is_shared": "on"}
    as_manager.post(PIPELINES, {"do": "rename-view", **answer})
    view.refresh_from_db()
    assert (view.name, view.is_shared) == ("Reds 1", True)

    as_manager.post(PIPELINES, {"do": "remove-view", "view": view.pk})
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("do", ["rename-view", "remove-view"])
def test_somebody_else_s_view_is_refused(client, view, do):
    SavedView.objects.update(is_shared=True)
    client.force_login(make_user("Administrators", "olga"))

    response = client.post(PIPELINES, {"do": do, "view": view.pk, "name": "Mine now"})

    assert response.status_code == 403
    view.refresh_from_db()
    assert view.name == "Red ones"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("red ONES", "You have a view called “red ONES” on this list already"),
        ("   ", "Give the view a name."),
        ("\u200b", "Give the view a name."),
        ("x" * 81, "A name has at most 80 characters"),
        ("a\x00b", "Null characters are not allowed."),
    ],
)
def test_name_that_cannot_be_kept_is_reported(as_manager, view, name, sentence):
    response = as_manager.post(PIPELINES, {"do": "save-view", "name": name}, follow=True)

    assert sentence in response.content.decode()
    assert SavedView.objects.count() == 1


def test_rename_to_a_name_in_use_is_reported(as_manager, view):
    as_manager.post(PIPELINES, {"do": "save-view", "name": "All"})

    response = as_manager.post(
        PIPELINES, {"do": "rename-view", "view": view.pk, "name": "all"}, follow=True
    )

    assert "Choose another name" in response.content.decode()
    view.refresh_from_db()
    assert view.name == "Red ones"


@pytest.mark.parametrize("key", ["999999", "x", "", "1 OR 1=1", "9" * 30])
def test_unknown_view_is_not_found(as_manager, key):
    response = as_manager.post(PIPELINES, {"do": "remove-view", "view": key})

    assert response.status_code == 404


def test_view_of_another_list_is_not_found(as_manager, view):
    response = as_manager.post(reverse("contacts"), {"do": "remove-view", "view": view.pk})

    assert response.status_code == 404
    assert SavedView.objects.exists()


def test_name_is_shown_as_text(as_manager):
    as_manager.post(PIPELINES, {"do": "save-view", "name": "<script>alert(1)</script>"})

    html = as_manager.get(PIPELINES).content.decode()

    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_forms_need_their_token(manager):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(manager)

    assert client.post(PIPELINES, {"do": "save-view", "name": "X"}).status_code == 403
    assert not SavedView.objects.exists()
