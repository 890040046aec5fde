"""Links from the pages to the admin's forms."""

from django.contrib import admin
from django.db.models.options import Options
from django.http import HttpRequest
from django.urls import reverse

from oegen.core import next_url


def form_url(request: HttpRequest, meta: Options, action: str, *args, back: str) -> str:
    """The URL of a model's admin form, which returns to the page ``back``; empty if the person may
    not use it. ``action`` is add or change."""
    allowed = (
        admin.site.is_registered(meta.model)
        and admin.site.has_permission(request)
        and request.user.has_perm(f"{meta.app_label}.{action}_{meta.model_name}")
    )
    if not allowed:
        return ""
    form = reverse(f"admin:{meta.app_label}_{meta.model_name}_{action}", args=args)
    return f"{form}?{next_url.as_query(back)}"
