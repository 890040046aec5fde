"""Reference rows that ``migrate`` creates."""

from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import call_command

from counterparties.models import ContactRole
from oegen.audit import seeding
from oegen.models import ChangeSet
from pipelines.models import Gate, GateSet, MilestoneKind

pytestmark = pytest.mark.django_db

LENDER = {"code": "lender", "name": "Lender", "order": 9}


def migrate_again():
    seeding.create_new_rows(apps.get_app_config("oegen"), "default")


@pytest.fixture
def with_lender(monkeypatch):
    """A release that adds a role."""
    rows = [*seeding._rows[ContactRole], LENDER]
    monkeypatch.setitem(seeding._rows, ContactRole, rows)


def test_what_an_administrator_removed_or_renamed_stays_so():
    ContactRole.objects.get(code="ceo").delete()
    lead = ContactRole.objects.get(code="deal-lead")
    lead.name = "Deals"
    lead.save()
    before = ChangeSet.objects.count()

    migrate_again()
    assert not ContactRole.objects.filter(code="ceo").exists()
    assert ContactRole.objects.get(pk=lead.pk).name == "Deals"
    assert ChangeSet.objects.count() == before


def test_a_row_of_a_new_release_is_created_with_its_history(with_lender):
    newest = ChangeSet.objects.latest("number").number
    migrate_again()
    lender = ContactRole.objects.get(name="Lender")
    assert lender.pk == seeding.reference_id("contactrole", "lender")
    [row] = lender.history.all()
    assert (row.change_set.source, row.change_set.number) == ("migration", newest + 1)
    call_command("audit_check")


@pytest.mark.parametrize(
    "own", [{"code": "bank", "name": "lender "}, {"code": "Lender", "name": "Bank"}]
)
def test_a_row_whose_name_or_code_is_taken_is_left_out(with_lender, own, caplog):
    own = ContactRole.objects.create(**own)
    migrate_again()
    assert not ContactRole.objects.filter(pk=seeding.reference_id("contactrole", "lender")).exists()
    assert ContactRole.objects.filter(pk=own.pk).exists()
    assert caplog.messages == ["Another contact role has the name or code of “Lender”."]


def test_a_link_that_an_administrator_made_or_whose_target_is_gone_is_left_out(monkeypatch):
    wind = GateSet.objects.get(code="wind")
    own = Gate.objects.create(gate_set=wind, kind=MilestoneKind.objects.get(code="fid"))
    new = {"id": uuid4(), "gate_set_id": wind.pk, "kind_id": own.kind_id}
    lost = {"id": uuid4(), "gate_set_id": uuid4(), "kind_id": own.kind_id}
    other = new | {"id": uuid4(), "kind_id": MilestoneKind.objects.get(code="energisation").pk}
    monkeypatch.setitem(seeding._rows, Gate, [*seeding._rows[Gate], new, lost, other])
    before = set(Gate.objects.values_list("pk", flat=True))
    migrate_again()
    assert set(Gate.objects.values_list("pk", flat=True)) - before == {other["id"]}
