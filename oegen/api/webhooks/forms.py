from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundWidget

from oegen.alerts.events import EVENTS, event_choices
from oegen.alerts.models import AlertRule
from oegen.api.webhooks.models import CHANGED, CHANGED_LABEL, Webhook
from oegen.core import outbound
from oegen.core.text import clean_line
from oegen.people.models import User


def _choices() -> list[tuple[str, str]]:
    return [(CHANGED, CHANGED_LABEL), *event_choices()]


class WebhookForm(forms.Form):
    """What a webhook is called, where it leads, and what it is told of."""

    name = forms.CharField(
        max_length=80,
        help_text="What program it is for, so that you know it again: “Grid model”.",
        error_messages={"required": "Give it a name that says what it is for."},
    )
    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="Where the receiver listens: https://example.com/hooks. Only https, and no "
        "address inside a network that the site was not allowed to ask.",
        error_messages={"required": "Enter the address of the receiver."},
        widget=forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(
        label="What it is told of",
        choices=_choices,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": "Choose at least one thing that it is told of."},
    )

    def __init__(self, owner: User, data: Any = None, webhook: Webhook | None = None):
        initial = {}
        if webhook:
            initial = {"name": webhook.name, "url": webhook.url, "events": webhook.event_codes}
        super().__init__(data, initial=initial, auto_id="webhook_%s")
        self.owner, self.webhook = owner, webhook
        for name in ("name", "url"):
            self.fields[name].widget.attrs["class"] = "form-control"
        if self.is_bound:
            first = next((name for name in self.fields if name in self.errors), "name")
            if first != "events":
                self.fields[first].widget.attrs["autofocus"] = True

    def clean_name(self) -> str:
        name = clean_line(self.cleaned_data["name"])
        others = self.owner.webhooks.all()
        if self.webhook:
            others = others.exclude(pk=self.webhook.pk)
        if others.filter(name__iexact=name).exists():
            raise ValidationError(
                f"You have a webhook named “{name}” already. Choose another name."
            )
        return name

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            outbound.parse_url(url)
        except outbound.OutboundError as error:
            raise ValidationError(str(error)) from error
        return url

    @property
    def event_boxes(self) -> list[tuple[BoundWidget, str]]:
        """The check boxes, each with what is to be known about it."""
        reported = set(AlertRule.objects.active().values_list("event", flat=True))
        return [(box, _detail(box.data["value"], reported)) for box in self["events"]]


def _detail(code: str, reported: set[str]) -> str:
    if code == CHANGED:
        return "Every change set with records that you may read, by its number."
    if code not in reported:
        return "No alert rule is active for it, so it is not sent now."
    return "You only." if EVENTS[code].always_notifies else ""
