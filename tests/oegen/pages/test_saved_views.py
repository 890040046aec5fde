"""Saved views: kept under a name, shared, and changed by their owner only."""

import pytest
from django.contrib.auth.models import Group
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
    answer = {"view": view.pk, "name": "  Re\u200bds\u00a0 1 ", "share": "everybody"}
    as_manager.post(PIPELINES, {"do": "rename-view", **answer})
    view.refresh_from_db()
    assert (view.name, view.is_shared) == ("Reds 1", True)
    as_manager.post(PIPELINES, {"do": "rename-view", **answer, "share": "Administrators"})
    view.refresh_from_db()
    assert (view.share, view.is_shared) == ("Administrators", False)

    as_manager.post(PIPELINES, {"do": "remove-view", "view": view.pk})
    assert not SavedView.objects.exists()


def share(view: SavedView, role: str) -> None:
    SavedView.objects.filter(pk=view.pk).update(shared_with=Group.objects.get(name=role))


def test_members_of_a_role_see_copy_and_hide_what_is_shared_with_it(client, as_manager, view):
    share(view, "Portfolio managers")
    olga = make_user("Portfolio managers", "olga")
    client.force_login(olga)
    client.post(f"{PIPELINES}?rag=green", {"do": "save-view", "name": view.name})
    assert names(client) == ["Red ones", "Red ones"]
    page = client.get(PIPELINES)
    tabs = page.context["saved_tabs"]
    assert [tab.is_own for tab in tabs] == [True, False], "one's own first"
    assert page.content.decode().count(f"by <bdi>{view.owner}") == 2, "in tab and menu"

    taken = client.post(PIPELINES, {"do": "copy-view", "view": view.pk}, follow=True)
    assert "You have a view called “Red ones”" in taken.content.decode()
    SavedView.objects.filter(owner=olga).delete()
    client.post(PIPELINES, {"do": "copy-view", "view": view.pk})
    copy = SavedView.objects.get(owner=olga)
    assert (copy.name, copy.query, copy.share) == (view.name, view.query, "")

    client.post(PIPELINES, {"do": "hide-view", "view": view.pk})
    page = client.get(PIPELINES)
    assert page.context["saved_tabs"] == [copy]
    assert page.context["saved_views"] == [copy, view], "the menu shows it, to bring it back"
    client.post(PIPELINES, {"do": "show-view", "view": view.pk})
    assert client.get(PIPELINES).context["saved_tabs"] == [copy, view]

    view.owner.is_active = False
    view.owner.save()
    assert names(client) == ["Red ones", "Red ones"], "it stays when its owner leaves"
    olga.groups.clear()
    assert names(client) == ["Red ones"]
    assert client.post(PIPELINES, {"do": "copy-view", "view": view.pk}).status_code == 404


def test_an_administrator_removes_what_others_share_and_nothing_else(client, as_manager, view):
    administrator = make_user("Administrators", "olga")
    client.force_login(administrator)
    assert names(client) == []
    assert client.post(PIPELINES, {"do": "remove-view", "view": view.pk}).status_code == 403

    share(view, "Managers")
    page = client.get(PIPELINES)
    assert (page.context["saved_views"], page.context["saved_tabs"]) == ([view], [])
    client.post(PIPELINES, {"do": "remove-view", "view": view.pk})
    assert not SavedView.objects.exists()


def test_what_is_mine_in_a_shared_view_is_the_reader_s_own(client, as_manager):
    as_manager.post(
        f"{PIPELINES}?responsible=~me", {"do": "save-view", "name": "Ours", "share": "everybody"}
    )
    olga = make_user("Managers", "olga")
    make_pipeline("Hers", responsible=olga)
    make_pipeline("Somebody's")
    client.force_login(olga)
    page = client.get(f"{PIPELINES}?{SavedView.objects.get().query}")
    assert [str(row.record) for row in page.context["table"].paginated_rows] == ["Hers"]
    assert 'Responsible</span> <span class="chip-text fw-medium">Me<' in page.content.decode()
    report = client.get(f"{reverse('report')}?also=responsible%3D~me%26rag%3Dred&responsible=~me")
    assert report.context["filter"].data["responsible"] == "olga", "paper says whose it is"
    assert report.context["filter"].data["also"] == "responsible=olga&rag=red"


def test_five_views_and_the_open_one_are_tabs_of_any_list(as_manager):
    for number in range(20):
        as_manager.post(
            reverse("facilities") + f"?region={number}",
            {"do": "save-view", "name": f"Region {number:02}"},
        )
    last = SavedView.objects.last()
    page = as_manager.get(f"{reverse('facilities')}?{last.query}")
    assert [str(tab) for tab in page.context["saved_tabs"]] == [
        *(f"Region {number:02}" for number in range(4)),
        "Region 19",
    ]
    assert [view.label for view in page.context["quick_views"]] == ["All"]


@pytest.mark.parametrize("do", ["rename-view", "remove-view"])
def test_somebody_else_s_view_is_refused(client, view, do):
    SavedView.objects.update(is_shared=True)
    client.force_login(make_user("Managers", "olga"))

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
