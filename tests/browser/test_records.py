"""Record pages in a real browser: map, comments, keys, and the way to the form and back."""

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from oegen.models import Comment
from pipelines.models import Pipeline, PipelineFacility
from tests.support.builders import make_facility, make_information_point, make_pipeline
from tests.support.readers import HOSTILE


@pytest.fixture
def pipeline(db):
    pipeline = make_pipeline("Kestrel Moor", capacity_mw=40)
    site = make_facility("Rowan Down", "wind", latitude=Decimal("57.1"), longitude=Decimal("-2.1"))
    PipelineFacility.objects.create(pipeline=pipeline, facility=site)
    return pipeline


@pytest.fixture
def as_editor(browser_page, sign_in, portfolio_manager, live_server):
    """The portfolio manager's page, signed in; as_editor.open(record) opens a record."""
    sign_in(browser_page, portfolio_manager)
    browser_page.open = lambda record: browser_page.goto(
        f"{live_server.url}{record.get_absolute_url()}"
    )
    return browser_page


def test_pipeline_shows_its_facilities_on_the_map_and_a_marker_opens_one(as_editor, pipeline):
    page = as_editor
    page.open(pipeline)

    chart = page.locator(".small-map")
    expect(chart.locator("canvas.leaflet-zoom-animated")).to_be_visible()  # of the marker
    page.wait_for_function(
        "() => { const c = document.querySelector('.small-map canvas.leaflet-zoom-animated');"
        " return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0) }"
    )
    box = chart.bounding_box()
    middle = {"x": box["width"] / 2, "y": box["height"] / 2}
    chart.hover(position=middle)
    expect(page.locator(".leaflet-tooltip")).to_have_text("Rowan Down")
    chart.click(position=middle)
    page.wait_for_url(lambda url: "/facilities/" in url)
    expect(page.get_by_role("heading", name="Rowan Down")).to_be_visible()


def test_comment_is_added_edited_and_removed_from_the_record_s_page(as_editor, pipeline):
    page = as_editor
    page.open(pipeline)
    page.get_by_label("Add a comment").fill(HOSTILE)
    page.get_by_role("button", name="Comment", exact=True).click()
    comment = page.locator(".comment-text")
    expect(comment).to_have_text(HOSTILE)

    page.get_by_role("link", name="Edit this comment").click()
    box = page.get_by_label("Comment", exact=True)
    expect(box).to_be_focused()
    page.get_by_role("link", name="Leave it as it is").click()
    expect(comment).to_have_text(HOSTILE)
    expect(page.get_by_role("link", name="Edit this comment")).to_be_focused()

    page.keyboard.press("Enter")
    box.fill("Put more kindly")
    page.get_by_role("button", name="Save the comment").click()
    expect(comment).to_have_text("Put more kindly")
    expect(page.locator(".comment-past del")).to_have_text(HOSTILE)
    assert page.url.split("#")[0].endswith(pipeline.get_absolute_url())

    page.get_by_role("link", name="Remove this comment").click()
    page.get_by_label("Why").fill("Said elsewhere")
    page.get_by_role("button", name="Remove the comment").click()
    expect(page.locator(".comment-gone")).to_have_text("Put more kindly")
    expect(page.locator(".timeline-why")).to_have_text("Said elsewhere")
    assert not Comment.objects.exists()


@pytest.mark.heavy
def test_empty_comment_is_refused_beside_its_box(as_editor, pipeline):
    page = as_editor
    page.open(pipeline)
    page.get_by_role("button", name="Comment", exact=True).click()

    expect(page.locator("#comment-wrong")).to_contain_text("the comment is empty")
    expect(page.get_by_label("Add a comment")).to_be_focused()


def test_edit_key_opens_the_form_and_saving_comes_back(as_editor, pipeline):
    page = as_editor
    page.open(pipeline)
    page.keyboard.press("e")
    page.wait_for_url(lambda url: "/change/" in url)
    page.get_by_label("Project name").fill("Kestrel Moor North")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(lambda url: url.endswith(pipeline.get_absolute_url()))

    expect(page.get_by_role("heading", name="Kestrel Moor North")).to_be_visible()
    expect(page.get_by_role("status").first).to_contain_text("was changed successfully")
    assert Pipeline.objects.get().project_name == "Kestrel Moor North"


