"""The tables are what the database says, each entry once, whatever happens to a sync."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from dashboard import warehouse as package
from dashboard.warehouse import WarehouseError, delta, leaving, records, syncing, tables, tidying
from dashboard.warehouse.columns import DAY, WHOLE, Column, columns_of
from dashboard.warehouse.delta import Destination, Writer
from oegen import audit
from oegen.models import ChangeSet, Comment
from pipelines.models import Facility, Stage, Technology
from pipelines.registers.models import Edition, RegisterProject, Sighting
from tests.dashboard.warehouse.tables import Warehouse, assert_equals_database, change_everything
from tests.support.builders import make_contact, make_facility, make_pipeline
from tests.support.portfolios import make_awkward_portfolio
from tests.support.registers import ingest_repd

pytestmark = pytest.mark.django_db


@pytest.fixture
def anew(tmp_path):
    """What a sync to another place, which has everything to write, makes."""

    def anew() -> dict:
        other = Warehouse(Destination(str(tmp_path / f"anew{timezone.now():%f}")), syncing.sync)
        other.sync()
        return other.contents()

    return anew


def test_a_sync_adds_what_was_written_since(warehouse, anew, administrator):
    make_awkward_portfolio()
    first = warehouse.sync()
    assert_equals_database(warehouse)
    change_everything(administrator)
    second = warehouse.sync()
    assert (second.before, second.number) == (first.number, ChangeSet.objects.count())
    assert "current_contactrole" not in second.rows
    assert_equals_database(warehouse)
    assert warehouse.contents() == anew()
    versions = {name: warehouse.table(name).version() for name in warehouse.names()}
    assert not warehouse.sync().rows
    assert versions == {name: warehouse.table(name).version() for name in warehouse.names()}


@pytest.mark.usefixtures("few_models")
def test_a_renamed_stage_changes_the_facts_that_name_it(warehouse, anew):
    make_awkward_portfolio()
    warehouse.sync()
    stage = Stage.objects.get(code="design")
    stage.name, stage.default_probability_pct = "Planning", 20
    stage.save()
    warehouse.sync()
    assert warehouse.contents() == anew()
    names = {row["stage_name"] for row in warehouse.rows("facts_project_facility")}
    assert {"Design", "Planning"} <= names


@pytest.mark.usefixtures("few_models")
def test_a_sync_that_ends_anywhere_is_completed_by_the_next(
    warehouse, anew, administrator, monkeypatch
):
    make_awkward_portfolio()
    warehouse.sync()
    change_everything(administrator)
    expected, commit, done = anew(), Writer._commit, []

    def dies(self, found, table, mode, batches):
        commit(self, found, table, mode, batches)
        done.append(table.name)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "_commit", dies)
        for _ in range(4):
            with pytest.raises(KeyboardInterrupt):
                warehouse.sync()
    assert len(set(done)) == 4
    warehouse.sync()
    assert warehouse.contents() == expected


@pytest.mark.usefixtures("few_models")
def test_of_two_syncs_at_once_each_entry_is_written_once(warehouse, anew, monkeypatch):
    make_awkward_portfolio()
    warehouse.sync()
    make_pipeline("First", capacity_mw=1)
    commit, others = Writer._commit, []

    def overtaken(self, found, table, mode, batches):
        """Before the first commits of this sync, the other one does the same, and more."""
        if len(others) < 3:
            others.append(table.name)
            make_pipeline(f"Meanwhile {len(others)}", capacity_mw=1)
            with monkeypatch.context() as patch:
                patch.setattr(Writer, "_commit", commit)
                warehouse.sync()
        commit(self, found, table, mode, batches)

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "_commit", overtaken)
        warehouse.sync()
    assert others
    assert_equals_database(warehouse)
    assert warehouse.contents() == anew()


@pytest.mark.usefixtures("few_models")
def test_a_restored_back_up_is_refused_until_all_is_written_anew(warehouse, anew, monkeypatch):
    make_awkward_portfolio()
    warehouse.sync()
    known = Writer(warehouse.destination, 10_000)
    row = [(10_000, "an id", None, None, None, None, None, None, None, "seal of another chain")]
    known.append(tables.CHANGE_SETS, lambda after: records.batches(tables.CHANGE_SETS, row))
    with pytest.raises(WarehouseError, match=r"change set 10,000.*--full"):
        warehouse.sync()
    warehouse.sync(full=True)
    assert_equals_database(warehouse)
    assert warehouse.contents() == anew()
    make_pipeline("After it", capacity_mw=1)
    warehouse.sync()
    assert_equals_database(warehouse)


def test_personal_data_leave_only_if_the_settings_say_so(warehouse, settings, portfolio_manager):
    contact = make_contact()
    pipeline = make_pipeline("Solar", capacity_mw=1)
    pipeline.comments.create(text="Call Jane", author=portfolio_manager)
    warehouse.sync()
    personal = {"contact", "counterpartycontact", "comment", "accountrecord"}
    names = warehouse.names()
    assert not {f"history_{name}" for name in personal} & names
    settings.WAREHOUSE_PERSONAL = True
    warehouse.sync()
    assert warehouse.names() - names == {
        f"{kind}_{name}" for name in personal for kind in ("history", "current")
    }
    assert [row["name"] for row in warehouse.rows("history_contact")] == [contact.name]
    [account] = warehouse.rows("current_accountrecord")
    assert "permissions" not in account
    assert_equals_database(warehouse)
    assert Comment.objects.count() == len(warehouse.rows("current_comment"))


def test_every_model_was_decided_on():
    """A new model leaves if it is not named here. Is there personal data in it?"""
    leaving_ones = {model._meta.label for model in leaving.leaving_models(personal=False)}
    assert leaving_ones == {
        "oegen.ExternalReference",
        *(f"counterparties.{name}" for name in ("Counterparty", "ContactRole")),
        *(f"pipelines.{name}" for name in ("Technology", "Stage", "CounterpartyRole")),
        *(f"pipelines.{name}" for name in ("MilestoneKind", "GateSet", "Gate", "Facility")),
        *(f"pipelines.{name}" for name in ("Pipeline", "PipelineFacility", "Milestone")),
        *(f"pipelines.{name}" for name in ("PipelineCounterparty", "StageTransition")),
        *(f"registers.{name}" for name in ("Register", "Edition", "Match")),
        *(f"infopoints.InformationPoint{name}" for name in ("", "Technology", "Counterparty")),
        "infopoints.InformationPointPipeline",
        "dashboard.FrozenReport",
    }
    labels = {model._meta.label for model in audit.tracked_models()}
    assert labels == leaving_ones | leaving.PERSONAL | leaving.NEVER


def test_columns_say_what_they_are_in_a_protocol_that_all_read(warehouse):
    make_pipeline("Solar", capacity_mw=1)
    warehouse.sync()
    for name in warehouse.names():
        table = warehouse.table(name)
        protocol = table.protocol()
        assert (protocol.min_reader_version, protocol.min_writer_version) <= (1, 4)
        assert table.metadata().description
        for column in table.schema().fields:
            assert column.metadata.get("comment"), (name, column.name)
            assert "timestamp_ntz" not in str(column.type)
    facility = {one.column.name: one.column.type for one in columns_of(Facility)}
    assert str(facility["capacity_mw"]) == "decimal128(12, 3)"
    assert str(facility["latitude_deg"]) == "decimal128(12, 6)"


@pytest.mark.usefixtures("few_models")
def test_a_new_column_is_added_and_older_files_lack_it(warehouse, monkeypatch):
    make_facility("Before", "solar", capacity_mw=1)
    lacking = tuple(one for one in columns_of(Facility) if one.attname != "region")
    with monkeypatch.context() as patch:
        for module in (tables, records):
            patch.setattr(
                module,
                "columns_of",
                lambda model: lacking if model is Facility else columns_of(model),
            )
        warehouse.sync()
    facility = make_facility("After", "solar", capacity_mw=1)
    facility.region = "Kent"
    facility.save()
    warehouse.sync()
    history = {(row["name"], row["region"]) for row in warehouse.rows("history_facility")}
    assert history == {("Before", None), ("After", ""), ("After", "Kent")}
    assert {row["region"] for row in warehouse.rows("current_facility")} == {"", "Kent"}


@pytest.mark.usefixtures("few_models")
def test_a_new_technology_and_a_renamed_stage_leave_older_files_readable(warehouse, anew):
    make_facility("Before", "solar", capacity_mw=1)
    make_pipeline("Old", capacity_mw=2, stage="design")
    warehouse.sync()
    older = warehouse.table("facts_project_facility").file_uris()
    history = set(warehouse.table("history_facility").file_uris())
    Technology.objects.create(code="tidal-kite", name="Tidal kite", capacity_basis="ac")
    make_pipeline("New", technology="tidal-kite", capacity_mw=3, stage="design")
    stage = Stage.objects.get(code="design")
    stage.name = "Planning"
    stage.save()
    warehouse.sync()
    assert history < set(warehouse.table("history_facility").file_uris())
    assert older != warehouse.table("facts_project_facility").file_uris()
    rows = warehouse.rows("facts_project_facility")
    assert {"solar", "tidal-kite"} <= {row["technology"] for row in rows}
    names = {row["name"] for row in warehouse.rows("history_stage") if row["id"] == str(stage.pk)}
    assert names == {"Design", "Planning"}
    assert {row["name"] for row in warehouse.rows("history_facility")} == {"Before", "Old", "New"}
    assert warehouse.contents() == anew()


@pytest.mark.usefixtures("few_models")
def test_registers_leave_with_editions_licence_and_no_private_names(warehouse, anew):
    make_pipeline("Solar", capacity_mw=1)
    warehouse.sync()
    assert not warehouse.rows("register_projects")
    ingest_repd(date(2026, 1, 1), {"Operator (or Applicant)": "Mr John Smith"}, {})
    warehouse.sync()
    ingest_repd(date(2026, 4, 1), {"Operator (or Applicant)": "Mr John Smith"}, {})
    warehouse.sync()
    projects = warehouse.rows("register_projects")
    said = warehouse.rows("register_project_editions")
    assert len(projects) == RegisterProject.objects.count() > 0
    assert len(said) == Sighting.objects.count() == 2 * len(projects)
    assert {row["edition_on"] for row in said} == {date(2026, 1, 1), date(2026, 4, 1)}
    assert {row["project_id"] for row in said} == {row["id"] for row in projects}
    for row in (*projects, *said):
        assert row["licence"] and row["attribution"]
        assert "Smith" not in str(row)
    assert "Private individual" in {row["operator"] for row in said}
    edition = Edition.objects.get(date=date(2026, 4, 1))
    edition.delete()
    warehouse.sync()
    assert {row["edition_on"] for row in warehouse.rows("register_project_editions")} == {
        date(2026, 1, 1)
    }
    assert warehouse.contents() == anew()


def test_what_a_file_lacks_is_null_where_rows_are_kept(tmp_path):
    columns = Column("number", WHOLE, ""), Column("added_later", DAY, "")
    before, after = tables.Table("one", "", columns[:1]), tables.Table("one", "", columns)
    place, day = Destination(str(tmp_path)), date(2026, 3, 31)
    Writer(place, 1).append(before, lambda since: records.batches(before, [(1,), (2,)]))
    Writer(place, 2).append(after, lambda since: records.batches(after, [(3, day)]))
    found = delta.open_table(place, after)
    kept = delta.kept_rows(found, after, "number", pa.array([1]))
    rows = [(row["number"], row["added_later"]) for some in kept for row in some.to_pylist()]
    assert sorted(rows) == [(2, None), (3, day)]
    [row] = delta.select(found, after, "number", "added_later", number=3)
    assert row == {"number": 3, "added_later": day}


@pytest.mark.usefixtures("few_models")
def test_days_end_in_london(warehouse):
    make_pipeline("Solar", capacity_mw=1)
    warehouse.sync()
    ends = {row["day"]: row["ends_at"] for row in warehouse.rows("days")}
    assert ends[date(2026, 3, 28)] == datetime(2026, 3, 29, 0, tzinfo=UTC)
    assert ends[date(2026, 3, 29)] == datetime(2026, 3, 29, 23, tzinfo=UTC)
    assert ends[date(2026, 10, 25)] == datetime(2026, 10, 26, 0, tzinfo=UTC)


def test_without_the_packages_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setattr(package, "PACKAGES", ("no_such_package",))
    with pytest.raises(CommandError, match=r"-r requirements/warehouse\.txt"):
        call_command("warehouse_sync", to="anywhere")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "set WAREHOUSE"),
        ("s3://key:secret@bucket/oegen", "holds a password"),
        ("abfss://c@a.dfs.core.windows.net/x?sig=secret", "holds a password"),
        ("https://example.com/oegen", "is no destination"),
    ],
)
def test_a_destination_holds_no_password(text, problem):
    with pytest.raises(WarehouseError, match=problem) as refused:
        Destination.parse(text)
    assert "secret" not in str(refused.value)


def test_errors_of_the_storage_hold_no_credentials(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret-key")
    error = OSError("PUT https://a.example/x?sig=abc with very-secret-key failed")
    assert delta.without_secrets(error) == "PUT https://a.example/x?… with … failed"


@pytest.mark.usefixtures("few_models")
def test_the_command_writes_and_checks(tmp_path, capsys):
    make_awkward_portfolio()
    call_command("warehouse_sync", to=str(tmp_path), check=2, verbosity=0)
    written, checked = capsys.readouterr().out.splitlines()
    assert written.startswith("Change sets 1 to ")
    assert checked.endswith("on 2 days are the product's, to the kilowatt.")
    call_command("warehouse_sync", to=str(tmp_path), verbosity=0)
    assert "contain everything up to change set" in capsys.readouterr().out


@pytest.mark.usefixtures("few_models")
def test_tidying_leaves_every_row(warehouse, anew, monkeypatch):
    make_awkward_portfolio()
    warehouse.sync()
    monkeypatch.setattr(tidying, "FILES", 2)
    for number in range(2):
        make_pipeline(f"More {number}", capacity_mw=1)
        warehouse.sync()
    assert len(warehouse.table("history_pipeline").file_uris()) == 3
    before = warehouse.contents()
    assert tidying.tidy(warehouse.destination) == 0
    assert len(warehouse.table("history_pipeline").file_uris()) == 1
    assert warehouse.contents() == before
    make_pipeline("After it", capacity_mw=1)
    warehouse.sync()
    assert warehouse.contents() == anew()
