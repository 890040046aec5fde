"""The import of the demo's files, and a second import."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.apps import apps

from counterparties.models import Contact, Counterparty, CounterpartyContact
from infopoints.models import InformationPoint
from oegen.audit import Source
from oegen.models import ChangeSet
from pipelines.models import Facility, Pipeline, PipelineCounterparty, StageTransition
from pipelines.reference import LEAD_DEVELOPER

pytestmark = pytest.mark.django_db

SANDPIPER = "a0000000-0000-4000-8000-000000000004"


def row_counts() -> dict[str, int]:
    """The number of rows of every table of this project, history included."""
    return {
        model._meta.label: model._base_manager.count()
        for model in apps.get_models()
        if model._meta.app_label in {"oegen", "counterparties", "pipelines", "infopoints"}
    }


def test_a_dry_run_reports_everything_and_writes_nothing(demo):
    before = row_counts()
    output = demo.load()
    assert row_counts() == before
    assert "pipelines.csv           9 read = 9 created + 0 updated + 0 unchanged + 0 rej" in output
    assert "Dry run: nothing was kept" in output


def test_every_row_of_the_files_comes_in(demo):
    output = demo.apply()
    assert Pipeline.objects.count() == 9
    assert Facility.objects.count() == 9
    assert InformationPoint.objects.count() == 4
    assert Contact.objects.count() == 11
    assert CounterpartyContact.objects.count() == 12
    assert Counterparty.objects.filter(is_placeholder=True).count() == 2
    assert Counterparty.objects.filter(is_placeholder=False).count() == 3 + 3
    assert re.search(r"audit\.csv +8 read = 8 created", output)
    assert "contacts 11, roles of contacts 12" in output


def test_capacity_by_technology_is_that_of_the_file(demo):
    output = demo.apply()
    figures = {
        code: Facility.objects.filter(technology__code=code).capacity().mw
        for code in ("bess", "solar", "wind")
    }
    assert figures == {
        "bess": Decimal("30.000"),
        "solar": Decimal("83.300"),
        "wind": Decimal("130.500"),
    }
    assert "Solar 83.300 MWp, Wind 130.500 MW, BESS 30.000 MW" in output


def test_a_pipeline_has_the_values_of_its_row(demo):
    demo.apply()
    pipeline = Pipeline.objects.get(project_name="Gannet Bank")
    facility = pipeline.facilities.get()
    assert pipeline.rtb_date == date(2028, 6, 30)
    assert pipeline.rag_status == "amber"
    assert pipeline.rag_comment == "Waiting for grid.\nSecond line, with a comma."
    assert pipeline.created_at.isoformat() == "2023-03-01T09:00:00.125000+00:00"
    assert pipeline.modified_at.isoformat() == "2023-05-02T10:30:00.250000+00:00"
    assert (facility.longitude, facility.latitude) == (Decimal("2.5"), Decimal("55.75"))
    lead = PipelineCounterparty.objects.get(pipeline=pipeline, role__code=LEAD_DEVELOPER)
    assert lead.counterparty.name == "Brackwater Wind's Co"


def test_the_first_of_three_rows_with_one_id_keeps_it(demo):
    output = demo.apply()
    names = ["Sandpiper", "Sandpiper part 2", "Sandpiper part 3"]
    ids = [str(Pipeline.objects.get(project_name=name).pk) for name in names]
    assert ids[0] == SANDPIPER
    assert len(set(ids)) == 3
    assert f"line 7: Sandpiper part 2: {ids[1]}, because line 6 has {SANDPIPER}" in output


def test_on_hold_keeps_the_earliest_stage_of_the_audit_else_discovery(demo):
    output = demo.apply()
    gannet = Pipeline.objects.get(project_name="Gannet Bank")
    guessed = Pipeline.objects.get(project_name="Plover Field")
    assert (gannet.on_hold, gannet.stage.name) == (True, "Procurement")
    assert (guessed.on_hold, guessed.stage.name) == (True, "Discovery")
    assert "guessed as Discovery (1):\n  line 5: Plover Field" in output


def test_the_status_is_effective_from_the_day_the_file_last_knew_it(demo):
    demo.apply()
    without_audit = StageTransition.objects.exclude(
        pipeline__project_name__in=["Sandpiper", "Gannet Bank"]
    )
    assert set(without_audit.values_list("effective_on", flat=True)) == {date(2023, 5, 2)}


@pytest.mark.parametrize(
    ("project", "way"),
    [
        ("Sandpiper", [("Discovery", date(2022, 7, 2)), ("Design", date(2022, 7, 4))]),
        ("Gannet Bank", [("Procurement", date(2022, 7, 5)), ("On hold", date(2022, 7, 6))]),
    ],
)
def test_the_moves_that_the_audit_shows_are_transitions_with_their_own_dates(demo, project, way):
    demo.apply()
    moves = StageTransition.objects.filter(pipeline__project_name=project).order_by("recorded_at")
    assert [(move.status_label, move.effective_on) for move in moves] == way
    assert moves.last().stage == moves.last().pipeline.stage


def test_an_unknown_counterparty_becomes_a_placeholder(demo):
    demo.apply()
    unknown = Counterparty.objects.get(pk="c0000000-0000-4000-8000-000000000008")
    assert unknown.is_placeholder
    assert unknown.name == "Unknown counterparty c0000000"
    assert unknown.pipelines.count() == 2


def test_a_person_at_two_counterparties_is_one_contact(demo):
    demo.apply()
    birch = Contact.objects.get(name="Tom Birch")
    links = birch.counterparty_links.values_list("counterparty__name", "role__code")
    assert set(links) == {
        ("Heron Peak Energy", "platform-lead"),
        ("Brackwater Wind's Co", "platform-lead"),
    }


def test_information_points_are_linked_by_name_and_alias(demo):
    demo.apply()
    hybrid = InformationPoint.objects.get(title="Hybrid sites")
    assert {one.code for one in hybrid.technologies.all()} == {"solar", "bess"}
    floating = InformationPoint.objects.get(title="Floating wind")
    assert [one.name for one in floating.counterparties.all()] == ["Heron Peak Energy"]
    assert [one.code for one in floating.technologies.all()] == ["offshore-wind"]


def test_an_alias_is_enough_to_find_a_counterparty(demo):
    known = Counterparty.objects.create(name="Sunfold Holdings", aliases="SUNFOLD\nSun Fold")
    demo.apply()
    assert known.information_points.count() == 2
    assert not Counterparty.objects.filter(name="Sunfold").exists()


def test_an_unknown_technology_part_is_kept_as_a_comment_once(demo):
    output = demo.apply()
    demo.apply()
    point = InformationPoint.objects.get(title="Queue reform")
    assert [one.code for one in point.technologies.all()] == ["bess"]
    assert [comment.text for comment in point.comments.all()] == [
        "The import's technology “BESS/Grid” names “Grid”, which is no technology here."
    ]
    assert "kept as comments (1)" in output


def test_a_removed_comment_does_not_come_back(demo):
    demo.apply()
    InformationPoint.objects.get(title="Queue reform").comments.all().delete()
    assert "4 read = 0 created + 0 updated + 4 unchanged" in demo.apply()
    assert not InformationPoint.objects.get(title="Queue reform").comments.exists()


def test_a_rating_that_is_not_the_product_is_reported(demo):
    assert "Hybrid sites: 999 in the file, 1,000 here" in demo.apply()


def test_the_second_run_changes_nothing_and_writes_no_history(demo):
    demo.apply()
    before = row_counts()
    output = demo.apply()
    assert row_counts() == before
    counts = re.findall(r"(\d+) read = 0 created \+ 0 updated \+ (\d+) unchanged \+ 0 rej", output)
    assert counts == [("8", "8"), ("3", "3"), ("9", "9"), ("4", "4")]


def test_the_import_is_one_change_set_with_its_person_and_reason(demo, portfolio_manager):
    demo.apply(user="priya", reason="Moving off the demo")
    change_set = ChangeSet.objects.get(source=Source.IMPORT)
    assert (change_set.person, change_set.reason) == (portfolio_manager, "Moving off the demo")
    assert set(Facility.history.values_list("change_set", flat=True)) == {change_set.pk}


def test_without_a_reason_the_history_names_command_and_folder(demo):
    demo.apply()
    reason = ChangeSet.objects.get(source=Source.IMPORT).reason
    assert reason == "import_demo_csv of the folder “demo-files”."


def test_a_changed_row_is_updated_with_one_history_row(demo):
    demo.apply()
    demo.set("pipelines.csv", 1, ProjectStatus="Completed", Capacity="21.5")
    output = demo.apply()
    pipeline = Pipeline.objects.get(project_name="Curlew Moor")
    assert "9 read = 0 created + 1 updated + 8 unchanged" in output
    assert pipeline.stage.name == "Completed"
    assert list(pipeline.history.values_list("history_type", flat=True)) == ["~", "+"]
    assert pipeline.facilities.get().capacity_mw == Decimal("21.5")
    assert pipeline.transitions.count() == 2


def test_another_lead_developer_takes_over_the_role(demo):
    demo.apply()
    demo.set("pipelines.csv", 1, CounterpartyID="c0000000-0000-4000-8000-000000000002")
    assert "1 updated + 8 unchanged" in demo.apply()
    link = PipelineCounterparty.objects.get(pipeline__project_name="Curlew Moor")
    assert link.counterparty.name == "Brackwater Wind's Co"
    assert link.history.count() == 2


def test_an_emptied_lead_and_role_are_removed(demo):
    demo.apply()
    demo.set("pipelines.csv", 1, CounterpartyID="")
    demo.set("counterparties.csv", 1, CEO="")
    demo.apply()
    assert not PipelineCounterparty.objects.filter(pipeline__project_name="Curlew Moor").exists()
    assert not CounterpartyContact.objects.filter(contact__name="Asha Rao").exists()
    assert CounterpartyContact.history.filter(history_type="-", contact__name="Asha Rao").exists()


def test_a_new_person_in_a_role_replaces_the_old_one(demo):
    demo.apply()
    demo.set("counterparties.csv", 1, CEO="New Person")
    assert "3 read = 0 created + 1 updated + 2 unchanged" in demo.apply()
    names = CounterpartyContact.objects.filter(
        counterparty__name="Heron Peak Energy", role__code="ceo"
    ).values_list("contact__name", flat=True)
    assert list(names) == ["New Person"]


def test_a_point_that_names_other_firms_is_relinked(demo):
    demo.apply()
    by_hand = Counterparty.objects.get(name="O'Hara Grid")
    point = InformationPoint.objects.get(title="Cheaper modules")
    point.counterparty_links.create(counterparty=by_hand)
    demo.set("information_points.csv", 1, Counterparties="['Sunfold', 'Third Firm']")
    assert "4 read = 0 created + 1 updated + 3 unchanged" in demo.apply()
    names = {one.name for one in point.counterparties.all()}
    assert names == {"Sunfold", "Third Firm", "O'Hara Grid"}


def test_a_firm_that_people_renamed_is_still_the_one_the_file_names(demo):
    demo.apply()
    firm = Counterparty.objects.get(name="Sunfold")
    firm.name = "Sunfold Group"
    firm.save()
    assert "4 read = 0 created + 0 updated + 4 unchanged" in demo.apply()
    assert firm.information_points.count() == 2


def test_on_hold_in_the_file_leaves_the_stage_that_people_set(demo):
    demo.apply()
    held = Pipeline.objects.get(project_name="Plover Field")
    held.stage = Pipeline.objects.get(project_name="Sandpiper").stage
    held.save()
    assert "9 read = 0 created + 0 updated + 9 unchanged" in demo.apply()
    held.refresh_from_db()
    assert held.stage.name == "Design"


def test_taking_a_hold_off_clears_its_reason(demo):
    demo.apply()
    held = Pipeline.objects.get(project_name="Plover Field")
    held.on_hold_reason = "Judicial review"
    held.save()
    demo.set("pipelines.csv", 3, ProjectStatus="Design")
    demo.apply()
    held.refresh_from_db()
    assert (held.on_hold, held.on_hold_reason, held.stage.name) == (False, "", "Design")


def test_a_facility_renamed_by_people_keeps_its_name(demo):
    demo.apply()
    facility = Facility.objects.get(name="Curlew Moor")
    facility.name = "Curlew Moor battery"
    facility.save()
    assert "9 read = 0 created + 0 updated + 9 unchanged" in demo.apply()


def test_a_placeholder_that_a_file_describes_becomes_a_counterparty(demo):
    demo.apply()
    key = "c0000000-0000-4000-8000-000000000008"
    demo.append("counterparties.csv", ID=key, CounterpartyName="Ninth Wave")
    assert "4 read = 0 created + 1 updated + 3 unchanged" in demo.apply()
    found = Counterparty.objects.get(pk=key)
    assert (found.name, found.is_placeholder) == ("Ninth Wave", False)


def test_blank_rows_are_counted_in_the_summary(demo):
    path = demo.path / "counterparties.csv"
    header, *rest = path.read_text("utf-8").splitlines()
    blank = "," * header.count(",")
    path.write_text("\n".join([header, blank, *rest, blank]), "utf-8")
    output = demo.apply()
    assert "3 read = 3 created + 0 updated + 0 unchanged + 0 rejected; 2 blank" in output
