import sys

from django.core.management.base import BaseCommand
from tqdm import tqdm

from pipelines.facts.services import all_pipelines, rebuild_facts


class Command(BaseCommand):
    help = "Derive the facts that metrics count by from the history anew, and write what differs."

    def handle(self, **options):
        pipelines = all_pipelines()
        with tqdm(
            total=len(pipelines),
            desc="Facts",
            unit=" pipelines",
            file=sys.stderr,
            disable=options["verbosity"] == 0,
        ) as bar:
            number = rebuild_facts(bar.update)
        self.stdout.write(
            f"The facts of {len(pipelines):,} pipelines are what the history says; "
            f"{number:,} were not."
        )
