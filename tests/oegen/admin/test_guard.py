"""Two people at one record: the second is told, and nobody's work is lost."""

from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError

from counterparties.models import Counterparty
from oegen import audit
from oegen.admin import guard
from oegen.core.days import INVALID_DAY
from oegen.core.exceptions import StaleRecordError
from pipelines.models import Pipeline, PipelineFacility, Stage
from tests.support.builders import make_counterparty, make_pipeline, make_user
from tests.support.desk import errors_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def jane(db):
    return make_user(first_name="Jane", last_name="Doe")


def change_as(person, record, reason="", **values):
    """Somebody else changes the record meanwhile."""
    with audit.change_set(person=person, reason=reason, source=audit.Source.FORM):
        record = type(record).objects.get(pk=record.pk)
        for name, value in values.items():
            setattr(record, name, value)
        record.save()


def test_a_form_opened_before_somebodys_change_is_stopped_and_says_whose(desk, jane):
    pipeline = make_pipeline(rag_status="green", rtb_date=None)
    data = desk.open(pipeline)
    change_as(jane, pipeline, "Grid offer late", rag_status="amber")
    response = desk.send(pipeline, data | {"project_name": "Renamed", "change_reason": "mine"})
    assert response.status_code == 200
    errors = errors_of(response)
    assert "Jane Doe changed this while you had it open." in errors
    assert "RAG worsened from Green to Amber" in errors
    assert "Grid offer late" in errors
    pipeline.refresh_from_db()
    assert (pipeline.rag_status, pipeline.project_name) != ("amber", "Renamed")
    shown = desk.fields_of(response)
    assert shown["project_name"] == "Renamed", "what I typed is gone"
    assert shown["change_reason"] == "mine"
    assert shown["rag_status"] == "amber", "the field I left alone does not show theirs"


def test_saving_again_keeps_both_changes(desk, jane):
    pipeline = make_pipeline(rag_status="green")
    data = desk.open(pipeline)
    change_as(jane, pipeline, rag_status="amber")
    stopped = desk.send(pipeline, data | {"project_name": "Renamed"})
    assert desk.send(pipeline, desk.fields_of(stopped)).status_code == 302
    pipeline.refresh_from_db()
    assert (pipeline.rag_status, pipeline.project_name) == ("amber", "Renamed")


def test_a_field_that_both_changed_says_so_and_keeps_mine_on_the_page(desk, jane):
    pipeline = make_pipeline(rag_comment="old")
    data = desk.open(pipeline)
    change_as(jane, pipeline, rag_comment="theirs")
    stopped = desk.send(pipeline, data | {"rag_comment": "mine"})
    assert "rag_comment: Others changed this too" in errors_of(stopped)
    assert desk.fields_of(stopped)["rag_comment"] == "mine"


def test_a_second_change_while_the_stopped_form_is_open_stops_it_again(desk, jane):
    pipeline = make_pipeline(rag_comment="old")
    data = desk.open(pipeline)
    change_as(jane, pipeline, rag_comment="first")
    stopped = desk.send(pipeline, data | {"project_name": "Renamed"})
    change_as(jane, pipeline, rag_comment="second")
    again = desk.send(pipeline, desk.fields_of(stopped))
    assert again.status_code == 200
    assert "second" in errors_of(again)


def test_a_facility_changed_meanwhile_stops_the_pipelines_form(desk, jane):
    pipeline = make_pipeline(capacity_mw=20)
    data = desk.open(pipeline)
    change_as(jane, pipeline.facilities.get(), capacity_mw=30)
    stopped = desk.send(pipeline, data | {"project_name": "Renamed"})
    assert "capacity up from 20 MWp to 30 MWp" in errors_of(stopped)
    shown = desk.fields_of(stopped)
    assert shown["facility_links-0-capacity_mw"] == "30.000"
    assert desk.send(pipeline, shown).status_code == 302
    assert pipeline.facilities.get().capacity_mw == 30
    assert Pipeline.objects.get().project_name == "Renamed"


