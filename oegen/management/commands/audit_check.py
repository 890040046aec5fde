from itertools import chain
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from oegen.database import snapshot
from oegen.days import impossible_days
from oegen.integrity import Anchor, AnchorError, Check
from oegen.remarks import early_references


class Command(BaseCommand):
    help = (
        "Check that the history is whole and unaltered and that every record says what its last "
        "entry says. Prints what is not so, one finding a line, and then ends with exit code 1; "
        "remarks are no findings."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--anchor",
            type=Path,
            metavar="FILE",
            help="Write the newest seal to FILE, if nothing was found. Keep it where nobody who "
            "can write to this database can write.",
        )
        parser.add_argument(
            "--against",
            type=Path,
            metavar="FILE",
            help="Check as well that the history still contains the seal that --anchor wrote to "
            "FILE.",
        )

    def handle(self, *, anchor, against, **options):
        found = 0
        check = Check()
        try:
            kept = Anchor.read(against) if against else None
            with snapshot(DEFAULT_DB_ALIAS):
                for finding in check.findings():
                    found += 1
                    self.stdout.write(str(finding))
                for finding in kept.findings() if kept else ():
                    found += 1
                    self.stdout.write(str(finding))
                newest = Anchor.newest()
                for remark in chain(early_references(), impossible_days()):
                    self.stdout.write(f"Remark: {remark}.")
            read = ", ".join(f"{number:,} {what}" for what, number in check.counts.items())
            if found:
                raise CommandError(
                    f"{found:,} finding{'s' if found > 1 else ''} in {read or 'nothing'}."
                    + (" No anchor was written." if anchor else "")
                )
            if anchor:
                newest.write(anchor)
        except AnchorError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"Nothing found in {read or 'an empty history'}."))
        if anchor:
            self.stdout.write(f"The seal of change set {newest.number} is in {anchor}.")
