import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from dashboard.warehouse import WarehouseError, installed
from dashboard.warehouse.running import run_check, run_sync
from oegen.core.words import count


class Command(BaseCommand):
    help = (
        "Bring the Delta tables of the warehouse up to date. Only what was written since the last "
        "time is read; it may be ended at any point and run twice at once."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--to",
            metavar="DESTINATION",
            help="A folder, s3://bucket/folder or abfss://container@account.dfs.core.windows.net/"
            "folder; by default WAREHOUSE. Credentials are read from the environment.",
        )
        parser.add_argument("--full", action="store_true", help="Write all tables anew.")
        parser.add_argument(
            "--check",
            metavar="DAYS",
            type=int,
            nargs="?",
            const=20,
            help="Compare figures from the tables with the product's, on as many random days.",
        )

        parser.add_argument(
            "--tidy",
            action="store_true",
            help="Put small files together, and remove those that nothing refers to.",
        )

    def handle(self, **options):
        address = options["to"] or settings.WAREHOUSE
        try:
            self._sync(address, options)
            if options["tidy"]:
                destination = installed("delta").Destination.parse(address)
                removed = installed("tidying").tidy(destination)
                self.stdout.write(f"{count(removed, 'file')} removed that nothing referred to.")
            if options["check"] is not None:
                self._check(address, options["check"])
        except WarehouseError as error:
            raise CommandError(str(error)) from error

    def _sync(self, address, options):
        with tqdm(
            desc="Warehouse", unit=" tables", file=sys.stderr, disable=options["verbosity"] == 0
        ) as bar:

            def progress(table):
                bar.set_postfix_str(table)
                bar.update()

            result = run_sync(address, full=options["full"], progress=progress)
        self.stdout.write(result.summary)

    def _check(self, address, days):
        result = run_check(address, days)
        for line in result.differences:
            self.stdout.write(line)
        if result.differences:
            raise CommandError(result.summary)
        self.stdout.write(result.summary)
