"""Addresses of the history pages, and what people see on a page."""

import re
from html import unescape

from django.urls import reverse

from tests.pages.test_pages import PageParser


def history_page(record, pk=None) -> str:
    return reverse("history", args=[record._meta.model_name, pk or record.pk])


def entry_page(row, name: str = "history-entry") -> str:
    """The page about a history row."""
    return reverse(name, args=[row.instance_type._meta.model_name, row.id, row.history_id])


def restore_page(row) -> str:
    return entry_page(row, "history-restore")


def parsed(response) -> PageParser:
    assert response.status_code == 200, response.status_code
    return PageParser(response.content.decode())


def words(response) -> str:
    """All words of the page, those of neighbouring elements apart."""
    assert response.status_code == 200, response.status_code
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())