def test_a_link_removed_meanwhile_stops_the_form(desk, jane):
    pipeline = make_pipeline(capacity_mw=20)
    data = desk.open(pipeline)
    with audit.change_set(person=jane, reason="Sold"):
        PipelineFacility.objects.all().delete()
    stopped = desk.send(pipeline, data | {"project_name": "Renamed"})
    assert stopped.status_code == 200
    assert "Jane Doe changed this" in errors_of(stopped)
    agreed = data | {
        "project_name": "Renamed",
        "facility_links-0-DELETE": "on",
        "change_reason": "agreed",
    }
    assert desk.send(pipeline, agreed).status_code == 302
    assert PipelineFacility.history.filter(history_type="-").count() == 1


def test_a_record_removed_meanwhile_says_so_and_shows_what_was_typed(desk, jane):
    counterparty = make_counterparty("Acme")
    data = desk.open(counterparty)
    with audit.change_set(person=jane, reason="Duplicate"):
        type(counterparty).objects.get().delete()
    response = desk.send(counterparty, data | {"strategy": "Buy Welsh wind"})
    assert response.status_code == 409
    page = response.content.decode()
    assert "Jane Doe removed “Acme”" in page
    assert "Buy Welsh wind" in page


def test_a_record_changed_while_its_removal_is_under_way_stays(desk, jane, monkeypatch):
    record = make_counterparty("Larch Power")
    address = desk.url(record, "delete")
    opened_on = desk.client.get(address).context["guard"]
    delete = Counterparty.delete

    def somebody_was_faster(self, *args, **kwargs):
        monkeypatch.setattr(Counterparty, "delete", delete)
        raise StaleRecordError(self)

    def their_change(error):
        change_as(jane, record, strategy="Grow")
        return ""

    monkeypatch.setattr(Counterparty, "delete", somebody_was_faster)
    monkeypatch.setattr(guard, "refusal_message", their_change)
    sent = {"post": "yes", "guard": opened_on}
    response = desk.client.post(address, sent, follow=True)

    messages = [str(message) for message in response.context["messages"]]
    assert len(messages) == 1
    assert "Jane Doe changed this while you had it open." in messages[0]
    assert Counterparty.objects.get(pk=record.pk).strategy == "Grow"


def test_ticks_and_times_left_alone_take_their_newer_values(desk, jane):
    counterparty = make_counterparty("Acme", is_placeholder=True)
    data = desk.open(counterparty)
    archived = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    change_as(jane, counterparty, is_placeholder=False, archived_at=archived)
    stopped = desk.send(counterparty, data | {"strategy": "Buy Welsh wind"})
    assert "Jane Doe changed this" in errors_of(stopped)
    page = stopped.content.decode()
    assert 'value="2026-03-01"' in page
    assert 'value="12:30:00"' in page
    assert "checked" not in page.split('name="is_placeholder"')[1].split(">")[0]
    assert "is_placeholder" not in stopped.context["adminform"].form.data


def test_a_damaged_guard_saves_nothing(desk):
    pipeline = make_pipeline("Before")
    data = desk.open(pipeline) | {"project_name": "After", "guard": "{oops"}
    assert "note of what it was opened on is damaged" in errors_of(desk.send(pipeline, data))
    pipeline.refresh_from_db()
    assert pipeline.project_name == "Before"


@pytest.mark.parametrize(
    "text",
    [
        '{"x.y:1": 1}',
        '{"oegen.user:1": 1}',
        "[]",
        '{"a": "b"}',
        pytest.param("[" * 200_000, id="nested deep"),
        pytest.param('{"a":' * 50_000, id="objects nested deep"),
        pytest.param(" " * 1_000_001 + "{}", id="long"),
    ],
)
def test_a_guard_that_names_what_is_no_record_saves_nothing(desk, text):
    pipeline = make_pipeline("Before")
    data = desk.open(pipeline) | {"project_name": "After", "guard": text}
    assert "is damaged" in errors_of(desk.send(pipeline, data))


