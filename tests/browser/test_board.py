"""The board in a real browser: cards are moved with mouse, finger and keyboard."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from oegen.people import roles
from pipelines.models import Pipeline
from tests.support.browser_filters import choose
from tests.support.builders import make_pipeline, make_user

HOSTILE = '"><script>alert(1)</script><b>مشروع 🌞'


@pytest.fixture
def mover():
    return make_user(roles.PORTFOLIO_MANAGERS, "priya", first_name="Priya", last_name="Shah")


@pytest.fixture
def kestrel():
    return make_pipeline("Kestrel Moor", capacity_mw=40, rag_status="red")


@pytest.fixture
def board(browser_page, sign_in, live_server, mover, kestrel) -> Page:
    sign_in(browser_page, mover)
    browser_page.goto(f"{live_server.url}/pipelines/board/")
    return browser_page


def card_in(page: Page, column: str, name: str = "Kestrel Moor"):
    return page.locator(f'[data-column="{column}"] [data-card]').filter(has_text=name)


def confirm(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Move", exact=True).click()


def stage_of(pipeline) -> str:
    return Pipeline.objects.select_related("stage").get(pk=pipeline.pk).status_label


def carry(page: Page, column: str) -> None:
    box = page.locator("[data-card]").bounding_box()
    target = page.locator(f'[data-column="{column}"]').bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 15)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 30, steps=3)
    page.mouse.move(target["x"] + 60, target["y"] + 60, steps=5)


def test_card_is_carried_to_another_column_explained_and_undone(board, kestrel):
    carry(board, "construction")
    board.mouse.up()

    dialog = board.get_by_role("dialog", name="Move Kestrel Moor")
    expect(dialog.get_by_label("Move to")).to_have_value("construction")
    expect(dialog.get_by_label("Why")).to_be_focused()
    dialog.get_by_label("Why").fill("Notice to proceed given")
    confirm(board)

    expect(card_in(board, "construction")).to_be_visible()
    notice = board.locator("[data-board-notice]")
    expect(notice).to_contain_text("Kestrel Moor moved from Design to Construction.")
    assert stage_of(kestrel) == "Construction"
    assert kestrel.transitions.count() == 2

    notice.get_by_role("button", name="Undo").click()
    expect(card_in(board, "design")).to_be_visible()
    expect(notice).to_have_text("Undone: Kestrel Moor is at Design again.")
    expect(board.get_by_role("button", name="Move Kestrel Moor")).to_be_focused()
    assert stage_of(kestrel) == "Design"


def test_carrying_is_given_up_with_escape(board, kestrel):
    carry(board, "construction")
    board.keyboard.press("Escape")
    board.mouse.up()

    expect(board.get_by_role("dialog")).to_be_hidden()
    expect(board.locator(".board-ghost")).to_have_count(0)


def test_card_is_moved_by_keyboard_alone(board, kestrel):
    board.get_by_role("button", name="Move Kestrel Moor").focus()
    board.keyboard.press("Enter")
    expect(board.get_by_label("Move to")).to_be_focused()
    expect(board.get_by_label("Move to")).to_have_value("procurement")
    board.get_by_label("Why").focus()
    board.keyboard.type("Tender is out")
    board.keyboard.press("Tab")
    board.keyboard.press("Tab")
    board.keyboard.press("Enter")

    expect(card_in(board, "procurement")).to_be_visible()
    expect(board.get_by_role("button", name="Move Kestrel Moor")).to_be_focused()
    assert stage_of(kestrel) == "Procurement"


def test_dialog_closes_with_escape_and_gives_the_focus_back(board, kestrel):
    board.get_by_role("button", name="Move Kestrel Moor").click()
    board.keyboard.press("Escape")

    expect(board.get_by_role("dialog")).to_be_hidden()
    expect(board.get_by_role("button", name="Move Kestrel Moor")).to_be_focused()


def test_each_status_asks_for_what_it_needs_and_errors_stand_at_the_field(board, kestrel):
    board.get_by_role("button", name="Move Kestrel Moor").click()
    dialog = board.get_by_role("dialog")
    expect(dialog.get_by_label("Waiting for")).to_be_hidden()
    dialog.get_by_label("Move to").select_option("on-hold")
    expect(dialog.get_by_label("Waiting for")).to_be_visible()
    dialog.get_by_label("Move to").select_option("completed")
    expect(dialog.get_by_label("Waiting for")).to_be_hidden()

    ahead = timezone.localdate() + timedelta(days=30)
    dialog.get_by_label("Ready to build on").fill(ahead.isoformat())
    dialog.get_by_label("Why").fill(HOSTILE)
    confirm(board)

    expect(dialog.get_by_text("A completed project was ready to build in the past")).to_be_visible()
    expect(dialog.get_by_label("Ready to build on")).to_be_focused()
    expect(dialog.get_by_label("Why")).to_have_value(HOSTILE)
    board.console.expect("422")

    dialog.get_by_label("Ready to build on").fill("2024-05-04")
    confirm(board)
    expect(board.locator("[data-board-notice]")).to_contain_text("to Completed")
    expect(board.get_by_role("button", name="Undo")).to_be_focused()
    assert kestrel.transitions.count() == 2


def test_somebody_elses_change_is_reported_and_the_second_go_moves(board, kestrel):
    Pipeline.objects.filter(pk=kestrel.pk).update(rag_status="green")

    board.get_by_role("button", name="Move Kestrel Moor").click()
    dialog = board.get_by_role("dialog")
    dialog.get_by_label("Why").fill("Tender is out")
    confirm(board)

    expect(dialog.get_by_text("RAG improved from Red to Green")).to_be_visible()
    expect(dialog.get_by_label("Why")).to_have_value("Tender is out")
    assert stage_of(kestrel) == "Design"
    board.console.expect("409")

    confirm(board)
    expect(card_in(board, "procurement")).to_contain_text("Green")
    assert stage_of(kestrel) == "Procurement"


def test_undo_after_another_change_is_refused_with_a_sentence(board, kestrel):
    board.get_by_role("button", name="Move Kestrel Moor").click()
    board.get_by_label("Why").fill("Tender is out")
    confirm(board)
    undo = board.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    Pipeline.objects.filter(pk=kestrel.pk).update(rag_comment="Looked at")

    undo.click()

    expect(board.locator("[data-board-notice]")).to_contain_text("has been changed since")
    assert stage_of(kestrel) == "Procurement"
    board.console.expect("409")


@pytest.fixture
def phone(browser, sign_in, live_server, mover, kestrel):
    """The board under a finger: ``phone.touch(kind, *points)`` sends what a touch screen would."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    sign_in(page, mover)
    page.goto(f"{live_server.url}/pipelines/board/?status=design")
    session = context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]},
        )

    page.touch = touch
    yield page
    context.close()


