"""The page on which users change their password, and the signal of a changed password."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.dispatch import Signal
from django.urls import reverse_lazy
from django.views.generic.edit import FormMixin

from oegen.people import throttle

logger = logging.getLogger(__name__)

#: Limits the cost of hashing.
MAX_PASSWORD_LENGTH = 4_096

#: The password of ``user`` was changed or disabled. ``by``: the person who did it.
password_changed = Signal()


class OwnPasswordForm(PasswordChangeForm):
    """Delays wrong old passwords, so that nobody can guess one in another user's session.

    ``status`` and ``wait`` as in ``oegen.people.sign_in.SignInForm``.
    """

    status = 200
    wait = 0

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.help_text = ""  # The page explains it, in fewer words.
            field.validators.append(MaxLengthValidator(MAX_PASSWORD_LENGTH))
            field.widget.attrs["class"] = "form-control"
            field.widget.attrs.pop("autofocus", None)
        first = next((name for name in self.fields if name in self.errors), "old_password")
        self.fields[first].widget.attrs["autofocus"] = True

    def validate_password_for_user(self, user, *args, **kwargs):
        """Report errors of the new password at the first of its two fields."""
        super().validate_password_for_user(user, "new_password1")

    def clean_old_password(self):
        try:
            attempt = throttle.reserve([(throttle.OWN_PASSWORD, str(self.user.pk))])
        except throttle.TooSoonError as error:
            logger.warning(
                "Change of password by “%s” refused unseen: %s s of the delay are left.",
                self.user.get_username(),
                error.seconds,
            )
            self.status, self.wait = 429, error.seconds
            raise ValidationError(
                "There were too many wrong passwords, so this one was not looked at. Wait "
                f"{error.in_words}, then try again."
            ) from error
        try:
            password = super().clean_old_password()
        except ValidationError:
            logger.warning(
                "Wrong old password of “%s” at a change of password, failure %s.",
                self.user.get_username(),
                attempt.failures,
            )
            credentials = {"username": self.user.get_username()}
            user_login_failed.send(type(self), credentials=credentials, request=None)
            raise
        attempt.cancel()
        return password


class DelayedFormMixin(FormMixin):
    """For a view whose form has ``status`` and ``wait``: the response to an invalid form gets that
    status code and Retry-After."""

    def form_invalid(self, form):
        response = super().form_invalid(form)
        response.status_code = form.status
        if form.wait:
            response["Retry-After"] = str(form.wait)
        return response


class OwnPassword(DelayedFormMixin, auth_views.PasswordChangeView):
    """The page to change the password, which ends the user's other sessions."""

    template_name = "oegen/password.html"
    form_class = OwnPasswordForm
    success_url = reverse_lazy("dashboard")

    def form_valid(self, form):
        response = super().form_valid(form)
        user = form.user
        logger.info("“%s” has changed the own password.", user.get_username())
        password_changed.send(type(self), user=user, by=user)
        messages.success(
            self.request,
            "Your password is changed. Wherever else you were signed in, you are signed out.",
        )
        return response
