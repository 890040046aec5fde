from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from oegen import audit
from oegen.core.outbound import OutboundError
from oegen.imports.tables.reading import UnreadableFileError
from oegen.models import User
from oegen.people.commands import add_user_argument, named_user
from pipelines.registers.adapters.links import named_day
from pipelines.registers.editions.fetching import NoEditionError, fetch_file, fetch_newest
from pipelines.registers.editions.ingesting import Ingested, Origin, ingest_file
from pipelines.registers.models import Register

#: How many rejected rows are printed.
FEW = 10


class Command(BaseCommand):
    help = (
        "Write an edition of a public register: the newest that its publisher names, or that of a "
        "file or an address. An edition that is here already writes nothing."
    )

    def add_arguments(self, parser):
        parser.add_argument("register", metavar="REGISTER", help="repd, tec, mastr or another")
        parser.add_argument("file", nargs="?", metavar="FILE|URL")
        parser.add_argument(
            "--edition",
            type=_day,
            metavar="DATE",
            help="the day of the edition, such as 2025-01-31; else that in the file's name",
        )
        add_user_argument(parser)

    def handle(self, *, register: str, file: str | None, edition: date | None, **options: Any):
        found = self._register(register)
        person = named_user(options["user"])
        try:
            ingested = self._ingest(found, file, edition, person)
        except (OutboundError, NoEditionError, UnreadableFileError, OSError) as error:
            raise CommandError(f"{error} Nothing was written.") from error
        self._report(ingested)

    def _ingest(
        self, register: Register, file: str | None, edition: date | None, person: User | None
    ) -> Ingested:
        source = audit.Source.COMMAND
        if file is None:
            if edition is not None:
                raise CommandError(
                    "Publishers name their newest edition only: give the file or the address of "
                    "another one."
                )
            return fetch_newest(register, source=source, person=person)
        on = edition or named_day(Path(file).name)
        if on is None:
            raise CommandError(
                f"The name “{Path(file).name}” does not say of which day the edition is. Add "
                "--edition, such as --edition 2025-01-31."
            )
        if file.lower().startswith(("https:", "http:")):
            return fetch_file(register, file, on=on, source=source, person=person)
        path = Path(file)
        return ingest_file(
            register, path, on=on, origin=Origin(path.name), source=source, person=person
        )

    def _report(self, ingested: Ingested) -> None:
        rejects = list(ingested.edition.rejected_rows[: FEW + 1]) if ingested.is_new else []
        for reject in rejects[:FEW]:
            self.stdout.write(f"Line {reject.row}: {reject.reason}")
        if len(rejects) > FEW:
            self.stdout.write("… and more; the admin lists all of them.")
        self.stdout.write(ingested.message)

    def _register(self, code: str) -> Register:
        found = Register.objects.filter(code__iexact=code).first()
        if found is None:
            known = ", ".join(Register.objects.values_list("code", flat=True))
            raise CommandError(f"There is no register “{code}”. There are: {known}.")
        return found


def _day(text: str) -> date:
    """Raises ValueError, which argparse turns into its message."""
    return date.fromisoformat(text)
