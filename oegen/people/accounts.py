"""Auditing of accounts and groups: each has an audited copy, which is written in the change set
that changes the account or group.

Signals queue what was changed; when the change set closes, the copies are compared and written.
Writes that send no signals (SQL, ``Group.objects.update``, rows of a many-to-many table) are
reported by ``audit_check``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete
from django.dispatch import receiver
from django.utils import timezone

from oegen import audit
from oegen.audit.narrative import timeline
from oegen.audit.revert.steps import newest_versions
from oegen.people.models import AccountRecord, GroupRecord, SecurityEvent, User
from oegen.people.models.access import CopiedModel, account_values, group_values
from oegen.people.security import record_security_event

#: The columns of an account that its copy contains.
COPIED_COLUMNS = {
    *("username", "first_name", "last_name", "email", "password"),
    *("is_active", "is_staff", "is_superuser"),
}

#: The kind under which accounts with a newly set password are queued.
PASSWORDS = "passwords"


def _permission_texts(model: type[models.Model], owner: str, keys: Collection) -> dict[Any, list]:
    """Permissions such as “pipelines.change_pipeline”, by the key of their owner."""
    found: dict[Any, list[str]] = {}
    rows = model._default_manager.filter(**{f"{owner}__in": keys})
    label, code = "permission__content_type__app_label", "permission__codename"
    for key, app_label, codename in rows.values_list(owner, label, code):
        found.setdefault(key, []).append(f"{app_label}.{codename}")
    return found


def values_of_accounts(users: Collection[User]) -> dict[int, dict]:
    """The values for the copies, by the account's key, in three queries."""
    keys = [user.pk for user in users]
    permissions = _permission_texts(User.user_permissions.through, "user_id", keys)
    groups: dict[int, list[str]] = {}
    members = User.groups.through.objects.filter(user_id__in=keys)
    for key, name in members.values_list("user_id", "group__name"):
        groups.setdefault(key, []).append(name)
    return {
        user.pk: account_values(user, groups.get(user.pk, ()), permissions.get(user.pk, ()))
        for user in users
    }


def values_of_groups(groups: Collection[Group]) -> dict[int, dict]:
    keys = [group.pk for group in groups]
    permissions = _permission_texts(Group.permissions.through, "group_id", keys)
    return {group.pk: group_values(group, permissions.get(group.pk, ())) for group in groups}


@receiver(audit.change_set_closing, dispatch_uid="oegen.accounts.closing")
def _write_copies(sender, change_set, **kwargs) -> None:
    queued = change_set.queued_for_closing
    if keys := queued.get(User):
        users = list(User.objects.filter(pk__in=keys))
        _write(AccountRecord, keys, values_of_accounts(users), queued.get(PASSWORDS, ()))
    if keys := queued.get(Group):
        groups = list(Group.objects.filter(pk__in=keys))
        _write(GroupRecord, keys, values_of_groups(groups))


