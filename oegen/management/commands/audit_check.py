import os
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from oegen import audit
from oegen.alerts import anchors
from oegen.alerts.anchors import Anchor, AnchorError
from oegen.alerts.checking import Checked, check_history
from oegen.audit.integrity import Finding
from oegen.audit.integrity.models import Acknowledgement
from oegen.core.garbage import rare_garbage_collection
from oegen.people.models import User

#: The number of characters of a fingerprint that are printed and required as input.
SHORT = 12


class Command(BaseCommand):
    help = (
        "Check that the history is complete and unaltered and that every record equals its last "
        "entry. Prints one finding per line, with its fingerprint. The exit code is 1 if there are "
        "findings that are not acknowledged; remarks do not count."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--anchor",
            type=Path,
            metavar="FILE",
            help="Write the newest seals and the findings to FILE, signed. Store it out of reach of"
            " anybody who can write to this database.",
        )
        parser.add_argument(
            "--against",
            type=Path,
            metavar="FILE",
            help="Also check that the history still contains the seals of the anchor in FILE.",
        )
        parser.add_argument(
            "--public-key",
            default="",
            metavar="KEY",
            help="The expected signing key of the anchor of --against; by default this site's.",
        )
        parser.add_argument(
            "--acknowledge",
            default="",
            metavar="FINGERPRINT",
            help="Acknowledge this finding. Requires --reason and --user.",
        )
        parser.add_argument("--reason", default="", help="The cause of the finding.")
        parser.add_argument("--user", default="", help="The administrator who acknowledges it.")
        parser.add_argument(
            "--processes",
            type=int,
            default=os.cpu_count() or 1,
            metavar="N",
            help="How many processes share the work on PostgreSQL; by default one a processor.",
        )

    @rare_garbage_collection()
    def handle(
        self, *, anchor, against, public_key, acknowledge, reason, user, processes, **options
    ):
        person = self._person(acknowledge, reason, user) if acknowledge else None
        try:
            anchored = Anchor.read(against) if against else None
            checked = check_history(anchored, public_key, self._print, processes=processes)
            for remark in checked.remarks:
                self.stdout.write(f"Remark: {remark.rstrip('.')}.")
            if person is not None:
                self._acknowledge(acknowledge, checked, reason, person)
                return
            checked.store()
            if anchor and checked.newest:
                anchors.write(checked.newest.signed(), anchor)
                self.stdout.write(
                    f"The seal of change set {checked.newest.number} is in {anchor}, with what was "
                    "found."
                )
        except AnchorError as error:
            raise CommandError(str(error)) from error
        if checked.open_findings:
            raise CommandError(checked.summary)
        self.stdout.write(self.style.SUCCESS(checked.summary))

    def _print(self, finding: Finding, known: Acknowledgement | None) -> None:
        line = f"{finding} [{finding.fingerprint[:SHORT]}]"
        if known:
            line += f" – acknowledged on {known.created_at:%Y-%m-%d}: {known.reason}"
        self.stdout.write(line)

    @staticmethod
    def _person(acknowledge: str, reason: str, username: str) -> User:
        """The user who acknowledges. Raises CommandError without permission or reason."""
        if len(acknowledge) < SHORT:
            raise CommandError(f"Give at least {SHORT} characters of the fingerprint.")
        if not reason.strip():
            raise CommandError("Say with --reason what the finding comes from.")
        person = User.objects.filter(username=username, is_active=True).first()
        if person is None or not person.has_perm("oegen.add_acknowledgement"):
            raise CommandError("Name an administrator with --user.")
        return person

    def _acknowledge(self, fingerprint: str, checked: Checked, reason: str, person: User) -> None:
        """Acknowledge a finding. Raises CommandError unless exactly one open finding matches."""
        matching = [one for one in checked.found if one.startswith(fingerprint)]
        if len(matching) != 1:
            raise CommandError(f"There is no finding {fingerprint} now: nothing is acknowledged.")
        if matching[0] in checked.known:
            raise CommandError(f"Finding {fingerprint} is acknowledged already.")
        finding = checked.found[matching[0]]
        with audit.change_set(person=person, reason=reason, source=audit.Source.COMMAND):
            Acknowledgement.objects.create(
                fingerprint=matching[0], finding=finding, reason=reason.strip()
            )
        self.stdout.write(f"Acknowledged: {finding}")
