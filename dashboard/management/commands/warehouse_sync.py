import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from dashboard.warehouse import WarehouseError, installed
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
        try:
            delta, syncing = installed("delta"), installed("syncing")
            destination = delta.Destination.parse(options["to"] or settings.WAREHOUSE)
            self._sync(syncing, destination, options)
            if options["tidy"]:
                removed = installed("tidying").tidy(destination)
                self.stdout.write(f"{count(removed, 'file')} removed that nothing referred to.")
            if options["check"] is not None:
                self._check(installed("checking"), destination, options["check"])
        except WarehouseError as error:
            raise CommandError(str(error)) from error

    def _sync(self, syncing, destination, options):
        with tqdm(
            desc="Warehouse", unit=" tables", file=sys.stderr, disable=options["verbosity"] == 0
        ) as bar:

            def progress(table):
                bar.set_postfix_str(table)
                bar.update()

            result = syncing.sync(destination, full=options["full"], progress=progress)
        if not result.rows:
            self.stdout.write(f"The tables contain everything up to change set {result.number:,}.")
            return
        since = f"{result.before + 1:,}" if not options["full"] else "1"
        self.stdout.write(
            f"Change sets {since} to {result.number:,} are in the tables; "
            f"{count(len(result.rows), 'table')} written."
        )

    def _check(self, checking, destination, days):
        result = checking.check(destination, days)
        for line in result.differences:
            self.stdout.write(line)
        if result.differences:
            raise CommandError(
                f"{count(len(result.differences), 'figure')} of {result.figures:,} from the tables "
                "differ from the product's. Run it with --full; if they still differ, report it."
            )
        self.stdout.write(
            f"{result.figures:,} figures on {count(result.days, 'day')} are the product's, to the "
            "kilowatt."
        )
