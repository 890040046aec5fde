import json

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from dashboard.ask.answering import answer
from dashboard.ask.findings import text_of
from dashboard.ask.lookups import Asker
from oegen.asof.middleware import NoPastError, parse_day
from oegen.models import User


class Command(BaseCommand):
    help = (
        "Answer a question about the portfolio with the dashboard's own figures, without a model. "
        "Nothing is written."
    )

    def add_arguments(self, parser):
        parser.add_argument("question", help="In British English: how many MW of solar are red?")
        parser.add_argument(
            "--json", action="store_true", help="Print the reading and everything found as JSON."
        )
        parser.add_argument("--as-of", metavar="DAY", help="Read as of the end of this day.")
        parser.add_argument(
            "--as-person",
            metavar="USERNAME",
            help="Ask as this person; by default as the first administrator.",
        )

    def handle(self, question, **options):
        asker = Asker(
            self._person(options["as_person"]),
            as_of=self._day(options["as_of"]),
            may_read_personal=True,
        )
        found = answer(question, asker)
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
            return
        self.stdout.write(found.text)
        for one in found.found:
            if one.table:
                self.stdout.write(f"\n{one.table.title}")
                rows = [one.table.columns, *one.table.rows]
                for row in rows:
                    self.stdout.write("  " + " | ".join(text_of(cell) for cell in row))
        if found.link:
            self.stdout.write(f"\n{found.link}")

    def _person(self, username):
        people = User.objects.filter(is_active=True)
        if username:
            person = people.filter(username=username).first()
            if person is None:
                raise CommandError(f"Nobody who may sign in has the username “{username}”.")
            return person
        person = people.order_by("-is_superuser", "pk").first()
        if person is None:
            raise CommandError(
                "Nobody may sign in yet, so nobody can ask. Add a person first: manage.py "
                "createsuperuser"
            )
        return person

    def _day(self, text):
        if not text:
            return None
        try:
            day = parse_day(text)
        except NoPastError as error:
            raise CommandError(str(error)) from error
        return None if day == timezone.localdate() else day
