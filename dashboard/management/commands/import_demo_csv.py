from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, connection, transaction
from django.template.defaultfilters import pluralize

from dashboard.demo_import.counterparties import CounterpartyImporter, CounterpartyNames
from dashboard.demo_import.importer import Importer, ImportRun
from dashboard.demo_import.infopoints import InformationPointImporter
from dashboard.demo_import.past import AuditFile
from dashboard.demo_import.pipelines import PipelineImporter
from dashboard.demo_import.vocabulary import Vocabulary
from oegen.audit import Source, change_set
from oegen.core.database import take_advisory_lock
from oegen.core.exceptions import StaleRecordError
from oegen.core.garbage import rare_garbage_collection
from oegen.core.words import count
from oegen.imports import UnreadableFileError
from oegen.imports.report import Rejects
from oegen.people.commands import add_user_argument, named_user

#: Advisory lock that allows one import at a time.
LOCK = 0x0E6E_1D30


class Command(BaseCommand):
    help = (
        "Import the Streamlit demo's four CSV files from a folder. Without --apply it is a dry "
        "run: the whole import is run, summarised and rolled back."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, metavar="DIR", help="folder with the four files")
        parser.add_argument("--apply", action="store_true", help="save the import")
        add_user_argument(parser)
        parser.add_argument("--reason", metavar="TEXT", help="the reason recorded in the history")

    @rare_garbage_collection()
    def handle(self, *, folder: Path, apply: bool, user: str | None, reason: str | None, **options):
        if not folder.is_dir():
            raise CommandError(
                f"There is no folder “{folder}”. Give the one that holds the four CSV files."
            )
        person = named_user(user)
        reason = reason or f"import_demo_csv of the folder “{folder.resolve().name}”."
        rejects = Rejects(settings.VAR_DIR / "rejects")
        try:
            with transaction.atomic():
                # Two imports at once would both add the demo's audit to the history.
                take_advisory_lock(LOCK)
                with change_set(
                    person=person, reason=reason, source=Source.IMPORT, savepoint=False
                ) as current:
                    run = ImportRun(folder=folder, change_set=current, rejects=rejects)
                    pipelines = self._import(run)
                # Deferred constraints, which a dry run would otherwise not check.
                connection.check_constraints()
                if not apply:
                    transaction.set_rollback(True)
        except UnreadableFileError as error:
            raise CommandError(f"{error} Nothing was imported.") from error
        except IntegrityError as error:
            raise CommandError(
                f"The database refused what the files say ({error}). Nothing was imported."
            ) from error
        except StaleRecordError as error:
            raise CommandError(
                f"Somebody changed {error.record._meta.verbose_name} “{error.record}” during the "
                "import. Nothing was imported. Run it again."
            ) from error
        finally:
            rejects.close()
        self._summarise(run, pipelines, apply)

    def _import(self, run: ImportRun) -> PipelineImporter:
        """Counterparties first, because the others refer to them. The audit of each kind of record
        before its file, so that its history continues where the audit ends."""
        try:
            keys = [
                one.past_key
                for one in (CounterpartyImporter, PipelineImporter, InformationPointImporter)
            ]
            audit = AuditFile(run, keys)
            names, vocabulary = CounterpartyNames(run), Vocabulary()
            counterparties = CounterpartyImporter(run, names)
            pipelines = PipelineImporter(run, names, vocabulary)
            points = InformationPointImporter(run, names, vocabulary)
            audit.read()
            referring: list[Importer] = [pipelines, points]
            importers: list[Importer] = [counterparties, *referring]
            for importer in referring:
                importer.note_references(audit)
            for importer in importers:
                importer.import_past(audit)
                importer.import_rows()
            for importer in importers:
                importer.close_histories()
            audit.report.check()
            return pipelines
        finally:
            run.close()

    def _summarise(self, run: ImportRun, pipelines: PipelineImporter, apply: bool) -> None:
        write = self.stdout.write
        width = max(len(report.name) for report in run.reports)
        for report in run.reports:
            write(f"{report.name:<{width}}  {report}")
        write("")
        created = [f"{name} {number:,}" for name, number in run.also_created.items() if number]
        write(f"Also created: {', '.join(created) or 'nothing'}.")
        totals = sorted(pipelines.capacity.items(), key=lambda item: item[0].order)
        figures = [f"{one.name} {mw:,.3f} {one.unit_label}" for one, mw in totals]
        write(f"Capacity in {pipelines.file_name}: {', '.join(figures) or 'none'}.")
        for line in run.remarks.lines():
            write(line)
        rejected = sum(report.rejected for report in run.reports)
        if rejected:
            write("")
            for reason in run.rejects.reasons:
                write(reason)
            if rejected > len(run.rejects.reasons):
                write(f"… and {rejected - len(run.rejects.reasons):,} more reasons.")
        write("")
        write(
            "Applied: the database keeps it."
            if apply
            else "Dry run: nothing was kept. Repeat it with --apply to keep it."
        )
        if rejected:
            paths = ", ".join(str(path) for path in run.rejects.paths)
            raise CommandError(
                f"{count(rejected, 'row')} {pluralize(rejected, 'was,were')} rejected. "
                f"The rows and the reasons are in {paths}"
            )
