"""The page on which people make, see and revoke their own access tokens."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.core.exceptions import BadRequest, ValidationError
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.generic import TemplateView

from oegen.api import services, usage
from oegen.api.authentication import USE_TOKENS
from oegen.api.forms import TokenForm
from oegen.api.models import ApiToken, State
from oegen.api.scopes import SENTENCES, Scope
from oegen.core.triggers import broken_rule
from oegen.people.requests import SignedInRequest


class MyTokens(PermissionRequiredMixin, TemplateView):
    """The access tokens of the signed-in user.

    A POST makes one, whose secret is on the answer to it and never again, or revokes the one in
    ``revoke``.
    """

    template_name = "oegen/api/tokens.html"
    permission_required = USE_TOKENS
    raise_exception = True
    request: SignedInRequest

    def get(self, request, *args, **kwargs):
        return self._page(TokenForm(request.user))

    def post(self, request, *args, **kwargs):
        if "revoke" in request.POST:
            return self._revoke(request.POST["revoke"])
        form = TokenForm(request.user, request.POST)
        if not form.is_valid():
            return self._page(form)
        try:
            token, secret = services.make_token(person=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
            return self._page(form)
        except IntegrityError as error:  # One of this name was made at the same time.
            if not (rule := broken_rule(error)):
                raise
            form.add_error(None, rule)
            return self._page(form)
        return self._page(TokenForm(request.user), made=token, secret=secret)

    def _revoke(self, key: str) -> HttpResponse:
        try:
            tokens = ApiToken.objects.filter(pk=UUID(key))
        except ValueError as error:
            raise BadRequest("This page does not know which token to revoke.") from error
        token = get_object_or_404(tokens, person=self.request.user)
        if services.revoke_token(token, by=self.request.user):
            messages.success(
                self.request,
                f"“{token}” is revoked. Whatever still uses it is refused from now on.",
            )
        return redirect("my-tokens")

    def _page(self, form: TokenForm, **context) -> HttpResponse:
        tokens = list(self.request.user.api_tokens.all())
        uses = usage.last_uses(tokens)
        rows = [(token, uses.get(token.pk)) for token in tokens]
        context |= {
            "form": form,
            "active": [row for row in rows if row[0].state == State.ACTIVE],
            "ended": [row for row in rows if row[0].state != State.ACTIVE],
            "scopes": [(box, SENTENCES[Scope(box.data["value"])]) for box in form["scopes"]],
        }
        # NoStoreMiddleware does so too, but this one holds a secret.
        headers = {"Cache-Control": "no-store, private"}
        return self.render_to_response(context, headers=headers)
