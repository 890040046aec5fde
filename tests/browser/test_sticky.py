"""The bar at the top and the heads of tables stay in view while a page is scrolled."""

import pytest

from pipelines.models import Pipeline, Stage

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}

#: How far each is from the top of the window, once the page is scrolled to its end.
PLACES = """bar => {
    window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
    const head = document.querySelector(".results thead th");
    return {
        scrolled: window.scrollY,
        bar: document.querySelector(bar).getBoundingClientRect(),
        head: head.getBoundingClientRect().top,
    };
}"""


@pytest.fixture
def many_pipelines(db):
    stage = Stage.objects.get(code="design")
    Pipeline.objects.bulk_create(
        Pipeline(project_name=f"Rowan Down {row}", stage=stage) for row in range(60)
    )


@pytest.mark.heavy
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    ("path", "bar"),
    [("/pipelines/", ".topbar"), ("/admin/pipelines/pipeline/", "#header")],
    ids=["site", "admin"],
)
def test_bar_and_table_head_stay_in_view(
    browser_page, sign_in, portfolio_manager, live_server, many_pipelines, path, bar, size
):
    page = browser_page
    page.set_viewport_size(size)
    sign_in(page, portfolio_manager)
    page.goto(f"{live_server.url}{path}")

    places = page.evaluate(PLACES, bar)

    assert places["scrolled"] > 100, "there was nothing to scroll"
    assert places["bar"]["top"] == 0
    assert places["bar"]["height"] < 110, "a bar that stays must leave room for the page"
    if size == DESK:
        assert places["head"] >= places["bar"]["height"] - 1