def test_a_form_without_its_guard_saves_nothing(desk):
    pipeline = make_pipeline("Before")
    data = desk.open(pipeline) | {"project_name": "After"}
    del data["guard"]
    assert desk.send(pipeline, data).status_code == 200
    pipeline.refresh_from_db()
    assert pipeline.project_name == "Before"


class TestEditableTable:
    def rows(self, desk):
        """The table's fields, and each record's row prefix."""
        data = desk.open(Pipeline, "changelist")
        prefixes = {data[name]: name[:-2] for name in data if name.endswith("-id")}
        return data, prefixes

    def test_a_row_is_changed_with_a_reason(self, desk, portfolio_manager):
        pipeline = make_pipeline(rag_status="green")
        data, prefix = self.rows(desk)
        data[f"{prefix[str(pipeline.pk)]}rag_status"] = "red"
        response = desk.send(Pipeline, data | {"change_reason": "Refused"}, "changelist")
        assert response.status_code == 302
        newest = pipeline.history.first()
        assert (newest.rag_status, newest.history_change_reason) == ("red", "Refused")
        assert newest.history_user == portfolio_manager
        assert newest.change_set.source == "table"

    def test_a_row_more_costs_one_statement_and_leaves_as_much_as_alone(
        self, desk, django_assert_max_num_queries
    ):
        stage = Stage.objects.get(code="construction")

        def move(pipelines, allowed):
            data, prefix = self.rows(desk)
            for pipeline in pipelines:
                row = prefix[str(pipeline.pk)]
                data |= {f"{row}stage": str(stage.pk), f"{row}rag_comment": "Lorries have come"}
            with django_assert_max_num_queries(allowed) as queries:
                response = desk.send(Pipeline, data | {"change_reason": "Begun"}, "changelist")
            assert response.status_code == 302
            return len(queries)

        alone = move([make_pipeline()], 100)
        several = [make_pipeline() for _ in range(5)]
        move(several, alone + 5)

        for pipeline in several:
            created, changed = pipeline.history.order_by("version")
            assert (created.version, changed.version) == (1, 2)
            assert (changed.stage, changed.rag_comment) == (stage, "Lorries have come")
            assert pipeline.transitions.get(stage=stage).history.get().change_set == (
                changed.change_set
            )
        assert set(Pipeline.objects.matching("lorries")) >= set(several)
        assert LogEntry.objects.count() == 6

    def test_without_a_reason_the_table_is_refused(self, desk):
        pipeline = make_pipeline(rag_status="green")
        data, prefix = self.rows(desk)
        data[f"{prefix[str(pipeline.pk)]}rag_status"] = "red"
        response = desk.send(Pipeline, data, "changelist")
        assert "Say why in “Reason” below the table: you changed RAG." in errors_of(response)
        assert pipeline.history.count() == 1

    def test_a_wrong_value_is_refused_at_its_row(self, desk):
        pipeline = make_pipeline()
        data, prefix = self.rows(desk)
        data[f"{prefix[str(pipeline.pk)]}rtb_date"] = "soon"
        response = desk.send(Pipeline, data | {"change_reason": "x"}, "changelist")
        assert f"rtb_date: {INVALID_DAY}" in errors_of(response)

    def test_a_row_changed_meanwhile_is_stopped_and_the_others_are_not_saved_either(
        self, desk, jane
    ):
        mine, other = make_pipeline("A", rag_comment="old"), make_pipeline("B", rag_comment="old")
        data, prefix = self.rows(desk)
        change_as(jane, mine, rag_comment="theirs")
        data[f"{prefix[str(mine.pk)]}rag_comment"] = "mine"
        data[f"{prefix[str(other.pk)]}rag_comment"] = "also mine"
        response = desk.send(Pipeline, data, "changelist")
        assert "Jane Doe changed this" in errors_of(response)
        assert desk.fields_of(response)[f"{prefix[str(mine.pk)]}rag_comment"] == "mine"
        other.refresh_from_db()
        assert other.rag_comment == "old"

    def test_a_row_i_left_alone_neither_stops_me_nor_loses_theirs(self, desk, jane):
        mine, other = make_pipeline("A", rag_comment="old"), make_pipeline("B", rag_comment="old")
        data, prefix = self.rows(desk)
        change_as(jane, other, rag_comment="theirs")
        data[f"{prefix[str(mine.pk)]}rag_comment"] = "mine"
        assert desk.send(Pipeline, data, "changelist").status_code == 302
        mine.refresh_from_db()
        other.refresh_from_db()
        assert (mine.rag_comment, other.rag_comment) == ("mine", "theirs")

    def test_a_row_i_left_alone_is_not_checked(self, desk, monkeypatch):
        make_pipeline("Breaks a rule made since")
        mine = make_pipeline("Mine")

        def refuse_the_other(pipeline):
            if pipeline.pk != mine.pk:
                raise ValidationError({"rag_comment": "No longer allowed."})

        monkeypatch.setattr(Pipeline, "clean", refuse_the_other)
        data, prefix = self.rows(desk)
        data[f"{prefix[str(mine.pk)]}rag_comment"] = "mine"
        response = desk.send(Pipeline, data, "changelist")
        assert response.status_code == 302, errors_of(response)
        mine.refresh_from_db()
        assert mine.rag_comment == "mine"

    def test_a_row_in_a_stage_no_longer_offered_keeps_its_stage(self, desk):
        pipeline = make_pipeline(stage="procurement")
        Stage.objects.filter(code="procurement").update(is_active=False)
        data, prefix = self.rows(desk)
        page = desk.client.get(desk.url(Pipeline, "changelist")).content.decode()
        assert f'<option value="{pipeline.stage_id}" selected>Procurement</option>' in page
        data[f"{prefix[str(pipeline.pk)]}rag_comment"] = "mine"
        assert desk.send(Pipeline, data, "changelist").status_code == 302
        pipeline.refresh_from_db()
        assert pipeline.stage.code == "procurement"

    def test_a_project_is_taken_off_hold_though_its_reason_has_no_box_here(self, desk):
        pipeline = make_pipeline(on_hold=True, on_hold_reason="No grid")
        data, prefix = self.rows(desk)
        del data[f"{prefix[str(pipeline.pk)]}on_hold"]
        response = desk.send(Pipeline, data | {"change_reason": "Grid found"}, "changelist")
        assert response.status_code == 302
        pipeline.refresh_from_db()
        assert (pipeline.on_hold, pipeline.on_hold_reason) == (False, "")

    def test_an_error_about_a_field_that_the_row_lacks_is_the_rows(self, desk):
        pipeline = make_pipeline(rtb_date="2027-01-01", cod_date="2028-01-01")
        data, prefix = self.rows(desk)
        data[f"{prefix[str(pipeline.pk)]}rtb_date"] = "2040-01-01"
        response = desk.send(Pipeline, data | {"change_reason": "x"}, "changelist")
        assert "COD: Commercial operation can't come before ready to build" in errors_of(response)

    def test_a_row_removed_meanwhile_is_reported(self, desk, jane):
        mine, gone = make_pipeline("A", rag_comment="old"), make_pipeline("B")
        data, prefix = self.rows(desk)
        with audit.change_set(person=jane):
            Pipeline.objects.get(pk=gone.pk).delete()
        data[f"{prefix[str(mine.pk)]}rag_comment"] = "mine"
        response = desk.send(Pipeline, data, "changelist")
        assert response.status_code == 200
        assert "Jane Doe" in errors_of(response)