def _write(model: type[CopiedModel], keys, live: dict[int, dict], passwords=()) -> None:
    """Create, update or delete the copies, so that they equal ``live``."""
    ids = {key: model.id_of(key) for key in sorted(keys)}
    copies = model.objects.in_bulk(list(ids.values()))
    versions = newest_versions(model, [one for one in ids.values() if one not in copies])
    for key, copy_id in ids.items():
        copy, values = copies.get(copy_id), live.get(key)
        if values is None:
            if copy is not None:
                copy.delete()
            continue
        if model is AccountRecord:
            values |= _password_times(copy, values, is_set=key in passwords)
        if copy is None:
            model.objects.create(id=copy_id, version=versions.get(copy_id, 0) + 1, **values)
        elif any(getattr(copy, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(copy, name, value)
            copy.save()


def _password_times(copy: CopiedModel | None, values: dict, *, is_set: bool) -> dict:
    now = timezone.now()
    times = {"password_set_at": now} if is_set else {}
    if not isinstance(copy, AccountRecord) or copy.password_mark != values["password_mark"]:
        times["password_stored_at"] = now
    return times


# Signals of accounts and groups -----------------------------------------------------------------


@receiver(post_save, sender=User, dispatch_uid="oegen.accounts.saved")
def _account_saved(sender, instance, created, update_fields, raw, **kwargs) -> None:
    if raw or (update_fields is not None and not COPIED_COLUMNS & set(update_fields)):
        return
    # Django holds the raw password until the save is over, but not when it only upgrades the hash.
    is_set = instance._password is not None
    with audit.change_set():
        audit.queue_for_closing(User, [instance.pk])
        if created or is_set:
            audit.queue_for_closing(PASSWORDS, [instance.pk])
    if is_set and not created:
        record_security_event(SecurityEvent.Kind.PASSWORD_CHANGE, account=instance)


@receiver(post_delete, sender=User, dispatch_uid="oegen.accounts.removed")
def _account_removed(sender, instance, **kwargs) -> None:
    audit.queue_for_closing(User, [instance.pk])


@receiver(post_save, sender=Group, dispatch_uid="oegen.groups.saved")
def _group_saved(sender, instance, raw, **kwargs) -> None:
    if not raw:
        with audit.change_set():
            audit.queue_for_closing(Group, [instance.pk])
            audit.queue_for_closing(User, _members(instance))


@receiver(pre_delete, sender=Group, dispatch_uid="oegen.groups.going")
def _group_going(sender, instance, **kwargs) -> None:
    instance._members_before = _members(instance)


@receiver(post_delete, sender=Group, dispatch_uid="oegen.groups.removed")
def _group_removed(sender, instance, **kwargs) -> None:
    with audit.change_set():
        audit.queue_for_closing(Group, [instance.pk])
        audit.queue_for_closing(User, instance._members_before)


@receiver(pre_delete, sender=Permission, dispatch_uid="oegen.permissions.going")
def _permission_going(sender, instance, **kwargs) -> None:
    instance._owners_before = [
        (model, list(manager.values_list("pk", flat=True)))
        for model, manager in ((Group, instance.group_set), (User, instance.user_set))
    ]


@receiver(post_delete, sender=Permission, dispatch_uid="oegen.permissions.removed")
def _permission_removed(sender, instance, **kwargs) -> None:
    with audit.change_set():
        for model, keys in instance._owners_before:
            audit.queue_for_closing(model, keys)


def _members(group: Group) -> list[int]:
    return list(group.user_set.values_list("pk", flat=True))


def _connect_m2m_changed(owner: type[User] | type[Group], name: str):
    """Connect to changes of a many-to-many field of ``owner`` from both sides. Django sends no
    signal for rows that are written to its table directly."""
    descriptor = getattr(owner, name)
    field, through = descriptor.field, descriptor.through
    column = field.m2m_field_name()

    def changed(sender, instance, action, reverse, pk_set, **kwargs) -> None:
        links = through._base_manager.filter(**{field.m2m_reverse_field_name(): instance.pk})
        if action == "pre_clear" and reverse:
            instance._owners_before_clear = list(links.values_list(column, flat=True))
        elif action == "post_clear" and reverse:
            audit.queue_for_closing(owner, instance._owners_before_clear)
        elif action.startswith("post_"):
            audit.queue_for_closing(owner, pk_set if reverse else [instance.pk])

    uid = f"oegen.links.{owner._meta.label_lower}.{name}"
    m2m_changed.connect(changed, sender=through, weak=False, dispatch_uid=uid)


for _owner, _name in ((User, "groups"), (User, "user_permissions"), (Group, "permissions")):
    _connect_m2m_changed(_owner, _name)


# Phrases ----------------------------------------------------------------------------------------


@timeline.register_phrase(AccountRecord, "password_set_at")
def _password_set(old, new, raw_old, raw_new) -> str:
    return "password changed"


@timeline.register_phrase(AccountRecord, "password_stored_at", unless=["password_set_at"])
def _password_stored(old, new, raw_old, raw_new) -> str:
    return "stored password replaced, as by a newer hash at a sign-in"


def _lines_phrase(label: str):
    """The phrase for a field with one entry per line: which were added and which removed."""

    def phrase(old, new, raw_old, raw_new) -> str:
        before, after = set((raw_old or "").splitlines()), set((raw_new or "").splitlines())
        parts = [
            f"{label} {action}: {', '.join(sorted(names))}"
            for action, names in (("given", after - before), ("taken away", before - after))
            if names
        ]
        return "; ".join(parts)

    return phrase


timeline.register_phrase(AccountRecord, "groups")(_lines_phrase("groups"))
timeline.register_phrase(AccountRecord, "permissions")(_lines_phrase("own permissions"))
timeline.register_phrase(GroupRecord, "permissions")(_lines_phrase("permissions"))
