from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError

from oegen.core.exceptions import StaleRecordError
from oegen.core.garbage import rare_garbage_collection
from oegen.core.words import count
from oegen.imports.report import FEW, printable
from oegen.imports.tables.applying import RefusedError, apply_plan, try_plan
from oegen.imports.tables.asking import Asked
from oegen.imports.tables.jobs import summary
from oegen.imports.tables.kinds import KINDS
from oegen.imports.tables.mapping import Mapping
from oegen.imports.tables.models import ImportMapping
from oegen.imports.tables.plans import Plan
from oegen.imports.tables.reading import UnreadableFileError
from oegen.imports.tables.running import plan_file
from oegen.models import User
from oegen.people.commands import add_user_argument, named_user


class Command(BaseCommand):
    help = (
        "Import a table, CSV or XLSX. Without --apply it is a dry run: the import is planned, "
        "tried and rolled back. Ends with 1 if a row is refused."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--as", dest="kind", required=True, choices=sorted(KINDS), help="what its rows are"
        )
        parser.add_argument("--mapping", metavar="NAME", help="a mapping that was saved")
        parser.add_argument("--sheet", default="", metavar="NAME", help="a sheet of the workbook")
        parser.add_argument("--apply", action="store_true", help="save the import")
        parser.add_argument(
            "--skip-refused", action="store_true", help="import the rows that are right"
        )
        parser.add_argument(
            "--save-anyway",
            action="store_true",
            help="answer questions without looking: similar names are others, equal ones the same",
        )
        add_user_argument(parser)
        parser.add_argument("--reason", metavar="TEXT", help="the reason recorded in the history")

    @rare_garbage_collection()
    def handle(self, *, file: Path, kind: str, apply: bool, skip_refused: bool, **options):
        person = named_user(options["user"])
        reason = options["reason"] or f"import_table of “{file.name}”."
        try:
            plan = plan_file(
                file,
                kind,
                sheet=options["sheet"],
                mapping=self._mapping(kind, options["mapping"]),
                person=person,
                reason=reason,
                save_anyway=options["save_anyway"],
            )
        except (UnreadableFileError, FileNotFoundError) as error:
            raise CommandError(f"{error} Nothing was imported.") from error
        if plan.questions:
            raise CommandError(_columns_text(plan.questions))
        if not apply:
            try_plan(plan, person=person, reason=reason)
        self._report(plan)
        if apply and not (plan.refused and not skip_refused):
            self._apply(plan, person, reason, skip_refused)
        if plan.refused:
            outcome = "" if apply and skip_refused else " Nothing was imported."
            raise CommandError(f"{count(plan.refused, 'row')} refused.{outcome}")
        if not apply:
            self.stdout.write("Nothing was saved: add --apply.")

    def _apply(self, plan: Plan, person: User | None, reason: str, skip_refused: bool) -> None:
        try:
            written = apply_plan(plan, person=person, reason=reason, only_right_rows=skip_refused)
        except (RefusedError, StaleRecordError) as error:
            raise CommandError(str(error)) from error
        except IntegrityError as error:
            raise CommandError(
                f"The database refused what the file says ({error}). Run it without --apply, which "
                "says which rows."
            ) from error
        numbers = ", ".join(str(one.number) for one in written) or "none"
        self.stdout.write(f"Saved. Change sets: {numbers}.")

    def _report(self, plan: Plan) -> None:
        for remark in plan.remarks[:FEW]:
            self.stdout.write(remark)
        problems = list(plan.problems())
        for row, problem in problems[:FEW]:
            where = f", {problem.heading}" if problem.heading else ""
            self.stdout.write(f"Row {row}{where}: {printable(problem.message)}")
        if len(problems) > FEW:
            self.stdout.write(f"… and {len(problems) - FEW:,} more reasons.")
        asked = list(plan.asked())
        for one in asked[:FEW]:
            self.stdout.write(f"Row {one.row}: {printable(one.text)}")
        if len(asked) > FEW:
            self.stdout.write(f"… and {len(asked) - FEW:,} more questions.")
        if plan.missing:
            self.stdout.write(
                f"{count(len(plan.missing), 'record')} of this source not in the file; they stay."
            )
        self.stdout.write(summary(plan.counts))

    def _mapping(self, kind: str, name: str | None) -> Mapping:
        if name is None:
            return Mapping()
        found = ImportMapping.objects.filter(kind=kind, name__iexact=name).first()
        if found is None:
            known = ", ".join(
                ImportMapping.objects.filter(kind=kind).values_list("name", flat=True)
            )
            raise CommandError(
                f"There is no mapping “{name}” for {kind}. There are: {known or 'none yet'}."
            )
        return Mapping.from_json(found.contents)


def _columns_text(questions: tuple[Asked, ...]) -> str:
    lines = []
    for one in questions:
        labels = [option.label for option in one.options[:4]]
        hint = f" ({'; '.join(labels)} …)" if labels else ""
        lines.append(f"- {printable(one.text)}{hint}")
    number = count(len(questions), "question")
    advice = "name the columns as below, or give a saved mapping that answers them as --mapping"
    return "\n".join([f"{number} about the columns; {advice}:", *lines])
