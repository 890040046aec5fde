"""A rule points to records of later applications: as by a foreign key, without its constraint."""

from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from django.db.models import ProtectedError

from counterparties.models import Counterparty
from oegen import audit
from oegen.audit import integrity
from oegen.audit.narrative import timeline
from oegen.audit.revert.undoing import undo
from oegen.core.exceptions import RuleBrokenError
from oegen.models import AlertRule, ChangeSet
from pipelines.models import Technology
from tests.support.builders import make_counterparty, make_pipeline
from tests.support.desk import Desk, errors_of

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def acme():
    return make_counterparty("Acme")


@pytest.fixture
def rule(acme):
    return AlertRule.objects.create(
        name="Only these",
        code="only-these",
        event="completed",
        channel="slack",
        technology=Technology.objects.create(name="Wave", code="wave", capacity_basis="ac"),
        counterparty=acme,
    )


@pytest.fixture
def administrators_desk(client, administrator):
    client.force_login(administrator)
    return Desk(client)


def test_what_a_rule_points_to_stays(rule, acme, administrators_desk):
    pipeline = make_pipeline("Kettleby", lead_developer=acme)
    for record, users in ((rule.technology, [rule]), (acme, [rule, pipeline])):
        with pytest.raises(ProtectedError) as refused:
            record.delete()
        assert rule in refused.value.protected_objects
        assert len(refused.value.protected_objects) == len(users)
        with pytest.raises(ProtectedError):
            type(record).objects.filter(pk=record.pk).delete()

        response = administrators_desk.client.get(administrators_desk.url(record, "delete"))

        page = response.content.decode()
        assert "can’t be removed, because these records depend on it." in page
        for user in users:
            assert f'<a href="{administrators_desk.url(user)}">{user}</a>' in page
    several = {
        "action": "delete_selected",
        "_selected_action": [acme.pk, make_counterparty().pk],
        "post": "yes",
    }
    administrators_desk.client.post(administrators_desk.url(Counterparty, "changelist"), several)
    assert Counterparty.objects.count() == 2

    rule.delete()
    Technology.objects.get(code="wave").delete()
    assert not Technology.objects.filter(code="wave").exists()


def test_a_key_of_no_record_is_refused(rule):
    with pytest.raises(ValidationError) as refused:
        AlertRule(name="N", code="n", event="completed", technology_id=uuid4()).full_clean()
    assert "technology" in refused.value.message_dict
    with pytest.raises(RuleBrokenError, match="Technology: "):
        AlertRule.objects.filter(pk=rule.pk).update(technology=uuid4())
    assert AlertRule.objects.get(pk=rule.pk).technology.code == "wave"


def test_both_come_back_in_one_step(rule, administrator):
    technology = rule.technology
    with audit.change_set(person=administrator) as removal:
        rule.delete()
        technology.delete()
    _, kept = undo(
        change_set=ChangeSet.objects.get(pk=removal.pk), reason="Needed", person=administrator
    )
    assert kept == []
    assert AlertRule.objects.get(code="only-these").technology.code == "wave"


def test_its_history_names_what_it_points_to(rule):
    rule.technology = Technology.objects.get(code="wind")
    rule.save()
    newest = timeline.entries_of(rule, limit=1)[0]
    assert "Technology from" in newest.phrase
    assert "Wave" in newest.phrase
    assert "Wind" in newest.phrase


def test_its_form_offers_what_it_points_to(rule, acme, administrators_desk):
    desk = administrators_desk
    form = desk.client.get(desk.url(rule)).context["adminform"].form
    assert form["technology"].label == "Technology"
    assert form["counterparty"].help_text.startswith("Only records tied to it")
    for name, target in (("technology", "Wave"), ("counterparty", "Acme")):
        widget = form.fields[name].widget.widget
        field = widget.field
        asked = {
            "app_label": field.model._meta.app_label,
            "model_name": field.model._meta.model_name,
            "field_name": field.name,
        }
        offered = desk.client.get(widget.get_url(), {"term": target, **asked}).json()["results"]
        assert [one["text"] for one in offered] == [target]

    wind = Technology.objects.get(code="wind")
    assert desk.send(rule, desk.open(rule) | {"technology": str(wind.pk)}).status_code == 302
    assert AlertRule.objects.get(pk=rule.pk).technology == wind
    response = desk.send(rule, desk.open(rule) | {"counterparty": str(uuid4())})
    assert "counterparty: That counterparty is not on offer" in errors_of(response)
    assert AlertRule.objects.get(pk=rule.pk).counterparty == acme
    rows = desk.client.get(desk.url(AlertRule, "changelist") + "?o=6").content.decode()
    assert ">Wind</td>" in rows


def schema() -> dict:
    with connection.cursor() as cursor:
        return {
            table: (
                connection.introspection.get_table_description(cursor, table),
                connection.introspection.get_constraints(cursor, table),
            )
            for table in ("oegen_alertrule", "oegen_historicalalertrule")
        }


def make_foreign_key(name: str, target):
    """As 0010_alerts of oegen did in older releases."""
    frozen = MigrationLoader(connection).project_state().apps
    frozen_rule = frozen.get_model("oegen", "AlertRule")
    frozen_target = frozen.get_model(target._meta.label)
    foreign_key = models.ForeignKey(frozen_target, models.DO_NOTHING, null=True, blank=True)
    foreign_key.set_attributes_from_name(name)
    foreign_key.model = frozen_rule
    with connection.schema_editor() as editor:
        editor.alter_field(frozen_rule, frozen_rule._meta.get_field(name), foreign_key)


@pytest.mark.heavy
@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize(
    ("name", "target"), [("technology", Technology), ("counterparty", Counterparty)]
)
def test_a_database_with_the_foreign_keys_of_older_releases_migrates(rule, name, target):
    fresh, values = schema(), AlertRule.objects.filter(pk=rule.pk).values().get()
    # Those after the squashed one first: the replaced ones do not lead to them.
    for migration in ("0001_squashed_0026_rules_point_upwards", "0025"):
        call_command("migrate", "oegen", migration, verbosity=0)
    make_foreign_key(name, target)
    keys = [one["foreign_key"] for one in schema()["oegen_alertrule"][1].values()]
    assert (target._meta.db_table, "id") in keys

    call_command("migrate", verbosity=0)

    assert schema() == fresh
    assert AlertRule.objects.filter(pk=rule.pk).values().get() == values
    # Going back dropped schedules and registers with their history, which older releases did not
    # have.
    dropped = "historicalschedule", "historicalregister"
    found = [str(one) for one in integrity.Check().findings()]
    assert [one for one in found if not any(name in one for name in dropped)] == []
