from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from dashboard.warehouse import WarehouseError, installed
from oegen.core.words import count


class Command(BaseCommand):
    help = (
        "Write the definitions of the product's figures over the tables of the warehouse: "
        "metrics.yaml, metric views of Databricks, and a model of Power BI (TMDL)."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", metavar="DIR", type=Path, help="Where the files are written.")
        parser.add_argument(
            "--schema",
            metavar="CATALOG.SCHEMA",
            default="main.oegen",
            help="Where Databricks has the tables; by default main.oegen.",
        )

    def handle(self, **options):
        try:
            written = installed("semantic.files").write(options["folder"], options["schema"])
        except WarehouseError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{count(len(written), 'file')} in {options['folder']}. DAX and YAML were generated, "
            "and not opened in Power BI or Databricks."
        )
