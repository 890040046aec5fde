"""A server that is killed between the commit and the answer: the repeated request writes nothing
more, and has the answer that the first did not get."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from counterparties.models import Counterparty
from oegen.api.scopes import Scope
from oegen.models import ChangeSet
from tests.support.builders import make_token
from tests.support.databases import database_url
from tests.support.dying_settings import HEADER

pytestmark = pytest.mark.usefixtures("transactional_db")

ROOT = Path(__file__).parents[3]
TIMEOUT_SECONDS = 60


class Server:
    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "django", "runserver", "--noreload", "--skip-checks"]
        self.process = subprocess.Popen(
            [*command, "--settings", "tests.support.dying_settings", f"127.0.0.1:{self.port}"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url()},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self):
        end = time.monotonic() + TIMEOUT_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            except OSError:
                assert self.process.poll() is None and time.monotonic() < end, "It didn't start."
                time.sleep(0.05)
            else:
                return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.wait()

    def send(self, method: str, path: str, body: dict, headers: dict) -> tuple[int, dict]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        line.request(
            method, path, json.dumps(body), {**headers, "Content-Type": "application/json"}
        )
        answer = line.getresponse()
        return answer.status, json.load(answer)


def test_what_was_committed_before_a_kill_is_done_once(portfolio_manager):
    _, secret = make_token(portfolio_manager, scopes=[Scope.READ, Scope.WRITE])
    sign_in = {"Authorization": f"Bearer {secret}"}
    address, body = "/api/v1/counterparties/", {"name": "Larch", "reason": "Met"}
    add = ("POST", address, body, sign_in | {"Idempotency-Key": "one"})
    before = ChangeSet.objects.count()
    lose_the_answer(add)
    larch = Counterparty.objects.get(name="Larch")
    with Server() as server:
        status, found = server.send(*add)
        assert (status, found["id"]) == (201, str(larch.pk))
        versioned = sign_in | {"Idempotency-Key": "two", "If-Match": '"1"'}
        change = "PATCH", f"{address}{larch.pk}/", body | {"name": "Larch Ltd"}, versioned
    lose_the_answer(change)
    with Server() as server:
        status, found = server.send(*change)
        assert (status, found["name"], found["version"]) == (200, "Larch Ltd", 2)
    assert Counterparty.objects.count() == 1
    assert ChangeSet.objects.count() == before + 2


def lose_the_answer(request: tuple[str, str, dict, dict]) -> None:
    method, address, body, headers = request
    with Server() as server:
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            server.send(method, address, body, headers | {HEADER: "1"})
        assert server.process.wait(TIMEOUT_SECONDS) < 0
