from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from oegen.api.reporting.access import Access, RoleError, set_access
from oegen.api.reporting.schemas import PERSONAL_SCHEMA, SCHEMA

DEFAULT_SECONDS = 60


class Command(BaseCommand):
    help = (
        "Let a role of PostgreSQL read the reporting views, and only that; it is asked for anew "
        "each time, so that a role loses personal data if --personal is left out."
    )

    def add_arguments(self, parser):
        parser.add_argument("role", help="a role that exists, such as power_bi")
        parser.add_argument(
            "--personal",
            action="store_true",
            help=f"contacts and people's names, too: the schema {PERSONAL_SCHEMA}",
        )
        parser.add_argument(
            "--timeout",
            type=int,
            default=DEFAULT_SECONDS,
            metavar="SECONDS",
            help="the longest that a statement of the role may take; by default %(default)s",
        )
        parser.add_argument(
            "--revoke", action="store_true", help="take the right to read the views away"
        )

    def handle(self, *, role, personal, timeout, revoke, **options):
        if connection.vendor != "postgresql":
            raise CommandError(
                "There are reporting views on PostgreSQL only. Other programs read the feed at "
                "/odata/v1/: see docs/odata.md."
            )
        if revoke and personal:
            raise CommandError("--revoke takes everything away: leave --personal out.")
        if timeout < 1:
            raise CommandError("--timeout is a number of seconds, from 1.")
        try:
            set_access(role, None if revoke else Access(personal, timeout))
        except RoleError as error:
            raise CommandError(str(error)) from error
        if revoke:
            self.stdout.write(f"{role} reads no reporting views any more.")
            return
        schemas = f"{SCHEMA} and {PERSONAL_SCHEMA}" if personal else SCHEMA
        self.stdout.write(
            f"{role} reads the views of {schemas}; its statements end after {timeout} s. It counts "
            "from its next connection on."
        )
