from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.db.models.signals import post_migrate, pre_migrate


class OEGenConfig(AppConfig):
    name = "oegen"
    verbose_name = "People and comments"

    def ready(self):
        from oegen.admin import grants

        # These modules register checks, receivers, remarks and commands when they are imported.
        from oegen.alerts import account_mail, jobs, mentions, receivers  # noqa: F401
        from oegen.alerts.models import AlertRule
        from oegen.alerts.reference import alert_rule_rows
        from oegen.api import records  # noqa: F401
        from oegen.api.odata import changes  # noqa: F401
        from oegen.api.odata import checks as odata_checks  # noqa: F401
        from oegen.api.reporting import schemas
        from oegen.api.webhooks import jobs as webhook_jobs  # noqa: F401
        from oegen.api.webhooks import outbox  # noqa: F401
        from oegen.audit import checks, day_rules, seeding, triggers  # noqa: F401
        from oegen.core import private_files, timestamps  # noqa: F401
        from oegen.core.triggers import register_trigger
        from oegen.imports import comments as comments_import  # noqa: F401
        from oegen.imports.tables import jobs as import_jobs  # noqa: F401
        from oegen.imports.tables import receivers as import_receivers  # noqa: F401
        from oegen.jobs import tidying  # noqa: F401
        from oegen.jobs.models import Schedule
        from oegen.jobs.reference import schedule_rows
        from oegen.pages import downloads, general_commands  # noqa: F401
        from oegen.pages.importing import error_file  # noqa: F401
        from oegen.people import accounts, integrity, security  # noqa: F401
        from oegen.search import documents, keys, ordering, remarks  # noqa: F401
        from oegen.search import receivers as search_receivers  # noqa: F401

        private_files.make_private()
        for trigger in day_rules.triggers():
            register_trigger(trigger)
        seeding.register_rows(AlertRule, alert_rule_rows())
        seeding.register_rows(Schedule, schedule_rows())

        post_migrate.connect(triggers.install_triggers, dispatch_uid="oegen.triggers")
        post_migrate.connect(triggers.install_indexes, dispatch_uid="oegen.indexes")
        post_migrate.connect(seeding.create_new_rows, dispatch_uid="oegen.seeding")
        post_migrate.connect(grants.grant_roles, dispatch_uid="oegen.roles")
        post_migrate.connect(documents.rebuild_if_new, dispatch_uid="oegen.search")
        post_migrate.connect(keys.index_missing, dispatch_uid="oegen.keys")
        post_migrate.connect(ordering.index_missing, dispatch_uid="oegen.ordering")
        pre_migrate.connect(schemas.drop_views, dispatch_uid="oegen.drop_reporting")
        post_migrate.connect(schemas.make_views, dispatch_uid="oegen.reporting")


class OEGenAdminConfig(AdminConfig):
    default_site = "oegen.admin_site.OEGenAdminSite"


class OEGenStaticFilesConfig(StaticFilesConfig):
    """Collects what the pages load and leaves out the rest of the npm packages."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "*.rtl.*",
        "*.esm.*",
        "*.cjs*",
        "*.d.ts",
        "tabler-*",
        "tabler.css*",
        "*-src.*",
        "chart.js",
        "chart.js.map",
        "chart.umd.js*",
        "helpers*",
        "chunks",
        "types",
        "core",
        "controllers",
        "elements",
        "platform",
        "plugins",
        "scales",
        "redoc",
        "rest_framework",
        "*.md",
        "LICENSE",
        "package.json",
    ]
