import uuid
from collections import defaultdict

from django.conf import settings
from django.db import migrations
from django.utils import timezone

from oegen.audit import CREATED, Source, seals
from oegen.people.models.access import AccountRecord, GroupRecord, account_values, group_values


def seed(apps, model_name, rows, reason):
    """Create the rows and one history row each, in a sealed change set.

    Frozen models know nothing of the audit trail.
    """
    model = apps.get_model("oegen", model_name)
    history = apps.get_model("oegen", f"Historical{model_name}")
    now = timezone.now()
    change_sets = apps.get_model("oegen", "ChangeSet")
    change_set = change_sets(
        id=uuid.uuid4(), source=Source.MIGRATION, reason=reason, recorded_at=now
    )
    created = model.objects.bulk_create(
        model(created_at=now, modified_at=now, **row) for row in rows
    )
    history.objects.bulk_create(
        history(
            history_date=now,
            history_type=CREATED,
            history_change_reason=change_set.reason,
            change_set_id=change_set.pk,
            **{field.attname: getattr(instance, field.attname) for field in model._meta.fields},
        )
        for instance in created
    )
    seals.close(change_sets, [change_set], [history])


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
        seed(apps, "GroupRecord", groups, reason)
    if accounts:
        seed(apps, "AccountRecord", accounts, reason)


class Migration(migrations.Migration):
    dependencies = [("oegen", "0019_access_records")]
    operations = [migrations.RunPython(copy_what_there_is, migrations.RunPython.noop)]
