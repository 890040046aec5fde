"""Messages that say "remove" instead of Django's "delete", because the history stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from oegen.core import words


class RemovalRequest(HttpRequest):
    removal_message: str


@contextmanager
def removal_message(request: RemovalRequest, message: str) -> Iterator[None]:
    """Replace Django's message in ``RemovalMixin.message_user`` inside."""
    request.removal_message = message
    try:
        yield
    finally:
        del request.removal_message


@admin.action(description="Remove the selected %(verbose_name_plural)s", permissions=["delete"])
def remove_selected(modeladmin, request, queryset):
    number = len(queryset)
    message = f"Removed {number} {words.noun_of(modeladmin.model, number)}."
    with removal_message(request, message):
        return delete_selected(modeladmin, request, queryset)


admin.site.add_action(remove_selected, "delete_selected")


class RemovalMixin(admin.ModelAdmin):
    """Messages for removals; the templates are admin/delete_confirmation.html and its variants."""

    def response_delete(self, request, obj_display, obj_id):
        message = f"The {self.opts.verbose_name} “{obj_display}” was removed."
        with removal_message(request, message):
            return super().response_delete(request, obj_display, obj_id)

    def message_user(self, request, message, *args, **kwargs):
        message = getattr(request, "removal_message", message)
        super().message_user(request, message, *args, **kwargs)

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        message = (
            f"There is no {opts.verbose_name} with the id “{unquote(object_id)}”. "
            "Perhaps it was removed."
        )
        self.message_user(request, message, messages.WARNING)
        return HttpResponseRedirect(reverse("admin:index", current_app=self.admin_site.name))
