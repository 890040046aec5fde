"""Choices in multiple-choice filters in a browser."""

from playwright.sync_api import Page


def choose(page: Page, name: str, *labels: str) -> None:
    """Tick choices of the filter; "not Solar" is the switch beside Solar."""
    toggle = page.locator("[data-shows-filters]")
    if toggle.is_visible() and toggle.get_attribute("aria-expanded") == "false":
        toggle.click()
    control = page.locator(f"#id_{name}")
    control.locator("summary").click()
    for label in labels:
        control.get_by_label(label, exact=True).check()
    page.keyboard.press("Escape")
