"""Whatever value somebody puts into the database, audit_check tells it and goes on."""

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, connection

from oegen import audit
from oegen.audit import integrity, seals, triggers
from oegen.models import ChangeSet, Comment, SecurityEvent, User
from oegen.people import roles, security
from tests.support.builders import make_counterparty, make_facility, make_pipeline, make_user
from tests.support.triggers import lifted_triggers

pytestmark = pytest.mark.django_db

on_sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL takes no such value into the column"
)


@pytest.fixture
def tamper():
    """Let somebody through who can drop triggers and write SQL, without the column's own check."""

    def tamper(sql: str, *values):
        with (
            lifted_triggers(triggers.table_rules()),
            connection.constraint_checks_disabled(),
            connection.cursor() as cursor,
        ):
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = ON")
            cursor.execute(sql, values)
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = OFF")

    return tamper


DAMAGE = {
    "live figure": ("UPDATE pipelines_facility SET capacity_mw = 'abc'", "its capacity_mw"),
    "history figure": (
        "UPDATE pipelines_historicalfacility SET capacity_mw = 'abc'",
        "its capacity_mw",
    ),
    "history date": (
        "UPDATE pipelines_historicalfacility SET history_date = 'garbage'",
        "its history_date",
    ),
    "version": ("UPDATE pipelines_historicalfacility SET version = 'x'", "its version"),
    "no version": ("UPDATE pipelines_historicalfacility SET version = ''", "its version"),
    "live version": ("UPDATE pipelines_facility SET version = 'x'", "its version"),
    "change set of a row": (
        "UPDATE pipelines_historicalfacility SET change_set_id = 'zz'",
        "its change_set_id",
    ),
    "key of a row": ("UPDATE pipelines_historicalfacility SET id = 'zz'", "its id"),
    "contents": ("UPDATE oegen_changeset SET contents = '[1'", "its contents"),
    "time of a change set": (
        "UPDATE oegen_changeset SET recorded_at = 'never'",
        "its recorded_at",
    ),
    "number of a change set": (
        "UPDATE oegen_changeset SET number = 'x' WHERE reason = 'Damaged'",
        "its number",
    ),
    "account": ("UPDATE oegen_user SET is_superuser = 'maybe'", "its is_superuser"),
    "security event": ("UPDATE oegen_securityevent SET first_at = 'never'", "its first_at"),
    "bytes": ("UPDATE pipelines_facility SET name = x'fffe'", "its name can't be read"),
}


@on_sqlite
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_value_of_no_kind_is_a_finding_and_the_check_goes_on(damage, tamper, findings):
    with audit.change_set(reason="Damaged"):
        make_facility("Plant", capacity_mw=3)
    security._record("sign-out", make_user(), "", None, {}, security.timezone.now())
    # What comes after it, in the last of the models and the last of the questions.
    counterparty = make_counterparty("Acme")
    sql, sentence = DAMAGE[damage]
    tamper(sql)
    tamper("UPDATE counterparties_counterparty SET strategy = 'Forged'")
    tamper("UPDATE oegen_user SET first_name = 'Forged'")
    found = findings()
    tamper("DELETE FROM pipelines_historicalfacility")  # Else the test's end fails on its keys.
    assert any(sentence in one for one in found), found
    assert not [one for one in found if "can't be read to its end" in one], found
    assert any(f"({counterparty.pk}): it was changed past the history" in one for one in found)
    if damage != "account":
        assert any("first name is 'Forged'" in one for one in found), found


def test_contents_that_are_no_table_are_a_finding(tamper, findings):
    make_facility("Plant")
    tamper("UPDATE oegen_changeset SET contents = '[1]'")
    assert any("its contents are no list of tables: [1]" in one for one in findings())


def test_a_question_that_fails_is_a_finding(monkeypatch, findings):
    def broken(counts):
        raise ZeroDivisionError("by nothing")
        yield

    monkeypatch.setitem(integrity.checks, "the kinds of record", broken)
    assert findings() == [
        "The kinds of record: can't be read to its end: ZeroDivisionError: by nothing"
    ]


