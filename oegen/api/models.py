from __future__ import annotations

import uuid
from datetime import date, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from oegen.api import digests
from oegen.api.scopes import Scope
from oegen.core.constraints import name_present

MAX_LIFETIME = timedelta(days=365)

MAX_NETWORKS = 20


class State(models.TextChoices):
    ACTIVE = "active", "Active"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def in_state(self, state: str) -> Self:
        if state == State.REVOKED:
            return self.exclude(revoked_at=None)
        is_expired = Q(expires_at__lte=timezone.now())
        return self.filter(is_expired if state == State.EXPIRED else ~is_expired, revoked_at=None)


class ApiToken(models.Model):
    """A person's token for one program. It is revoked, never deleted: change sets name it.

    Only a keyed digest of its secret is stored (oegen.api.digests). ``scopes`` and ``networks`` are
    separated by spaces; no network: from anywhere.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_tokens"
    )
    name = models.CharField(max_length=80)
    key = models.CharField(max_length=digests.KEY_LENGTH, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    pepper_version = models.PositiveSmallIntegerField(editable=False)
    scopes = models.CharField(max_length=100)
    networks = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField("expires")
    revoked_at = models.DateTimeField("revoked", null=True, blank=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    unaudited = "Sealed security events say who made and revoked it; nothing else of it changes."
    is_never_deleted = True

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "access token"
        #: ``add`` is for one's own; with ``view`` and ``change`` one sees and revokes everybody's.
        default_permissions = ("add", "change", "view")
        constraints = [
            name_present("apitoken"),
            models.UniqueConstraint(
                "person",
                Lower("name"),
                condition=Q(revoked_at=None),
                name="apitoken_name_unique",
                violation_error_message="You have a token of this name already. Choose another "
                "name, or revoke that one.",
            ),
            models.CheckConstraint(
                condition=~Q(scopes=""),
                name="apitoken_scopes_present",
                violation_error_message="Choose what the token may be used for.",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at"))
                & Q(expires_at__lte=F("created_at") + MAX_LIFETIME),
                name="apitoken_expires_within_a_year",
                violation_error_message="Choose a day from tomorrow on, at most a year ahead.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def start_of_secret(self) -> str:
        """What it can be recognized by, where its secret is used."""
        return f"{digests.PREFIX}{self.key}"

    @property
    def last_day(self) -> date:
        """The day on which it ends, or at whose end it does."""
        return timezone.localdate(self.expires_at - timedelta(seconds=1))

    @property
    def scope_list(self) -> list[Scope]:
        return [Scope(one) for one in self.scopes.split()]

    @property
    def network_list(self) -> list[IPv4Network | IPv6Network]:
        return [ip_network(one) for one in self.networks.split()]

    @property
    def origins(self) -> str:
        """From where it may be used, in words."""
        names = (str(one).removesuffix(f"/{one.max_prefixlen}") for one in self.network_list)
        return ", ".join(names) or "anywhere"

    @property
    def state(self) -> State:
        if self.revoked_at:
            return State.REVOKED
        return State.EXPIRED if self.expires_at <= timezone.now() else State.ACTIVE

    @property
    def sees_personal_data(self) -> bool:
        """Whether contacts, comments and people's names may be in what it reads."""
        return Scope.PERSONAL in self.scope_list

    def is_allowed_from(self, address: str) -> bool:
        """``address`` as oegen.people.client gives it; empty if it is not known."""
        if not self.networks:
            return True
        return bool(address) and any(
            ip_address(address) in network for network in self.network_list
        )


def parse_networks(text: str) -> list[str]:
    """The networks in a typed text, in their usual form. Raises ValidationError."""
    found: list[str] = []
    for part in text.replace(",", " ").split():
        try:
            network = str(ip_network(part))
        except ValueError as error:
            raise ValidationError(
                f"“{part[:60]}” is no network. Write an address such as 192.0.2.7, or a network "
                "such as 10.20.0.0/16 whose address ends in zeros."
            ) from error
        if network not in found:
            found.append(network)
    if len(found) > MAX_NETWORKS:
        raise ValidationError(f"List at most {MAX_NETWORKS} networks, not {len(found)}.")
    return found
