"""Writing admin views: each runs in one change set, and is retried after a conflict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError
from django.http import HttpResponseRedirect

from oegen import audit
from oegen.admin import guard
from oegen.audit.audited import AuditedModel
from oegen.core.exceptions import StaleRecordError
from oegen.core.fields import NULL_CHARACTER, REASON_LIMIT, too_long_message
from oegen.core.text import clean_prose

MAX_ATTEMPTS = 3

NULL_IN_REASON = (
    "Nothing was saved, because the reason holds a null character, which no text can keep. "
    "Give the reason again."
)


REASON_TOO_LONG = "Nothing was saved, because the reason is too long. %s"


@dataclass
class Attempt:
    """One run of a view that writes, as ``request.attempt``."""

    #: The record that the form saved, and whether it was "added" or "changed".
    saved: AuditedModel | None = None
    action: str = ""
    nothing_changed: bool = False
    #: Calls of ``message_user``, which are made after the change set is committed.
    messages: list[Callable[[], None]] = field(default_factory=list)
    #: Entries of Django's log, which are written all at once.
    log: list[LogEntry] = field(default_factory=list)


class RetryMixin(admin.ModelAdmin):
    """Runs the writing views of a ModelAdmin in change sets."""

    def _in_change_set(self, request, source, view, *, has_form=True):
        """Run a view, a POST in one change set. If another write happens between validation and
        saving, run the view again, so that validation reports it.

        If the database still refuses, the form is shown with the error and the input; without a
        form, there is a message.
        """
        if request.method != "POST":
            return view()
        reason = request.POST.get("change_reason", "")
        refusal = NULL_IN_REASON if NULL_CHARACTER in reason else ""
        length = len(clean_prose(reason))
        if length > REASON_LIMIT and has_form and source == audit.Source.FORM:
            reason = ""  # The form refuses it, at its field.
        elif length > REASON_LIMIT:
            refusal = refusal or REASON_TOO_LONG % too_long_message(REASON_LIMIT, length)
        for _ in range(0 if refusal else MAX_ATTEMPTS):
            request.attempt = Attempt()
            try:
                with audit.change_set(person=request.user, reason=reason, source=source):
                    response = view()
                    LogEntry.objects.bulk_create(request.attempt.log)
            except (StaleRecordError, IntegrityError) as error:
                refusal = guard.refusal_message(error)
            else:
                for send in request.attempt.messages:
                    send()
                return response
        request.attempt = None
        if not has_form:
            self.message_user(request, refusal, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        request.refusal = refusal
        return view()

    def log_change(self, request, obj, message):
        if not (attempt := getattr(request, "attempt", None)):
            return super().log_change(request, obj, message)
        entry = LogEntry(
            user_id=request.user.pk,
            content_type=ContentType.objects.get_for_model(obj),
            object_id=str(obj.pk),
            object_repr=str(obj)[:200],
            action_flag=CHANGE,
            change_message=json.dumps(message),
        )
        attempt.log.append(entry)
        return entry

    def message_user(self, request, *args, **kwargs):
        """Inside an attempt, delay the message until its commit."""
        send = partial(super().message_user, request, *args, **kwargs)
        if attempt := getattr(request, "attempt", None):
            attempt.messages.append(send)
        else:
            send()
