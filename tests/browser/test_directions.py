"""Text that runs from right to left, or overrides its direction, stays in its own place."""

from playwright.sync_api import Locator

from tests.support.builders import make_pipeline

#: Where the first and the last letter of a text are, from the left.
ENDS = """(element, text) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const start = walker.currentNode.data.indexOf(text);
        if (start < 0) continue;
        const left = at => {
            const range = document.createRange();
            range.setStart(walker.currentNode, at);
            range.setEnd(walker.currentNode, at + 1);
            return range.getBoundingClientRect().left;
        };
        return [left(start), left(start + text.length - 1)];
    }
    return null;
}"""


def ends(place: Locator, text: str) -> list[float]:
    return place.evaluate(ENDS, text)


def test_a_region_that_overrides_its_direction_leaves_the_country_alone(
    browser_page, sign_in, manager, live_server
):
    pipeline = make_pipeline("Kestrel Moor", capacity_mw=4)
    facility = pipeline.facilities.get()
    facility.region, facility.country = "\u202enever closed", "GB"
    facility.save()
    sign_in(browser_page, manager)

    browser_page.goto(f"{live_server.url}{pipeline.get_absolute_url()}")

    row = browser_page.locator("tbody tr", has_text="never closed")
    first, last = ends(row, "United Kingdom")
    assert first < last


def test_a_found_part_of_an_arabic_name_stays_at_its_beginning(
    browser_page, sign_in, manager, live_server
):
    make_pipeline("مشروع الرياح")
    sign_in(browser_page, manager)

    browser_page.goto(f"{live_server.url}/search/?q=مشر")

    name = browser_page.locator(".hit-name")
    first, last = ends(name, "مشر")
    rest, _ = ends(name, "وع")
    assert first > last > rest
