from django.core.management.base import BaseCommand
from django.utils import timezone

from dashboard.digest import PERIODS, reason_for_none, write_digest
from oegen.alerts import delivery


class Command(BaseCommand):
    help = (
        "Send the digest of the previous day, or of the week that ended with it, to Slack and by "
        "e-mail to those who chose it. Run it once a day or week; running it again sends "
        "nothing twice."
    )

    def add_arguments(self, parser):
        parser.add_argument("--period", choices=list(PERIODS), required=True)

    def handle(self, *, period: str, **options):
        number = write_digest(PERIODS[period], timezone.localdate())
        if number is None:
            self.stdout.write("Nothing happened, so nothing is sent.")
            return
        if not number:
            self.stdout.write(f"No new digest: {reason_for_none(PERIODS[period])}.")
        tally = delivery.deliver(senders=delivery.senders())
        new = f"New digests: {number:,}. " if number else ""
        self.stdout.write(
            f"{new}Alerts sent: {tally.sent:,}, to be tried again: "
            f"{tally.failed:,}, parked: {tally.parked:,}."
        )
        for line in delivery.status_lines():
            self.stdout.write(line)
