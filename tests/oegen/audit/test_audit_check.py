"""audit_check finds whatever was done to the history or past it, and nothing where nothing was."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.utils import timezone

from oegen import audit
from oegen.audit import seals, triggers
from oegen.audit.integrity import Check
from oegen.models import Acknowledgement, ChangeSet
from pipelines.models import Facility, Pipeline
from tests.support.builders import make_counterparty, make_facility, make_pipeline

pytestmark = pytest.mark.django_db

HISTORY = Pipeline.history.model


@pytest.fixture
def kestrel():
    """Three pipelines, one of which was changed twice and one removed."""
    make_pipeline("Rowan", capacity_mw=10, lead_developer=make_counterparty("Acme"))
    gone = make_pipeline("Gone")
    gone.delete()
    kestrel = make_pipeline("Kestrel", capacity_mw=50, rag_status="green")
    for comment in ("First", "Second"):
        kestrel.rag_comment = comment
        kestrel.save()
    return kestrel


def sql_id(key):
    return Pipeline._meta.pk.get_db_prep_value(key, connection)


def entry(pipeline, version):
    return HISTORY.objects.get(id=pipeline.pk, version=version)


def test_an_untouched_history_has_no_findings(kestrel, findings):
    assert findings() == []


def test_a_row_edited(kestrel, tamper, findings):
    row = entry(kestrel, 2)
    tamper(
        "UPDATE pipelines_historicalpipeline SET rag_comment = 'Fine' WHERE history_id = %s",
        row.pk,
    )
    assert len(findings()) == 1
    assert findings()[0].startswith(f"Pipeline “Kestrel” ({kestrel.pk}), version 2, ")
    assert findings()[0].endswith("it does not say what it said when sealed")


def test_a_row_edited_together_with_its_digest(kestrel, tamper, findings):
    row = entry(kestrel, 2)
    row.rag_comment = "Fine"
    tamper(
        "UPDATE pipelines_historicalpipeline SET rag_comment = 'Fine', digest = %s "
        "WHERE history_id = %s",
        seals.digest_of(row),
        row.pk,
    )
    number = row.change_set.number
    sentence = "its rows of pipelines.historicalpipeline are not the ones that were sealed"
    assert findings() == [f"Change set {number}: {sentence}"]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_row_removed(kestrel, tamper, findings, version):
    row = entry(kestrel, version)
    tamper("DELETE FROM pipelines_historicalpipeline WHERE history_id = %s", row.pk)
    found = findings()
    assert any(
        one.startswith(f"Change set {row.change_set.number}: history rows were added or removed")
        and one.endswith("historicalpipeline is 0, recorded is 1")
        for one in found
    )
    where = (
        "it was changed past the history: version is 3, recorded is 2"
        if version == 3
        else "the entries before"
        if version == 1
        else "missing or doubled"
    )
    assert any(where in one and "Kestrel" in one for one in found)


def test_a_row_inserted(kestrel, tamper, findings):
    row = entry(kestrel, 3)
    row.pk, row._state.adding = None, True
    row.version, row.rag_comment = 4, "Made up"
    row.save()
    found = findings()
    number = row.change_set.number
    assert any(
        one.startswith(f"Change set {number}: history rows were added or removed") for one in found
    )
    assert any("version is 3, recorded is 4" in one for one in found)


def test_a_row_inserted_into_a_change_set_of_its_own_leaves_the_chain(kestrel, findings):
    forged = ChangeSet(
        source="form",
        reason="Forged",
        number=ChangeSet.objects.latest("number").number + 1,
        sealed_at=timezone.now(),
        contents={},
        seal="f" * 64,
    )
    forged.save(force_insert=True)
    assert [one for one in findings() if "does not follow" in one] != []


def test_two_rows_swapped(kestrel, tamper, findings):
    one, other = entry(kestrel, 2), entry(kestrel, 3)
    table = "pipelines_historicalpipeline"
    for old, new in ((one.pk, -1), (other.pk, one.pk), (-1, other.pk)):
        tamper(f"UPDATE {table} SET history_id = %s WHERE history_id = %s", new, old)  # noqa: S608
    found = findings()
    assert any("it stands before the entry it follows on" in one for one in found)
    assert len([one for one in found if "are not the ones that were sealed" in one]) == 2


def test_two_change_sets_swapped(kestrel, tamper, findings):
    one, other = ChangeSet.objects.order_by("-number")[:2]
    for old, new in ((one.number, 10**6), (other.number, one.number), (10**6, other.number)):
        tamper("UPDATE oegen_changeset SET number = %s WHERE number = %s", new, old)
    assert len([one for one in findings() if "its seal does not follow" in one]) == 2


def test_a_change_set_edited(kestrel, tamper, findings):
    newest = ChangeSet.objects.latest("number")
    tamper("UPDATE oegen_changeset SET reason = 'Told to' WHERE number = %s", newest.number)
    assert [one.split(":")[0] for one in findings()] == [f"Change set {newest.number}"]


def test_a_change_set_edited_and_sealed_again_breaks_the_next(kestrel, tamper, findings):
    *_, before, edited, after = ChangeSet.objects.order_by("number")
    edited.reason = "Told to"
    edited.seal = seals.seal_of(edited, before.seal)
    tamper(
        "UPDATE oegen_changeset SET reason = %s, seal = %s WHERE number = %s",
        edited.reason,
        edited.seal,
        edited.number,
    )
    assert [one.split(":")[0] for one in findings()] == [f"Change set {after.number}"]


def test_a_change_set_removed(kestrel, tamper, findings):
    number = entry(kestrel, 2).change_set.number
    with connection.constraint_checks_disabled():
        tamper(
            "DELETE FROM pipelines_historicalpipeline WHERE version = %s AND id = %s",
            2,
            sql_id(kestrel.pk),
        )
        tamper("DELETE FROM oegen_changeset WHERE number = %s", number)
    found = findings()
    assert any(f"missing (numbers {number} to {number})" in one for one in found)
    assert any("follows on version 1: the entries between are missing" in one for one in found)


def test_a_date_set_back(kestrel, tamper, findings):
    earlier = timezone.now() - timedelta(days=30)
    row = entry(kestrel, 3)
    field = HISTORY._meta.get_field("history_date")
    tamper(
        "UPDATE pipelines_historicalpipeline SET history_date = %s WHERE history_id = %s",
        field.get_db_prep_value(earlier, connection),
        row.pk,
    )
    found = findings()
    assert any("does not say what it said when sealed" in one for one in found)
    assert any("outside the time of its change set" in one for one in found)


def test_the_clock_set_back(kestrel, monkeypatch, findings):
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() - timedelta(hours=3))
    kestrel.rag_comment = "Third"
    kestrel.save()
    assert len([one for one in findings() if "the clock was set back before" in one]) == 2


def test_a_live_row_changed_by_sql(kestrel, findings):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pipelines_pipeline SET rag_comment = 'Fine' WHERE id = %s",
            [sql_id(kestrel.pk)],
        )
    difference = "RAG comment is 'Fine', recorded is 'Second'"
    assert findings() == [
        f"Pipeline “Kestrel” ({kestrel.pk}): it was changed past the history: {difference}"
    ]


def test_a_live_row_removed_by_sql(findings):
    facility = make_facility("Plant")
    models.QuerySet(Facility)._raw_delete(using="default")
    assert findings() == [
        f"Facility “Plant” ({facility.pk}): it is gone, and no entry says who removed it"
    ]


def test_a_live_row_inserted_past_the_history(kestrel, findings):
    stray = Facility(name="Stray", technology_id=make_facility().technology_id, capacity_mw=1)
    models.QuerySet(Facility).bulk_create([stray])
    assert findings() == [f"Facility “Stray” ({stray.pk}): it is here, and no history row says so"]


def test_a_removed_record_that_is_still_here(kestrel, findings):
    copy = Pipeline.objects.get(pk=kestrel.pk)
    kestrel.delete()
    models.QuerySet(Pipeline).bulk_create([copy])
    assert any("it is here, and its last entry is a removal" in one for one in findings())


@pytest.mark.parametrize("rule", triggers.table_rules(), ids=lambda rule: rule.table)
def test_a_trigger_dropped(rule, findings):
    name = rule.names(connection.vendor)[-1]
    on = f" ON {rule.table}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{on}")
    assert [one.split(" is missing")[0] for one in findings()] == [
        f"Table {rule.table}: its trigger {name}"
    ]


def test_a_trigger_that_was_made_harmless(findings):
    rule = next(triggers.history_tables())
    name = rule.names(connection.vendor)[0]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE OR REPLACE FUNCTION oegen_append_only() RETURNS trigger "
                "LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
            )
        else:
            cursor.execute(f"DROP TRIGGER {name}")
            cursor.execute(
                f"CREATE TRIGGER {name} BEFORE UPDATE ON {rule.table} BEGIN SELECT 1; END"
            )
    assert f"Table {rule.table}: its trigger {name} is missing or was altered" in findings()[0]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite can't switch triggers off")
def test_a_trigger_switched_off(findings):
    rule = next(triggers.history_tables())
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {rule.table} DISABLE TRIGGER {rule.names('postgresql')[1]}")
    assert len(findings()) == 1


class TestCommand:
    def run(self, *arguments) -> str:
        out = io.StringIO()
        call_command("audit_check", *arguments, stdout=out)
        return out.getvalue()

    def test_it_says_what_it_read(self, kestrel):
        output = self.run()
        assert output.startswith("Nothing found in ")
        assert f"{ChangeSet.objects.count()} change sets" in output

    def test_it_fails_with_the_findings_and_the_anchor_carries_them(
        self, kestrel, tamper, tmp_path
    ):
        tamper("UPDATE pipelines_pipeline SET rag_comment = 'Fine'")
        anchor = tmp_path / "anchor"
        with pytest.raises(CommandError, match=r"2 findings in ") as error:
            self.run("--anchor", str(anchor))
        assert error.value.returncode == 1
        facts = json.loads(anchor.read_text())
        assert (facts["open_count"], len(facts["open_findings"])) == (2, 2)
        assert facts["change_set"] == ChangeSet.objects.latest("number").number

    def acknowledge(self, fingerprint, user, reason="The clock of the old server") -> str:
        return self.run("--acknowledge", fingerprint, "--user", user, "--reason", reason)

    def fingerprints(self) -> list[str]:
        return [finding.fingerprint for finding in Check().findings()]

    def test_a_finding_is_acknowledged_as_it_is_and_for_no_other_content(
        self, kestrel, tamper, administrator, tmp_path
    ):
        tamper("UPDATE pipelines_pipeline SET rag_comment = 'Fine' WHERE project_name = 'Kestrel'")
        (fingerprint,) = self.fingerprints()
        assert "Acknowledged: Pipeline “Kestrel”" in self.acknowledge(fingerprint, "ada")
        reported = ChangeSet.objects.latest("number")
        assert (reported.person, reported.reason) == (administrator, "The clock of the old server")
        output = self.run("--anchor", str(tmp_path / "anchor"))
        assert f"[{fingerprint[:12]}] – acknowledged on " in output
        assert "1 finding in " in output
        assert "all acknowledged" in output
        facts = json.loads((tmp_path / "anchor").read_text())
        assert facts["open_count"] == 0
        assert [one["fingerprint"] for one in facts["acknowledged"]] == [fingerprint]
        tamper("UPDATE pipelines_pipeline SET rag_comment = 'Odd' WHERE project_name = 'Kestrel'")
        with pytest.raises(CommandError, match=r"^1 finding in "):
            self.run()

    @pytest.mark.parametrize(
        ("user", "reason", "why"),
        [("morgan", "Known", "Name an administrator"), ("ada", " ", "Say with --reason")],
    )
    def test_only_an_administrator_acknowledges_with_a_reason(
        self, kestrel, tamper, administrator, manager, user, reason, why
    ):
        tamper("UPDATE pipelines_pipeline SET rag_comment = 'Fine' WHERE project_name = 'Kestrel'")
        with pytest.raises(CommandError, match=why):
            self.acknowledge(self.fingerprints()[0], user, reason)
        assert not Acknowledgement.objects.exists()

    def test_what_is_not_found_is_not_acknowledged(self, kestrel, administrator):
        with pytest.raises(CommandError, match="nothing is acknowledged"):
            self.acknowledge("0" * 64, "ada")

    def test_an_anchor_finds_a_removed_end(self, kestrel, tamper, tmp_path):
        anchor = tmp_path / "anchor"
        with audit.change_set():
            facility = make_facility("Last")
        assert "The seal of change set" in self.run("--anchor", str(anchor))
        assert "Nothing found" in self.run("--against", str(anchor))
        with connection.constraint_checks_disabled():
            key = sql_id(facility.pk)
            tamper("DELETE FROM pipelines_facility WHERE id = %s", key)
            tamper("DELETE FROM pipelines_historicalfacility WHERE id = %s", key)
            number = ChangeSet.objects.latest("number").number
            tamper("DELETE FROM oegen_changeset WHERE number = %s", number)
        assert "Nothing found" in self.run()
        with pytest.raises(CommandError, match="1 finding in"):
            self.run("--against", str(anchor))

    def test_an_anchor_finds_a_history_written_anew(self, kestrel, tmp_path):
        anchor = tmp_path / "anchor"
        newest = ChangeSet.objects.latest("number").number
        anchor.write_text(json.dumps({"change_set": newest, "seal": "0" * 64}))
        with pytest.raises(CommandError, match="1 finding"):
            self.run("--against", str(anchor))

    @pytest.mark.parametrize("content", ["", "[]", '{"seal": "a"}', '{"change_set": "x"}'])
    def test_a_file_that_is_no_anchor_is_refused(self, content, tmp_path):
        file = tmp_path / "anchor"
        file.write_text(content)
        with pytest.raises(CommandError, match="is no anchor"):
            self.run("--against", str(file))

    def test_a_missing_anchor_is_reported(self, tmp_path):
        with pytest.raises(CommandError, match="can't be read: No such file"):
            self.run("--against", str(tmp_path / "none"))
