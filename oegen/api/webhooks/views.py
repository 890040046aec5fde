"""The pages of webhooks: a person's own, and one with its messages."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.generic import TemplateView

from oegen.api.webhooks import services
from oegen.api.webhooks.forms import WebhookForm
from oegen.api.webhooks.models import USE_WEBHOOKS, Webhook, WebhookDelivery
from oegen.core.triggers import broken_rule
from oegen.people.requests import SignedInRequest

#: The number of messages per page.
PAGE_SIZE = 50

#: The page looks for what became of a message that is to be tried within this time.
SOON = timedelta(minutes=1)

#: NoStoreMiddleware does so too, but these answers hold a secret.
NO_STORE = {"Cache-Control": "no-store, private"}


class Webhooks(PermissionRequiredMixin, TemplateView):
    """The webhooks of the signed-in user. A POST adds one; its secret is on the answer to it and
    never again."""

    template_name = "oegen/webhooks/list.html"
    permission_required = USE_WEBHOOKS
    raise_exception = True
    request: SignedInRequest

    def get(self, request, *args, **kwargs):
        return self._page(WebhookForm(request.user))

    def post(self, request, *args, **kwargs):
        form = WebhookForm(request.user, request.POST)
        if form.is_valid():
            try:
                webhook, secret = services.add_webhook(owner=request.user, **form.cleaned_data)
            except (ValidationError, IntegrityError) as error:
                _add_error(form, error)
            else:
                return self._page(WebhookForm(request.user), webhook=webhook, secret=secret)
        return self._page(form)

    def _page(self, form: WebhookForm, **context: Any) -> HttpResponse:
        webhooks = list(self.request.user.webhooks.all())
        context |= {
            "form": form,
            "active": [one for one in webhooks if one.is_active],
            "inactive": [one for one in webhooks if not one.is_active],
        }
        return self.render_to_response(context, headers=NO_STORE)


class WebhookPage(PermissionRequiredMixin, TemplateView):
    """A webhook of the signed-in user, or any for those who may see all. ``?part=deliveries``
    returns what changes while messages are sent.

    A POST with ``do`` acts on it; administrators may do what needs neither address nor secret.
    """

    template_name = "oegen/webhooks/page.html"
    raise_exception = True
    request: SignedInRequest

    #: What may be done only by the owner, and what also by those with the permission.
    OWN = ("change", "rotate", "end-previous")
    ALL = ("off", "on", "test", "again")

    def has_permission(self):
        person = self.request.user
        return person.has_perm(USE_WEBHOOKS) or person.has_perm("oegen.view_webhook")

    @cached_property
    def webhook(self) -> Webhook:
        visible = Webhook.objects.visible_to(self.request.user).select_related("owner")
        return get_object_or_404(visible, pk=self.kwargs["pk"])

    @property
    def is_own(self) -> bool:
        return self.webhook.owner_id == self.request.user.pk

    @property
    def may_act(self) -> bool:
        return self.is_own or self.request.user.has_perm("oegen.change_webhook")

    def get(self, request, *args, **kwargs):
        return self._page(WebhookForm(self.webhook.owner, webhook=self.webhook))

    def post(self, request, *args, **kwargs) -> HttpResponseBase:
        action = request.POST.get("do", "")
        webhook = self.webhook
        if action not in (*self.OWN, *self.ALL):
            raise BadRequest("This page does not know what to do with that form.")
        if not (self.is_own if action in self.OWN else self.may_act):
            raise PermissionDenied
        act = getattr(self, f"do_{action.replace('-', '_')}")
        try:
            return act() or redirect(webhook)
        except ValidationError as error:
            for text in error.messages:
                messages.error(request, text)
            return redirect(webhook)

    def do_change(self) -> HttpResponse | None:
        form = WebhookForm(self.request.user, self.request.POST, self.webhook)
        if form.is_valid():
            try:
                services.change_webhook(webhook=self.webhook, **form.cleaned_data)
            except (ValidationError, IntegrityError) as error:
                _add_error(form, error)
            else:
                messages.success(self.request, "Changed. It counts from the next message on.")
                return None
        del self.webhook  # As it is stored.
        return self._page(form)

    def do_rotate(self) -> HttpResponse | None:
        made_at = parse_datetime(self.request.POST.get("made_at", ""))
        if made_at is None:
            raise BadRequest("This page does not know which secret to replace.")
        try:
            secret = services.rotate_secret(webhook=self.webhook, made_at=made_at)
        except services.SecretChangedError as error:
            messages.error(self.request, str(error))
            return None
        return self._page(
            WebhookForm(self.request.user, webhook=self.webhook), secret=secret, is_rotated=True
        )

    def do_end_previous(self) -> None:
        services.end_previous_secret(webhook=self.webhook)
        messages.success(self.request, "Only the newest secret signs from now on.")

    def do_off(self) -> None:
        if not services.switch_off(webhook=self.webhook, by=self.request.user):
            messages.warning(self.request, "It was switched off already.")

    def do_on(self) -> None:
        services.switch_on(webhook=self.webhook, by=self.request.user)
        messages.success(
            self.request, "It is told from the next change on. Send a test to see that it arrives."
        )

    def do_test(self) -> None:
        services.send_test(webhook=self.webhook)

    def do_again(self) -> None:
        try:
            key = UUID(self.request.POST.get("delivery", ""))
        except ValueError as error:
            raise BadRequest("This page does not know which message to send again.") from error
        delivery = get_object_or_404(self.webhook.deliveries.select_related("webhook"), pk=key)
        services.send_again(delivery=delivery)

    def get_template_names(self):
        is_part = self.request.GET.get("part") == "deliveries"
        return ["oegen/webhooks/deliveries.html" if is_part else self.template_name]

    def _page(self, form: WebhookForm, **context: Any) -> HttpResponse:
        webhook = self.webhook
        deliveries = webhook.deliveries.select_related("change_set")
        page = Paginator(deliveries, PAGE_SIZE).get_page(self.request.GET.get("page"))
        context |= {
            "webhook": webhook,
            "form": form,
            "is_own": self.is_own,
            "may_act": self.may_act,
            "page": page,
            "is_live": webhook.is_active and any(map(_is_soon, page.object_list)),
            "previous_until": webhook.previous_until
            if webhook.previous_until and webhook.previous_until > timezone.now()
            else None,
        }
        return self.render_to_response(context, headers=NO_STORE)


def _is_soon(delivery: WebhookDelivery) -> bool:
    return delivery.state == "waiting" and delivery.next_attempt_at < timezone.now() + SOON


def _add_error(form: WebhookForm, error: ValidationError | IntegrityError) -> None:
    if isinstance(error, ValidationError):
        form.add_error(None, ValidationError(error.messages))
    elif rule := broken_rule(error):  # One of this name was added at the same time.
        form.add_error(None, rule)
    else:
        raise error
