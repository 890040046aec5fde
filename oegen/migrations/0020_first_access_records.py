from collections import defaultdict

from django.conf import settings
from django.db import migrations

from oegen.audit.seeding import seed
from oegen.people.models.access import AccountRecord, GroupRecord, account_values, group_values


def _permissions(model, owner: str) -> dict[int, list[str]]:
    found = defaultdict(list)
    label, code = "permission__content_type__app_label", "permission__codename"
    for key, app_label, codename in model.objects.values_list(owner, label, code):
        found[key].append(f"{app_label}.{codename}")
    return found


def copy_what_there_is(apps, schema_editor):
    """Write the first sealed entry of each account and group that is there already."""
    user, group = apps.get_model(settings.AUTH_USER_MODEL), apps.get_model("auth", "Group")
    own = _permissions(user.user_permissions.through, "user_id")
    granted = _permissions(group.permissions.through, "group_id")
    members = defaultdict(list)
    for key, name in user.groups.through.objects.values_list("user_id", "group__name"):
        members[key].append(name)
    reason = "As it was when accounts and groups became part of the history."
    groups = [
        {"id": GroupRecord.id_of(one.pk), **group_values(one, granted[one.pk])}
        for one in group.objects.order_by("pk")
    ]
    accounts = [
        {"id": AccountRecord.id_of(one.pk), **account_values(one, members[one.pk], own[one.pk])}
        for one in user.objects.order_by("pk")
    ]
    if groups:
        seed(apps, "oegen", "GroupRecord", groups, reason=reason)
    if accounts:
        seed(apps, "oegen", "AccountRecord", accounts, reason=reason)


class Migration(migrations.Migration):
    dependencies = [("oegen", "0019_access_records")]
    operations = [migrations.RunPython(copy_what_there_is, migrations.RunPython.noop)]
