from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.db.models.signals import post_migrate


class OEGenConfig(AppConfig):
    name = "oegen"
    verbose_name = "People and comments"

    def ready(self):
        from oegen import (  # noqa: F401
            checks,
            database,
            days,
            keys,
            ordering,
            private_files,
            roles,
            search,
        )
        from oegen.alerts import account_mail, mentions  # noqa: F401
        from oegen.people import accounts, security  # noqa: F401

        private_files.make_private()
        for trigger in days.triggers():
            database.register_trigger(trigger)

        post_migrate.connect(database.install_triggers, dispatch_uid="oegen.triggers")
        post_migrate.connect(database.install_indexes, dispatch_uid="oegen.indexes")
        post_migrate.connect(roles.grant_roles, dispatch_uid="oegen.roles")
        post_migrate.connect(search.rebuild_if_new, dispatch_uid="oegen.search")
        post_migrate.connect(keys.take_in_unknown, dispatch_uid="oegen.keys")
        post_migrate.connect(ordering.take_in_unknown, dispatch_uid="oegen.ordering")


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
        "tabler.js*",
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
        "land-*.json",
        "*.md",
        "LICENSE",
        "package.json",
    ]
