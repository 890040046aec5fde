import sys

from django.core.management.base import BaseCommand
from tqdm import tqdm

from oegen import search
from oegen.search import keys, ordering


class Command(BaseCommand):
    help = (
        "Rebuild the search index and the keys of names after data was loaded outside the "
        "application. Run it while nobody else writes."
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
        keys.rebuild()
        ordering.rebuild()
        self.stdout.write(f"Search knows {number:,} records.")
