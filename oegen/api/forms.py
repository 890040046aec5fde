from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from oegen.api.models import MAX_LIFETIME, ApiToken, parse_networks
from oegen.api.scopes import Scope
from oegen.core import clock
from oegen.core.text import clean_line
from oegen.people.models import User


class Lifetime(models.TextChoices):
    MONTH = "30", "30 days"
    QUARTER = "90", "90 days"
    YEAR = "365", "365 days"
    DAY = "day", "Until a day"


class TokenForm(forms.Form):
    """A new access token. ``cleaned_data`` are the arguments of ``make_token``."""

    name = forms.CharField(
        max_length=80,
        help_text="What program it is for, so that you know it again: “Forecast workbook”.",
        error_messages={"required": "Give it a name that says what it is for."},
    )
    scopes = forms.MultipleChoiceField(
        label="What it may be used for",
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        initial=[Scope.READ],
        error_messages={"required": "Choose at least one use."},
    )
    lifetime = forms.ChoiceField(
        label="Valid for",
        choices=Lifetime.choices,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
        initial=Lifetime.QUARTER,
        error_messages={"required": "Choose how long it is to be valid."},
    )
    last_day = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    networks = forms.CharField(
        required=False,
        max_length=1_000,
        help_text="Addresses or networks from which it may be used, such as 10.20.0.0/16, with "
        "commas between them. Empty: from anywhere.",
    )

    def __init__(self, person: User, data: Any = None):
        super().__init__(data, auto_id="token_%s")
        self.person = person
        for name in ("name", "networks", "last_day"):
            self.fields[name].widget.attrs["class"] = "form-control"
        self.fields["last_day"].widget.attrs |= {
            "min": timezone.localdate().isoformat(),
            "max": self.latest_day.isoformat(),
        }
        if not self.is_bound:
            return
        first = next((name for name in self.fields if name in self.errors), "name")
        if not isinstance(self.fields[first], forms.ChoiceField):
            self.fields[first].widget.attrs["autofocus"] = True

    @property
    def latest_day(self) -> date:
        return timezone.localdate() + MAX_LIFETIME

    def clean_name(self) -> str:
        name = clean_line(self.cleaned_data["name"])
        others = ApiToken.objects.filter(person=self.person, revoked_at=None)
        if others.filter(name__iexact=name).exists():
            raise ValidationError(
                f"You have a token named “{name}” already. Choose another name, or revoke that one."
            )
        return name

    def clean_networks(self) -> str:
        return " ".join(parse_networks(self.cleaned_data["networks"]))

    def clean(self) -> dict[str, Any]:
        lifetime, day = self.cleaned_data.get("lifetime"), self.cleaned_data.pop("last_day", None)
        if lifetime and "last_day" not in self.errors:
            if lifetime == Lifetime.DAY:
                self._check_day(day)
            elif day:
                self.add_error(
                    "last_day",
                    f"You chose {Lifetime(lifetime).label} and a last day. Choose “Until a day”, "
                    "or empty the day.",
                )
            self.cleaned_data["expires_at"] = _expiry(lifetime, day)
        self.cleaned_data.pop("lifetime", None)
        return self.cleaned_data

    def _check_day(self, day: date | None) -> None:
        if day is None or not timezone.localdate() <= day <= self.latest_day:
            self.add_error(
                "last_day",
                f"Choose a day from today to {self.latest_day:%-d %b %Y}: a token is valid for a "
                "year at most.",
            )


def _expiry(lifetime: str, day: date | None) -> datetime:
    now = timezone.now()
    if lifetime != Lifetime.DAY:
        return now + timedelta(days=int(lifetime))
    return min(clock.end_of(day), now + MAX_LIFETIME) if day else now
