from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from oegen import audit
from oegen.alerts import anchors
from oegen.alerts.anchors import Anchor, AnchorError
from oegen.audit.integrity import Check, Finding
from oegen.audit.integrity.models import Acknowledgement, IntegrityCheck
from oegen.audit.integrity.remarks import remarks
from oegen.core.database import snapshot
from oegen.core.words import count
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

    def handle(self, *, anchor, against, public_key, acknowledge, reason, user, **options):
        person = self._person(acknowledge, reason, user) if acknowledge else None
        check = Check()
        try:
            anchored = Anchor.read(against) if against else None
            with snapshot(DEFAULT_DB_ALIAS):
                known = {one.fingerprint: one for one in Acknowledgement.objects.all()}
                found: dict[str, str] = {}
                for finding in check.findings():
                    self._print(finding, known, found)
                for finding in anchored.findings(public_key) if anchored else ():
                    self._print(finding, known, found)
                newest = Anchor.newest()
                for remark in remarks():
                    self.stdout.write(f"Remark: {remark.rstrip('.')}.")
            open_findings = [one for one in found if one not in known]
            if person is not None:
                self._acknowledge(acknowledge, found, known, reason, person)
                return
            IntegrityCheck.objects.create(
                open_count=len(open_findings),
                acknowledged_count=len(found) - len(open_findings),
                open_findings=open_findings[: anchors.MAX_LISTED],
            )
            if anchor:
                anchors.write(newest.signed(), anchor)
                self.stdout.write(
                    f"The seal of change set {newest.number} is in {anchor}, with what was found."
                )
        except AnchorError as error:
            raise CommandError(str(error)) from error
        read = ", ".join(f"{number:,} {what}" for what, number in check.counts.items())
        read = read or "an empty history"
        if open_findings:
            acknowledged = len(found) - len(open_findings)
            more = f"; {acknowledged:,} acknowledged besides" if acknowledged else ""
            raise CommandError(f"{_findings(len(open_findings))} in {read}{more}.")
        if found:
            words = f"{_findings(len(found))} in {read}, all acknowledged."
        else:
            words = f"Nothing found in {read}."
        self.stdout.write(self.style.SUCCESS(words))

    def _print(self, finding: Finding, known: dict, found: dict[str, str]) -> None:
        fingerprint = finding.fingerprint
        found[fingerprint] = str(finding)
        line = f"{finding} [{fingerprint[:SHORT]}]"
        if one := known.get(fingerprint):
            line += f" – acknowledged on {one.created_at:%Y-%m-%d}: {one.reason}"
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

    def _acknowledge(self, fingerprint, found, known, reason, person) -> None:
        """Acknowledge a finding. Raises CommandError unless exactly one open finding matches."""
        matching = [one for one in found if one.startswith(fingerprint)]
        if len(matching) != 1:
            raise CommandError(f"There is no finding {fingerprint} now: nothing is acknowledged.")
        if matching[0] in known:
            raise CommandError(f"Finding {fingerprint} is acknowledged already.")
        with audit.change_set(person=person, reason=reason, source=audit.Source.COMMAND):
            Acknowledgement.objects.create(
                fingerprint=matching[0], finding=found[matching[0]], reason=reason.strip()
            )
        self.stdout.write(f"Acknowledged: {found[matching[0]]}")


def _findings(number: int) -> str:
    return count(number, "finding")
