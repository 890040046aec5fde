"""The other ways in: the board, comments, restoring, undoing, merging and the commands. Each leaves
its history in one change set, or nothing. Sources and commands are listed, so that a new one shows.
"""

import logging

import pytest
from django.core.management import call_command, get_commands
from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils import timezone

from counterparties.models import Counterparty
from oegen import audit
from oegen.audit.integrity import Check
from oegen.models import Acknowledgement, ChangeSet, Comment
from pipelines.models import Facility, Pipeline
from tests.dashboard.demo_import import DEMO
from tests.support.builders import make_contact, make_counterparty, make_pipeline
from tests.support.readers import restore_page
from tests.support.tracked import a_record, a_removable_one, all_recorded, nothing_written

pytestmark = [pytest.mark.usefixtures("portfolio"), pytest.mark.django_db]


@pytest.fixture
def holds(part, sealing_fails, portfolio_manager, client, caplog):
    """A write leaves nothing when it fails, and its history when it does not."""
    client.force_login(portfolio_manager)
    caplog.set_level(logging.CRITICAL, "django.request")

    def holds(name, write, source, reason="Why", person=portfolio_manager):
        with part(name):
            with nothing_written(), sealing_fails():
                write()
            with all_recorded(person=person, source=source, reason=reason):
                write()

    return holds


def newest() -> ChangeSet:
    return ChangeSet.objects.latest("number")


def test_a_move_on_the_board_and_its_undoing(client, holds, findings):
    pipeline = make_pipeline(stage="design")
    card = f"/pipelines/{pipeline.pk}/move/"
    move = {"version": 1, "to": "procurement", "reason": "Why"}
    move["effective_on"] = timezone.localdate().isoformat()
    holds("move", lambda: client.post(card, move), audit.Source.BOARD)
    undo = reverse("pipeline-undo", args=[pipeline.pk, newest().pk])
    holds("undo", lambda: client.post(undo), audit.Source.BOARD, "Undo: Why")
    assert Pipeline.objects.get(pk=pipeline.pk).stage.code == "design"
    assert findings() == []


def test_a_fact_changed_where_it_is_shown_and_several_at_once(client, holds, findings):
    pipeline, other = make_pipeline(rag_status="green"), make_pipeline(rag_status="amber")
    rating = {"version": 1, "rag_status": "red", "rag_comment": "Why"}
    edit = reverse("pipeline-edit", args=[pipeline.pk, "rag"])
    holds("edit", lambda: client.post(edit, rating), audit.Source.PAGE)
    undo = reverse("pipeline-undo", args=[pipeline.pk, newest().pk])
    holds("undo", lambda: client.post(undo), audit.Source.PAGE, "Undo: Why")
    both = {"chosen": f"{pipeline.pk}:3,{other.pk}:1", "reason": "Why"}
    together = reverse("pipelines-together", args=["confirm"])
    holds("together", lambda: client.post(together, both), audit.Source.PAGE)
    assert findings() == []


def test_a_comment_written_corrected_and_removed_on_a_page(client, holds, findings):
    page = a_record(Pipeline).get_absolute_url()
    holds("write", lambda: client.post(page, {"text": "First"}), audit.Source.PAGE, reason="")
    comment = Comment.objects.get(text="First")
    change = {"text": "Second", "version": 1}
    address = f"/comments/{comment.pk}/"
    holds("correct", lambda: client.post(f"{address}change/", change), audit.Source.PAGE, "")
    removal = {"reason": "Why", "version": 2}
    holds("remove", lambda: client.post(f"{address}remove/", removal), audit.Source.PAGE)
    assert findings() == []


def test_going_back(client, holds, findings):
    pipeline = a_removable_one(Pipeline)
    pipeline.rag_comment = "Since"
    pipeline.save()
    back = restore_page(pipeline.history.get(version=1))
    form = {"reason": "Why", "version": 2}
    holds("restore", lambda: client.post(back, form), audit.Source.RESTORE)
    pipeline = Pipeline.objects.get(pk=pipeline.pk)
    then = restore_page(pipeline.history.get(version=2))
    pipeline.delete()
    form = {"reason": "Why", "version": 3}
    holds("bring back", lambda: client.post(then, form), audit.Source.RESTORE)
    with audit.change_set():
        make_contact()
        a_record(Pipeline).comments.create(text="All at once")
    undo = f"/audit/{newest().number}/undo/"
    holds("undo", lambda: client.post(undo, {"reason": "Why"}), audit.Source.UNDO)
    assert findings() == []


def test_merging(client, holds, findings):
    survivor, merged = make_counterparty("Alpha Power"), make_counterparty("Alfa Power")
    make_pipeline(lead_developer=merged)
    page = f"/counterparties/{survivor.pk}/merge/?with={merged.pk}"
    form = client.get(page).context["form"]
    form = {field.html_name: field.value() for field in form} | {"reason": "Why"}
    holds("merge", lambda: client.post(page, form), audit.Source.MERGE)
    assert not Counterparty.objects.filter(pk=merged.pk).exists()
    assert findings() == []


def test_an_acknowledgement(holds, administrator):
    models.QuerySet(Facility).update(region="Past the history")
    (finding,) = Check().findings()
    given = {"user": administrator.username, "reason": "Why"}

    def acknowledge():
        call_command("audit_check", acknowledge=finding.fingerprint, **given)

    holds("acknowledge", acknowledge, audit.Source.COMMAND, person=administrator)
    assert Acknowledgement.objects.latest("created_at").fingerprint == finding.fingerprint


def test_an_import(holds, findings, portfolio_manager, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    given = {"apply": True, "user": portfolio_manager.username, "reason": "Why"}
    holds("import", lambda: call_command("import_demo_csv", DEMO, **given), audit.Source.IMPORT)
    assert findings() == []


def test_commands_that_only_read_write_nothing():
    with nothing_written():
        call_command("audit_check")
        call_command("rebuild_search", verbosity=0)


def test_the_commands_of_the_history_package_cannot_clean_it(part):
    contact = make_contact()
    contact.save()
    contact.save()
    for name, given in (("clean_old_history", {"days": -1}), ("clean_duplicate_history", {})):
        refused = pytest.raises(IntegrityError, match="never changed or removed")
        with part(name), nothing_written(), refused, transaction.atomic():
            call_command(name, auto=True, verbosity=0, **given)
    with nothing_written():
        call_command("populate_history", auto=True, verbosity=0)


def test_no_command_and_no_source_is_forgotten():
    """load_sample, which run_local calls, makes two years of change sets: see
    tests/dashboard/sample."""
    ours = {"oegen", "counterparties", "pipelines", "infopoints", "dashboard"}
    commands = {name for name, app in get_commands().items() if app.split(".")[0] in ours}
    # audit_check reads, unless it is told to acknowledge.
    writing, reading = (
        {"import_demo_csv", "import_table", "ingest", "load_sample", "audit_check"},
        {"rebuild_search", "rebuild_facts", "ask", "warehouse_sync", "warehouse_models"},
    )
    assert commands <= writing | reading | {"work", "run_local", "grant_reporting"}
    in_the_admin = {"form", "table"}
    here = {"api", "board", "page", "restore", "undo", "merge", "import", "command"}
    in_code = {"code", "migration", "sample"}
    assert set(audit.Source) == in_the_admin | here | in_code