def to_the_card(page: Page) -> dict:
    """Scroll its column into view. Returns the position of its grip."""
    grip = page.get_by_role("button", name="Move Kestrel Moor")
    grip.scroll_into_view_if_needed()
    page.wait_for_function(
        "() => { const board = document.querySelector('.board'), was = window.boardWas;"
        " window.boardWas = board.scrollLeft; return was === board.scrollLeft }",
        polling=200,
    )
    return grip.bounding_box()


def test_finger_carries_a_card_by_its_grip(phone, kestrel):
    box = to_the_card(phone)
    start = box["x"] + 15, box["y"] + 15
    target = phone.locator('[data-column="discovery"]')

    phone.touch("touchStart", start)
    phone.touch("touchMove", (start[0] - 20, start[1] + 20))
    phone.touch("touchMove", (10, start[1] + 20))
    # At the side of the screen the board comes along, until the other column lies there.
    expect(target).to_have_class(re.compile("is-over"))
    phone.touch("touchEnd")

    expect(phone.get_by_label("Move to")).to_have_value("discovery")
    expect(phone.locator(".board-ghost")).to_have_count(0)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_finger_on_a_card_scrolls_and_a_tap_on_the_grip_asks(phone, kestrel):
    box = to_the_card(phone)
    phone.touch("touchStart", (box["x"] - 120, box["y"] + 20))
    phone.touch("touchMove", (box["x"] - 120, box["y"] - 40))
    expect(phone.locator(".board-ghost")).to_have_count(0)
    phone.touch("touchEnd")

    to_the_card(phone)
    phone.get_by_role("button", name="Move Kestrel Moor").tap()
    dialog = phone.get_by_role("dialog", name="Move Kestrel Moor")
    dialog.get_by_label("Why").fill("Tender is out")
    dialog.get_by_role("button", name="Move", exact=True).tap()

    expect(phone.locator("[data-board-notice]")).to_contain_text("from Design to Procurement")
    assert stage_of(kestrel) == "Procurement"


