"""Audited copies of accounts and groups."""

import hashlib
import uuid
from collections.abc import Iterable

from django.db import models

from oegen.audit.audited import AuditedModel

_NAMESPACE = uuid.UUID("0d9f5c52-63a4-5d0e-9a0f-2f3a0a5f8c11")


class CopiedModel(AuditedModel):
    """An audited copy of a row of another table.

    It is written only by oegen.people.accounts, in the change set that changes the original.
    """

    SHOW_IN_FEED = False
    IS_COPY = True

    #: The field with the key of the original.
    KEY_FIELD = ""

    class Meta:
        abstract = True

    @classmethod
    def id_of(cls, number: int) -> uuid.UUID:
        """The copy's id, given the key of the original."""
        return uuid.uuid5(_NAMESPACE, f"{cls._meta.model_name}:{number}")


class AccountRecord(CopiedModel):
    account_id = models.BigIntegerField("account number", unique=True, editable=False)
    username = models.CharField(max_length=150)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    email = models.CharField("e-mail address", max_length=254, blank=True)
    is_active = models.BooleanField("active")
    is_staff = models.BooleanField("staff")
    is_superuser = models.BooleanField("superuser")
    groups = models.TextField(blank=True, help_text="Their names, one a line.")
    permissions = models.TextField("own permissions", blank=True, help_text="One a line.")
    password_set_at = models.DateTimeField("password set", null=True)
    password_stored_at = models.DateTimeField("password stored", null=True)
    #: Digest of the salted hash that Django stores. It shows that the hash was replaced and reveals
    #: nothing about the password.
    password_mark = models.CharField(max_length=64, blank=True)

    KEY_FIELD = "account_id"
    BOOKKEEPING = (*AuditedModel.BOOKKEEPING, "password_mark")

    class Meta:
        verbose_name = "account"
        ordering = ["username"]

    def __str__(self):
        return f"{self.first_name} {self.last_name}".strip() or self.username

    @classmethod
    def name_field(cls) -> str:
        return "username"


class GroupRecord(CopiedModel):
    group_id = models.BigIntegerField("group number", unique=True, editable=False)
    name = models.CharField(max_length=150)
    permissions = models.TextField(blank=True, help_text="One a line.")

    KEY_FIELD = "group_id"

    class Meta:
        verbose_name = "group"
        ordering = ["name"]

    def __str__(self):
        return self.name


def account_values(user, groups: Iterable[str], permissions: Iterable[str]) -> dict:
    """The values for the copy of an account, which may be of a migration's frozen model."""
    return {
        "account_id": user.pk,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "is_active": user.is_active,
        "is_staff": user.is_staff,
        "is_superuser": user.is_superuser,
        "groups": "\n".join(sorted(groups)),
        "permissions": "\n".join(sorted(permissions)),
        "password_mark": hashlib.sha256(user.password.encode()).hexdigest(),
    }


def group_values(group, permissions: Iterable[str]) -> dict:
    return {
        "group_id": group.pk,
        "name": group.name,
        "permissions": "\n".join(sorted(permissions)),
    }
