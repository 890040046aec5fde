"""The processes of the race tests. For each task a process opens the page, sends "ready", waits for
"go", submits the form, and sends back the response.

The module can be imported before a fork: it sets up Django without connecting to the database.
"""

import multiprocessing
import os
from collections.abc import Callable
from io import StringIO
from multiprocessing.connection import Connection

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
if not apps.ready:
    django.setup()

from django.apps import apps as installed
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import setup_test_environment
from django.urls import reverse
from django.utils import timezone

from oegen.models import User
from pipelines.models import Pipeline
from tests.support.desk import Desk

reverse("pipelines")  # Imports the pages.

#: Submits the prepared request. Returns the status and the text of the response.
Send = Callable[[], tuple[int, str]]


def by_post(client: Client, address: str, data: dict) -> Send:
    def send():
        answer = client.post(address, data)
        text = answer.content.decode()
        if answer.status_code == 302:
            # The message of an action is on the page that it redirects to.
            text = client.get(answer["Location"]).content.decode()
        return answer.status_code, text

    return send


def form(client, number, key):
    pipeline = Pipeline.objects.get(pk=key)
    data = Desk(client).open(pipeline) | {"rag_comment": f"Racer {number}", "_save": "Save"}
    return by_post(client, Desk.url(pipeline), data)


def form_status(client, number, key):
    """A form that changes a row to which the locking query of another form may join."""
    pipeline = Pipeline.objects.get(pk=key)
    stage = pipeline.stage.__class__.objects.get(code=STAGES[number])
    data = Desk(client).open(pipeline) | {"stage": str(stage.pk), "change_reason": "Tender"}
    return by_post(client, Desk.url(pipeline), data | {"_save": "Save"})


def editable_list(client, number, key):
    address = reverse("admin:pipelines_pipeline_changelist")
    data = Desk(client).fields_of(client.get(address))
    row = next(name for name, value in data.items() if value == key)
    data |= {row.replace("-id", "-rag_comment"): f"Racer {number}", "_save": "Save"}
    return by_post(client, address, data)


STAGES = ["discovery", "procurement", "construction", "commissioning"]


def board(client, number, key):
    data = {
        "version": Pipeline.objects.get(pk=key).version,
        "to": STAGES[number],
        "effective_on": timezone.localdate().isoformat(),
        "reason": f"Racer {number}",
    }
    return by_post(client, reverse("pipeline-move", args=[key]), data)


def undo_move(client, number, key, change_set):
    return by_post(client, reverse("pipeline-undo", args=[key, change_set]), {})


def comment(client, number, key):
    address = reverse("pipeline", args=[key])
    return by_post(client, address, {"text": f"Racer {number}"})


def correct_comment(client, number, key):
    address = reverse("comment-change", args=[key])
    version = client.get(address).context["form"]["version"].value()
    return by_post(client, address, {"version": version, "text": f"Racer {number}"})


def remove_comment(client, number, key):
    address = reverse("comment-remove", args=[key])
    version = client.get(address).context["form"]["version"].value()
    return by_post(client, address, {"version": version, "reason": f"Racer {number}"})


def undo(client, number, change_set_number):
    address = reverse("change-set-undo", args=[change_set_number])
    return by_post(client, address, {"reason": f"Racer {number}"})


def restore(client, number, key, history_id):
    address = reverse("history-restore", args=["pipeline", key, history_id])
    version = client.get(address).context["form"]["version"].value()
    return by_post(client, address, {"version": version, "reason": f"Racer {number}"})


def merge(client, number, first, second):
    """Merge; half of the processes in the opposite direction."""
    stays, goes = (first, second) if number % 2 else (second, first)
    return _merge(client, number, stays, goes)


def _merge(client, number, stays, goes):
    address = f"{reverse('counterparty-merge', args=[stays])}?with={goes}"
    form = client.get(address).context["form"]
    data = {field.html_name: field.value() for field in form}
    return by_post(client, address, data | {"reason": f"Racer {number}"})


def merge_or_change(client, number, stays, goes):
    """Merge; half of the processes change the record that is merged away."""
    if number % 2:
        return _merge(client, number, stays, goes)
    merged = installed.get_model("counterparties.counterparty").objects.get(pk=goes)
    data = Desk(client).open(merged) | {"strategy": f"Racer {number}", "_save": "Save"}
    return by_post(client, Desk.url(merged), data)


def remove(client, number, key):
    address = reverse("admin:pipelines_pipeline_delete", args=[key])
    guard = client.get(address).context["guard"]
    return by_post(client, address, {"post": "yes", "guard": guard, "change_reason": "Twice"})


def action(client, number, name, *keys):
    address = reverse("admin:pipelines_pipeline_changelist")
    data = {"action": name, "_selected_action": keys, "index": "0", "change_reason": "All"}
    if name == "delete_selected":
        data["post"] = "yes"
    return by_post(client, address, data)


def add(client, number, model, **fields):
    """Add the same new record in all processes."""
    model = installed.get_model(model)
    data = Desk(client).open(model, "add") | fields | {"_save": "Save"}
    return by_post(client, Desk.url(model, "add"), data)


def save_view(client, number):
    return by_post(client, reverse("pipelines"), {"do": "save-view", "name": "Mine"})


def choose_page_size(client, number):
    return by_post(client, reverse("pipelines"), {"do": "page-size", "page_size": "25"})


def import_demo(client, number):
    from tests.dashboard.demo_import import DEMO

    # The progress bar's lock is then this process's own.
    multiprocessing.set_start_method("fork", force=True)

    def send():
        settings.VAR_DIR = settings.VAR_DIR / f"racer-{number}"
        output = StringIO()
        try:
            call_command("import_demo_csv", DEMO, apply=True, stdout=output)
        except CommandError as error:
            return 409, str(error)
        return 200, output.getvalue()

    return send


ACTIONS = {
    prepare.__name__: prepare
    for prepare in (
        form,
        form_status,
        editable_list,
        board,
        undo_move,
        comment,
        correct_comment,
        remove_comment,
        undo,
        restore,
        merge,
        merge_or_change,
        remove,
        action,
        add,
        save_view,
        choose_page_size,
        import_demo,
    )
}


def refuse_joins_in_locks(execute, sql, params, many, context):
    """Fail on a lock with a join: PostgreSQL drops the row if the join no longer holds after the
    wait."""
    locks = " FOR " in sql and "UPDATE" in sql.rpartition(" FOR ")[2]
    if locks and " JOIN " in sql.partition(" IN (SELECT ")[0]:
        raise AssertionError(f"A lock with a join: {sql}")
    return execute(sql, params, many, context)


def race(number: int, requests: Connection) -> None:
    """Run the tasks (person, name in ``ACTIONS``, arguments) received on ``requests``, until
    None."""
    setup_test_environment()  # Responses then have their context.
    with connection.execute_wrapper(refuse_joins_in_locks):
        while task := requests.recv():
            person, name, args, kwargs = task
            client = Client(raise_request_exception=False)
            client.force_login(User.objects.get(pk=person))
            send = ACTIONS[name](client, number, *args, **kwargs)
            requests.send("ready")
            requests.recv()
            requests.send(send())