def test_reader_can_carry_nothing(browser_page, sign_in, live_server, kestrel):
    page = browser_page
    sign_in(page, make_user(roles.MANAGERS, "morgan"))
    page.goto(f"{live_server.url}/pipelines/board/")

    expect(page.get_by_role("button", name="Move Kestrel Moor")).to_have_count(0)
    carry(page, "construction")
    expect(page.locator(".board-ghost")).to_have_count(0)
    page.mouse.up()


def test_undo_is_offered_after_the_board_is_loaded_again(board, kestrel):
    board.get_by_role("button", name="Move Kestrel Moor").click()
    board.get_by_label("Why").fill("Tender is out")
    confirm(board)
    expect(card_in(board, "procurement")).to_be_visible()
    board.reload()

    board.get_by_role("button", name="Undo").click()

    expect(card_in(board, "design")).to_be_visible()
    expect(board.locator("[data-board-notice]")).to_have_text(
        "Undone: Kestrel Moor is at Design again."
    )
    assert stage_of(kestrel) == "Design"


def test_board_filters_while_one_types_and_back_leads_to_what_was(board):
    make_pipeline("Rowan Down", stage="construction", rag_status="green")
    board.reload()
    expect(board.locator("[data-card]")).to_have_count(2)
    board.evaluate("window.untouched = true")
    search = board.get_by_label("Search", exact=True)

    search.press_sequentially("kestrel", delay=20)

    expect(board.locator("[data-card]")).to_have_count(1)
    expect(search).to_be_focused()
    expect(board.locator("#said")).to_have_text("1 pipeline")
    assert board.evaluate("window.untouched"), "the page was not loaded again"
    add = board.get_by_role("link", name="Add pipeline")
    expect(add).to_have_attribute("href", re.compile("q%3Dkestrel$"))

    choose(board, "rag", "Green")
    expect(board.get_by_text("No pipeline that is open")).to_be_visible()
    board.go_back()
    expect(board.locator("[data-card]")).to_have_count(1)


def test_card_of_a_filtered_board_is_moved_and_the_filter_stays(board, kestrel):
    make_pipeline("Rowan Down")
    board.get_by_label("Search", exact=True).press_sequentially("kestrel")
    expect(board).to_have_url(re.compile("q=kestrel$"))
    expect(board.locator("[data-card]")).to_have_count(1)

    carry(board, "construction")
    board.mouse.up()
    board.get_by_label("Why").fill("Notice to proceed given")
    confirm(board)

    expect(card_in(board, "construction")).to_be_visible()
    expect(board.locator("[data-card]")).to_have_count(1)
    expect(board.get_by_label("Search", exact=True)).to_have_value("kestrel")


def test_move_that_is_no_longer_allowed_leaves_the_card_and_says_why(board, kestrel, mover):
    carry(board, "construction")
    board.mouse.up()
    board.get_by_label("Why").fill("Notice to proceed given")
    mover.groups.clear()
    confirm(board)

    expect(
        board.get_by_text("You may not change pipelines, or you were signed out.")
    ).to_be_visible()
    expect(card_in(board, "design")).to_be_visible()
    assert stage_of(kestrel) == "Design"
    board.console.expect("403")


@pytest.mark.parametrize("width", [390, 1440])
def test_board_is_no_wider_than_the_screen_and_shows_hostile_text_as_text(board, width):
    make_pipeline(HOSTILE)
    make_pipeline("x" * 200)
    board.set_viewport_size({"width": width, "height": 800})

    board.reload()

    expect(board.get_by_role("link", name=HOSTILE)).to_be_attached()
    assert board.evaluate("document.documentElement.scrollWidth") <= width