def test_an_unknown_trigger_is_found(findings):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE FUNCTION sly() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN DELETE FROM oegen_alert; RETURN NEW; END $$"
            )
            cursor.execute(
                "CREATE TRIGGER sly AFTER INSERT ON pipelines_pipeline "
                "FOR EACH ROW EXECUTE FUNCTION sly()"
            )
        else:
            cursor.execute(
                "CREATE TRIGGER sly AFTER INSERT ON pipelines_pipeline "
                "BEGIN DELETE FROM oegen_alert; END"
            )
    assert [one.split("; it may")[0] for one in findings()] == [
        "Table pipelines_pipeline: its trigger sly is none of this program's"
    ]


# What gives the history its meaning --------------------------------------------------------------


def test_two_people_who_swap_names_are_found(tamper, findings):
    one, other = make_user(first_name="Ann"), make_user(first_name="Ben")
    with audit.change_set(person=one):
        make_facility()
    for key, name in ((one.pk, "tmp"), (other.pk, one.username), (one.pk, other.username)):
        tamper("UPDATE oegen_user SET username = %s WHERE id = %s", name, key)
    assert len([found for found in findings() if "username is" in found]) == 2


@pytest.mark.parametrize(
    "write",
    [
        lambda: (
            User.objects.all()._chain().query
            and connection.cursor().execute("UPDATE oegen_user SET is_superuser = %s", [True])
        ),
        lambda: Group.objects.filter(name=roles.MANAGERS).update(name="Readers"),
        lambda: Group.permissions.through.objects.all().delete(),
        lambda: User.groups.through.objects.all().delete(),
    ],
    ids=["superuser", "group renamed", "rights taken away", "groups left"],
)
def test_rights_changed_past_the_history_are_found(write, findings):
    make_user(roles.MANAGERS)
    assert findings() == []
    write()
    assert any("it was changed past the history" in one for one in findings())


def test_an_account_made_or_removed_by_sql_is_found(tamper, findings):
    user = make_user(username="ghost")
    tamper("DELETE FROM oegen_user WHERE id = %s", user.pk)
    assert any("Account “ghost”" in one and "it is gone" in one for one in findings())


@pytest.mark.parametrize("seal_format", [1, 2])
def test_kinds_of_record_that_are_swapped_are_found(seal_format, tamper, findings, monkeypatch):
    monkeypatch.setattr(seals, "FORMAT", seal_format)
    pipeline = make_pipeline("Kestrel")
    Comment.objects.create(subject=pipeline, text="About it")
    kinds = [ContentType.objects.get(model=name) for name in ("pipeline", "facility")]
    for kind, name in zip(kinds, ("tmp", "pipeline"), strict=True):
        tamper("UPDATE django_content_type SET model = %s WHERE id = %s", name, kind.pk)
    tamper("UPDATE django_content_type SET model = 'facility' WHERE id = %s", kinds[0].pk)
    found = findings()
    ContentType.objects.clear_cache()
    assert any("there never was such a record" in one for one in found)
    assert any("does not say what it said" in one for one in found) == (seal_format == 2)


def test_a_format_that_falls_again_is_found(monkeypatch, findings):
    make_facility()
    monkeypatch.setattr(seals, "FORMAT", 1)
    make_facility()
    (found,) = findings()
    assert "it is sealed by an older format than those before it" in found
    assert found.startswith(f"Change set {ChangeSet.objects.latest('number').number}: ")


def test_a_security_event_that_was_altered_is_found(tamper, findings):
    for _ in range(2):
        security._record("sign-out", make_user(), "", None, {}, security.timezone.now())
    tamper("UPDATE oegen_securityevent SET username = 'innocent' WHERE number = 1")
    assert [one.split(":")[0] for one in findings()] == ["Security event 1"]
    tamper("DELETE FROM oegen_securityevent WHERE number = 1")
    assert "the ones before it are missing (numbers 1 to 1)" in findings()[0]
    assert SecurityEvent.objects.count() == 1


def test_the_triggers_come_back():
    assert triggers.missing_triggers(DEFAULT_DB_ALIAS) == []
    assert triggers.unknown_triggers(DEFAULT_DB_ALIAS) == []