def test_keys_lead_to_the_sections_and_list_themselves(as_editor, pipeline):
    page = as_editor
    page.open(pipeline)
    for letter, path in [("i", "/infopoints/"), ("c", "/counterparties/"), ("p", "/pipelines/")]:
        page.keyboard.press("g")
        page.keyboard.press(letter)
        page.wait_for_url(lambda url, path=path: url.endswith(path))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_keys_are_letters_while_somebody_types(as_editor, pipeline):
    page = as_editor
    page.open(pipeline)
    box = page.get_by_label("Add a comment")
    box.click()
    page.keyboard.type("edge? gp/")

    expect(box).to_have_value("edge? gp/")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    assert page.url.endswith(pipeline.get_absolute_url())


def test_id_can_be_copied(as_editor, pipeline, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = as_editor
    page.open(pipeline)
    page.get_by_role("button", name="Copy the id").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == str(pipeline.pk)


def test_matrix_names_its_rows_and_columns(as_editor):
    page = as_editor
    page.open(make_information_point("Panel prices fall", 80, 50))

    table = page.get_by_role("table", name="Live information points")
    expect(table.get_by_role("rowheader")).to_have_count(5)
    expect(table.get_by_role("columnheader")).to_have_count(5)
    expect(table.locator(".is-here")).to_contain_text("this one")


@pytest.mark.parametrize("width", [390, 1440])
def test_record_page_fits_its_window(as_editor, portfolio_manager, pipeline, width):
    page = as_editor
    page.set_viewport_size({"width": width, "height": 900})
    Comment.objects.create(subject=pipeline, author=portfolio_manager, text="W" * 10_000)
    page.open(pipeline)
    too_wide = "document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(too_wide) <= 0

    page.get_by_role("link", name="Remove this comment").click()
    expect(page.get_by_label("Why")).to_be_visible()
    assert page.evaluate(too_wide) <= 0


def test_person_is_mentioned_by_name_with_the_keyboard_alone(as_editor, pipeline, manager):
    page = as_editor
    page.open(pipeline)
    box = page.get_by_label("Add a comment")
    box.click()
    page.keyboard.type("Look at it, @Re")
    people = page.get_by_role("listbox", name="People to mention")
    expect(people.get_by_role("option", selected=True)).to_contain_text("Morgan Reid")

    page.keyboard.press("Enter")

    expect(box).to_have_value("Look at it, @morgan ")
    expect(people).to_be_hidden()
    expect(page.get_by_text("Tells Morgan Reid in the bell.")).to_be_visible()
    page.keyboard.type("please")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".comment-text")).to_have_text("Look at it, @Morgan Reid please")
    assert manager.notices.unread().count() == 1


def test_a_comment_is_counted_once_it_comes_near_its_limit(as_editor, pipeline):
    page = as_editor
    page.open(pipeline)
    box, note = page.get_by_label("Add a comment"), page.locator(".comment-box .limit-note")
    box.fill("a" * 7_999)
    expect(note).to_be_hidden()
    box.fill("a" * 8_001)
    expect(note).to_have_text("8,001 of 10,000 characters")
    box.fill("a" * 10_080)
    expect(note).to_have_text("80 too many of 10,000")


@pytest.mark.heavy
def test_the_admin_suggests_whom_to_mention_and_shows_who_will_be_notified(
    as_editor, pipeline, manager, live_server
):
    page = as_editor
    page.goto(f"{live_server.url}/admin/pipelines/pipeline/{pipeline.pk}/change/")
    box = page.get_by_label("Add a comment")
    box.click()
    page.keyboard.type("Look at it, @Re")
    people = page.get_by_role("listbox", name="People to mention")
    expect(people.get_by_role("option", selected=True)).to_contain_text("Morgan Reid")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Tells Morgan Reid in the bell.")).to_be_visible()
    expect(page.locator(".field-new_comment .limit-note")).to_be_hidden()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The comment is added. Told: Morgan Reid in the bell.")).to_be_visible()


def test_following_a_notice_marks_it_as_read(
    browser_page, sign_in, live_server, pipeline, portfolio_manager, manager
):
    page = browser_page
    Comment.objects.create(subject=pipeline, author=portfolio_manager, text="@morgan, look")
    sign_in(page, manager)
    page.goto(f"{live_server.url}/contacts/")
    page.get_by_role("link", name="Notices 1 unread").click()
    # The page's script marks it, and has to be there before the click.
    page.wait_for_load_state()
    page.get_by_role("link", name="Kestrel Moor").click()

    expect(page.locator(".comment-now:target")).to_contain_text("@Morgan Reid, look")
    # It is sent beside the way to the record, so it may arrive after that page.
    for _ in range(20):
        page.reload()
        if page.get_by_role("link", name="Notices", exact=True).count():
            break
    expect(page.get_by_role("link", name="Notices", exact=True)).to_be_visible()
