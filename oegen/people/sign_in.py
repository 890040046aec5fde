"""Views for signing in and out."""

from __future__ import annotations

import logging

from django import forms
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from oegen.people import client, devices, throttle
from oegen.people.models import SecurityEvent, User
from oegen.people.passwords import MAX_PASSWORD_LENGTH, DelayedFormMixin
from oegen.people.requests import SignedInRequest
from oegen.people.security import record_security_event

logger = logging.getLogger(__name__)


class SignInForm(AuthenticationForm):
    """The sign-in form: accepts the username in any case, and delays wrong passwords
    (``oegen.people.throttle``).

    ``status`` is the status code for an invalid form; ``wait`` the remaining seconds of a delay.
    """

    username = UsernameField(max_length=150)
    password = forms.CharField(strip=False, max_length=MAX_PASSWORD_LENGTH)

    error_messages = {
        "invalid_login": "The username or the password is wrong. Capital letters count in the "
        "password only.",
        "inactive": "This account can no longer sign in.",
    }

    status = 200
    wait = 0

    request: HttpRequest

    def clean(self):
        typed = self.cleaned_data.get("username")
        password = self.cleaned_data.get("password")
        if not typed or not password:
            return self.cleaned_data
        try:
            address = client.client_address(self.request)
        except client.UnknownClientError as error:
            logger.error("Nobody can sign in: %s", error)
            self.status = 503
            raise ValidationError(
                "Nobody can sign in at the moment: the server does not see where requests come "
                "from. Tell an administrator; the server's log says what to set."
            ) from error
        account = find_account(typed)
        username = account.username if account else typed
        who = f"“{username}”" if account else "an unknown username"
        self.cleaned_data["username"] = username
        try:
            attempt = throttle.reserve(_counted(self.request, username, address))
        except throttle.TooSoonError as error:
            record_security_event(SecurityEvent.Kind.DELAY, username=username, request=self.request)
            logger.warning(
                "Sign-in as %s from %s refused unseen: %s s of the delay are left.",
                who,
                address,
                error.seconds,
            )
            self.status, self.wait = 429, error.seconds
            raise ValidationError(
                "There were too many wrong passwords, so this one was not looked at. Wait "
                f"{error.in_words}, then try again. If the wrong ones were not yours, "
                "tell an administrator."
            ) from error
        try:
            cleaned = super().clean()
        except ValidationError:
            logger.warning(
                "Wrong password for %s from %s, failure %s.", who, address, attempt.failures
            )
            raise
        attempt.cancel()
        return cleaned


class SignIn(DelayedFormMixin, auth_views.LoginView):
    template_name = "oegen/login.html"
    form_class = SignInForm
    redirect_authenticated_user = True

    request: SignedInRequest

    def form_valid(self, form):
        self.request.session.clear_expired()
        response = super().form_valid(form)
        self.request.session.start()
        devices.remember_account(self.request, response, form.get_user().username)
        return response


class SignOut(auth_views.LogoutView):
    def post(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        # Not "storage", which holds the choice between light and dark theme.
        response["Clear-Site-Data"] = '"cache"'
        return response


def find_account(typed: str) -> User | None:
    """The account with that username, or the only one that differs from it by case."""
    found = list(User.objects.filter(username__iexact=typed)[:20])
    exact = [account for account in found if account.username == typed]
    candidates = exact or found
    return candidates[0] if len(candidates) == 1 else None


def _counted(request: HttpRequest, username: str, address: str) -> list[throttle.Counted]:
    account = username.casefold()
    if device := devices.known_device(request, username):
        return [(throttle.DEVICE, f"{device} {account}")]
    return [(throttle.ADDRESS, client.network_of(address)), (throttle.ACCOUNT, account)]
