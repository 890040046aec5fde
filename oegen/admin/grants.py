"""The permissions of the roles, which ``migrate`` grants for new models. Permissions that an
administrator revoked are not granted again.
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, connections

from oegen import audit
from oegen.alerts.models import Alert
from oegen.api.models import ApiToken
from oegen.api.webhooks.models import Webhook
from oegen.audit.integrity.models import Acknowledgement
from oegen.jobs.models import Job
from oegen.pages.models import SavedView
from oegen.people.models import GroupRecord, SecurityEvent, User
from oegen.people.roles import ADMINISTRATORS, ENTER_ADMIN, MANAGERS, PORTFOLIO_MANAGERS


def _permissions_of(models, actions=("add", "change", "delete", "view")):
    content_types = ContentType.objects.get_for_models(*models).values()
    return [
        permission
        for permission in Permission.objects.filter(content_type__in=content_types)
        if permission.codename.split("_")[0] in actions
    ]


def grant_roles(sender, using=DEFAULT_DB_ALIAS, **kwargs) -> None:
    """post_migrate: grant a new role all of its permissions, and an existing one those that did not
    exist before. Granting an older permission requires a migration."""
    if sender.name != "oegen":
        return
    if GroupRecord._meta.db_table not in connections[using].introspection.table_names():
        return  # Migrated backwards: the audit tables do not exist.
    known = set(Permission.objects.values_list("pk", flat=True))
    for config in installed.get_app_configs():
        create_permissions(config, verbosity=0)
    enter_admin = Permission.objects.get(
        content_type__app_label="oegen", codename=ENTER_ADMIN.split(".")[1]
    )
    tracked = audit.tracked_models()
    reference = [model for model in tracked if model.is_vocabulary()]
    business = [
        model
        for model in tracked
        if model not in reference and not (model.IS_COPY or model is Acknowledgement)
    ]
    everybody = [
        *Permission.objects.filter(
            content_type__in=ContentType.objects.get_for_models(*tracked).values(),
            codename__in=[name for model in tracked for name in model.EVERY_ROLE_MAY],
        ),
        *_permissions_of([ApiToken], actions=("add",)),
    ]
    portfolio = [
        enter_admin,
        *everybody,
        *_permissions_of(business),
        *_permissions_of(reference, actions=("view",)),
        *_permissions_of([Webhook], actions=("add",)),
    ]
    administration = [
        *_permissions_of([*reference, User, Group, Acknowledgement]),
        *_permissions_of(business, actions=("approve",)),
        *_permissions_of([Alert, ApiToken, Job, Webhook], actions=("change", "view")),
        *_permissions_of([SecurityEvent], actions=("view",)),
        *_permissions_of([SavedView], actions=("remove",)),
    ]
    for model in installed.get_models():
        administration += _permissions_of([model], getattr(model, "ADMINISTRATORS_MAY", ()))
    with audit.change_set(source=audit.Source.MIGRATION, reason="What a role may do by itself."):
        for name, permissions in {
            MANAGERS: everybody,
            PORTFOLIO_MANAGERS: portfolio,
            ADMINISTRATORS: [*portfolio, *administration],
        }.items():
            role, is_new = Group.objects.get_or_create(name=name)
            role.permissions.add(*(one for one in permissions if is_new or one.pk not in known))
