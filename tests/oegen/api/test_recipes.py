"""The recipes of docs/api.md, run one after the other by curl's rules against a real server."""

import json
import re
import shlex
import urllib.error
import urllib.request
from pathlib import Path

from oegen.api.scopes import Scope
from oegen.models import ChangeSet
from pipelines.models import Pipeline
from tests.support.builders import make_counterparty, make_token

DOCS = Path(__file__).parents[3] / "docs" / "api.md"


def recipes() -> list[str]:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", DOCS.read_text(), re.DOTALL | re.MULTILINE)
    return [block.replace("\\\n", " ") for block in blocks if "curl" in block]


def run(command: str, **variables: str) -> tuple[int, dict]:
    """What curl would do with its options -X, -H and -d."""
    for name, value in variables.items():
        command = command.replace(f"${name}", value)
    words = shlex.split(command)[1:]
    method, body, headers, address = None, None, {}, ""
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-d":
            body = words.pop(0).encode()
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        else:
            address = word
    request = urllib.request.Request(address, body, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            text = answer.read().decode()
            return answer.status, json.loads(text) if text else {}
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_every_recipe_does_what_it_says(live_server, transactional_db, portfolio_manager):
    _, token = make_token(portfolio_manager, scopes=tuple(Scope))
    twice = make_counterparty("Twice")
    usual = {"SITE": live_server.url, "TOKEN": token}
    red, past, links, add, rate, move, attempt, bulk, remove, follow = recipes()

    assert run(red, **usual) == (200, {"next": None, "results": [], "count": 0})
    assert run(past, **usual)[0] == 200
    status, made = run(add, **usual)
    assert (status, made["stage"]) == (201, "discovery")
    assert run(add, **usual) == (201, made), "sent again, it is not done again"
    assert run(links, **usual, ID=made["id"]) == (200, {"next": None, "results": []})
    status, rated = run(rate, **usual, ID=made["id"])
    assert (status, rated["rag_status"], rated["version"]) == (200, "amber", 2), rated
    Pipeline.objects.get().transitions.update(effective_on="2026-05-01")
    status, moved = run(move, **usual, ID=made["id"])
    assert (status, moved["status"]) == (200, "Design"), moved
    status, tried = run(attempt, **usual, ID=made["id"])
    assert (status, tried["dry_run"]) == (200, True), tried
    assert not Pipeline.objects.get().on_hold
    status, many = run(bulk, **usual)
    assert (status, len(many["results"])) == (200, 2), many
    assert run(remove, **usual, ID=str(twice.pk)) == (204, {})
    status, feed = run(follow, **usual)
    assert status == 200
    numbers = [one["number"] for one in feed["results"]]
    assert numbers == list(range(1, ChangeSet.objects.latest("number").number + 1))
