import argparse
import sys

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from tqdm import tqdm

from dashboard.sample.registers import load_registers
from dashboard.sample.services import (
    DEFAULT_PIPELINES,
    NotEmptyError,
    counterparties_for,
    load_sample,
)


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"give 1 or more, not {text}")
    return int(text)


class Command(BaseCommand):
    help = (
        "Fill an empty database with an invented portfolio and two years of its history, and with "
        "excerpts of public registers. The same seed gives the same portfolio on the same day."
    )

    def add_arguments(self, parser):
        parser.add_argument("--pipelines", type=positive, default=DEFAULT_PIPELINES, metavar="N")
        parser.add_argument("--seed", type=int, default=1, metavar="S")

    @transaction.atomic
    def handle(self, *, pipelines, seed, **options):
        today = timezone.localdate()
        with tqdm(
            total=pipelines + counterparties_for(pipelines),
            desc="Sample portfolio",
            unit=" records",
            file=sys.stderr,
            disable=options["verbosity"] == 0,
        ) as bar:
            try:
                totals = load_sample(
                    pipelines=pipelines,
                    seed=seed,
                    today=today,
                    progress=bar.update,
                )
            except NotEmptyError as refusal:
                raise CommandError(str(refusal)) from refusal
        totals += load_registers(seed=seed, today=today)
        width = max(map(len, totals))
        for name, number in totals.items():
            self.stdout.write(f"{name[:1].upper()}{name[1:]:<{width}}{number:>10,}")
