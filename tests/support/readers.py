"""The visible text of pages, and the addresses of the history pages."""

import re
from html import unescape
from html.parser import HTMLParser

from django.urls import reverse

HOSTILE = "<script>alert(1)</script> \"quoted\" 'single' {{ 7|add:7 }} مرحبا 🔥 </textarea><b>"


class PageParser(HTMLParser):
    """Collects the visible text, and the markup that a strict content security policy forbids."""

    def __init__(self, html: str):
        super().__init__()
        self.forbidden: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self._in_data = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        if tag in ("dt", "dd", "td", "th", "li", "p", "div"):
            self.text += " "
        is_data = tag == "script" and values.get("type") == "application/json"
        self._in_data = tag == "script"
        if tag == "style" or (tag == "script" and not is_data and "src" not in values):
            self.forbidden.append(f"<{tag}> {attrs}")
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.forbidden.append(f"<{tag} {name}={value}>")
            if (value or "").lower().startswith("javascript:"):
                self.forbidden.append(f"<{tag} {name}={value}>")

    def handle_endtag(self, tag):
        self._in_data = False

    def handle_data(self, data):
        if not self._in_data:
            self.text += data


def history_page(record, pk=None) -> str:
    return reverse("history", args=[record._meta.model_name, pk or record.pk])


def entry_page(row, name: str = "history-entry") -> str:
    """The page about a history row."""
    return reverse(name, args=[row.instance_type._meta.model_name, row.id, row.history_id])


def restore_page(row) -> str:
    return entry_page(row, "history-restore")


def parsed(response, status=200) -> PageParser:
    assert response.status_code == status, response.status_code
    return PageParser(response.content.decode())


def words(response) -> str:
    """The text of the page, with a space between elements."""
    assert response.status_code == 200, response.status_code
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())
