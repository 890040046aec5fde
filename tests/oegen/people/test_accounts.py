"""Accounts, groups and permissions are audited by whichever way they are changed."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from oegen import audit
from oegen.audit.revert import undoing
from oegen.models import AccountRecord, ChangeSet, GroupRecord, User
from oegen.people import accounts, roles
from tests.support.builders import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def newest(model, **of):
    return model.history.filter(**of).latest("history_id")


def agree() -> bool:
    """Whether the copies say what the accounts and groups say."""
    for live, copies in (
        (accounts.values_of_accounts(User.objects.all()), AccountRecord),
        (accounts.values_of_groups(Group.objects.all()), GroupRecord),
    ):
        assert copies.objects.count() == len(live)
        for key, values in live.items():
            copy = copies.objects.get(id=copies.id_of(key))
            assert {name: getattr(copy, name) for name in values} == values
            last = newest(copies, id=copy.pk)
            assert {name: getattr(last, name) for name in values} == values
    return True


def make_group(name="Guests") -> Group:
    return Group.objects.create(name=name)


def permission(codename="change_pipeline") -> Permission:
    return Permission.objects.get(codename=codename)


WAYS = {
    "saved": lambda user, group: (setattr(user, "is_superuser", True), user.save()),
    "updated": lambda user, group: User.objects.filter(pk=user.pk).update(email="a@b.example"),
    "made in bulk": lambda user, group: User.objects.bulk_create([User(username="new")]),
    "changed in bulk": lambda user, group: (
        setattr(user, "last_name", "Bulk"),
        User.objects.bulk_update([user], ["last_name"]),
    ),
    "given a group": lambda user, group: user.groups.add(group),
    "put into a group": lambda user, group: group.user_set.add(user),
    "taken out of all groups": lambda user, group: user.groups.clear(),
    "group emptied": lambda user, group: Group.objects.get(name=roles.MANAGERS).user_set.clear(),
    "given a permission": lambda user, group: user.user_permissions.add(permission()),
    "group given a permission": lambda user, group: group.permissions.add(permission()),
    "permission given to a group": lambda user, group: permission().group_set.add(group),
    "permission removed": lambda user, group: permission("delete_comment").delete(),
    "group renamed": lambda user, group: Group(
        pk=Group.objects.get(name=roles.MANAGERS).pk, name="Readers"
    ).save(),
    "group removed": lambda user, group: Group.objects.get(name=roles.MANAGERS).delete(),
    "account removed": lambda user, group: user.delete(),
    "accounts removed": lambda user, group: User.objects.filter(pk=user.pk).delete(),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_changing_an_account_or_group_is_in_the_history(way):
    user, group = make_user(roles.MANAGERS), make_group()
    assert agree()
    before = ChangeSet.objects.latest("number").number
    WAYS[way](user, group)
    assert agree()
    assert ChangeSet.objects.latest("number").number > before


def test_signing_in_changes_no_account(client):
    make_user(roles.MANAGERS, "morgan")
    before = ChangeSet.objects.latest("number").number
    client.post(reverse("login"), {"username": "morgan", "password": PASSWORD})
    assert User.objects.get(username="morgan").last_login
    assert ChangeSet.objects.latest("number").number == before


def test_an_administrators_change_is_one_change_set_with_from_and_to(client, administrator):
    user = make_user(roles.MANAGERS, "morgan")
    client.force_login(administrator)
    address = reverse("admin:oegen_user_change", args=[user.pk])
    groups = Group.objects.filter(name__in=[roles.MANAGERS, roles.ADMINISTRATORS])
    data = {"username": "morgan", "email": "m@example.com", "is_active": "on"}
    answer = client.post(address, data | {"groups": [group.pk for group in groups]})
    assert answer.status_code == 302
    row = newest(AccountRecord, username="morgan")
    assert (row.history_user, row.change_set.source) == (administrator, audit.Source.FORM)
    assert AccountRecord.history.filter(change_set=row.change_set).count() == 1
    page = client.get(reverse("audit")).text
    assert "groups given: Administrators" in page
    history = client.get(reverse("history", args=["accountrecord", row.id]))
    assert history.status_code == 200
    assert "m@example.com" in history.text


def test_a_password_change_is_a_fact_without_its_hash(client, administrator):
    user = make_user(roles.MANAGERS, "morgan")
    was = newest(AccountRecord, username="morgan")
    user.set_password("another long password")
    user.save()
    row = newest(AccountRecord, username="morgan")
    assert row.password_set_at > was.password_set_at
    assert user.password not in str(AccountRecord.history.values())
    client.force_login(administrator)
    assert "Password changed" in client.get(reverse("audit")).text


def test_an_account_is_neither_undone_nor_restored(client):
    user = make_user(roles.MANAGERS)
    user.groups.add(Group.objects.get(name=roles.ADMINISTRATORS))
    row = newest(AccountRecord, username=user.username)
    client.force_login(User.objects.create_superuser("root"))
    assert undoing.plan_undo(row.change_set).refusal == undoing.COPIES
    first = AccountRecord.history.filter(id=row.id).earliest("history_id")
    restore = reverse("history-restore", args=["accountrecord", row.id, first.history_id])
    assert client.get(restore).status_code == 403


def test_nobody_may_write_the_copies():
    for name in roles.ROLES:
        texts = GroupRecord.objects.get(name=name).permissions
        assert "record" not in texts


def test_the_seal_names_the_person_as_he_was(portfolio_manager):
    with audit.change_set(person=portfolio_manager):
        make_group()
    change_set = ChangeSet.objects.latest("number")
    assert (change_set.person_username, change_set.person_name) == ("priya", "Priya Shah")
    assert change_set.seal_format == 2
