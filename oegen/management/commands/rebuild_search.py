import sys

from django.core.management.base import BaseCommand
from tqdm import tqdm

from oegen import search


class Command(BaseCommand):
    help = (
        "Make the search's documents anew from the records. Needed only after writing to the "
        "database in another way than through this program. Run it while nobody else writes."
    )

    def handle(self, **options):
        with tqdm(
            total=search.record_count(),
            desc="Search",
            unit=" records",
            file=sys.stderr,
            disable=options["verbosity"] == 0,
        ) as bar:
            number = search.rebuild(bar.update)
        self.stdout.write(f"Search knows {number:,} records.")
