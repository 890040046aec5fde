"""Questions of an import are listed by row, and stored as answered by the user who applies it."""

import pytest

from counterparties.models import Contact, Counterparty
from dashboard.demo_import.importer import QUESTIONS
from oegen.models import ChangeSet
from tests.support.builders import make_counterparty

pytestmark = pytest.mark.django_db


def lines_under(output: str, heading: str) -> list[str]:
    """The remarks below a heading of the summary."""
    _, _, rest = output.partition(f"{heading} (")
    found = []
    for line in rest.splitlines()[1:]:
        if not line.startswith("  "):
            break
        found.append(line.strip())
    return found


def test_questions_are_listed_by_row_and_stored_with_the_import(demo):
    make_counterparty("Müller Energie", aliases="Rook Power")
    demo.set("counterparties.csv", 1, CounterpartyName="Muller Energie")
    demo.set("counterparties.csv", 2, CounterpartyName="rook power")
    demo.set("pipelines.csv", 1, Long="0", Lat="0")
    count = ChangeSet.objects.count()
    reported = lines_under(demo.load(), QUESTIONS)
    assert ChangeSet.objects.count() == count
    assert [line.partition(": ")[0] for line in reported] == [
        "counterparties.csv, line 2",
        "counterparties.csv, line 3",
        "pipelines.csv, line 2",
    ]
    assert "from a name of “Müller Energie”" in reported[0]
    assert "another name of “Müller Energie”" in reported[1]
    assert "Latitude 0, longitude 0" in reported[2]
    demo.apply()
    change_set = ChangeSet.objects.latest("number")
    assert [answer["text"] for answer in change_set.answers] == [
        line.partition(": ")[2] for line in reported
    ]
    assert Counterparty.objects.filter(name="Muller Energie").exists()
    # What was taken in is not asked about again.
    assert not lines_under(demo.apply(), QUESTIONS)


def test_a_person_matched_by_name_alone_over_companies_is_reported(demo):
    demo.set("counterparties.csv", 1, CEO="Jo Lark")
    demo.set("counterparties.csv", 2, CEO="", FinanceLead="jo  LARK")
    first, second = (row[1] for row in demo.rows("counterparties.csv")[1:3])
    heading = "One person at several counterparties, matched by name alone"
    (reported,) = [
        line for line in lines_under(demo.apply(), heading) if "Jo" in line or "jo" in line
    ]
    assert reported == (
        f"counterparties.csv, line 3: “jo LARK”, Finance lead at {second}, is taken for the CEO "
        f"at {first}"
    )
    assert Contact.objects.filter(name__iexact="jo lark").count() == 1
    # Met in the database as well as in the file.
    demo.set("counterparties.csv", 1, DealLead="Jo Lark")
    demo.set("counterparties.csv", 2, FinanceLead="", DealLead="Jo Lark")
    reported = lines_under(demo.load(), heading)
    assert any(line.startswith("counterparties.csv, line 3: “Jo Lark”") for line in reported)
