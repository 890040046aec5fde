"""The command of ``make run`` as a process: data, logins, server, and a second run."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from dashboard.management.commands.run_local import Command
from tests.support.builders import make_counterparty

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Site:
    """run_local in a directory of its own, on a free port."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.log = (self.folder / "log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "run_local"],
            cwd=ROOT,
            env={**inherited, "VAR_DIR": str(self.folder), "PORT": str(self.port)},
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        started = time.monotonic()
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() - started > 150:
                self.__exit__()
                pytest.fail(f"The site did not come up:\n{self.output()}")
            time.sleep(0.1)
        return self

    def __exit__(self, *exception):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)
        self.log.flush()

    def output(self) -> str:
        return (self.folder / "log").read_text()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
                line.sendall(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
                return b" 200 " in line.recv(100)
        except OSError:
            return False

    def worker(self) -> int:
        """The process that runs background jobs beside the server."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        (worker,) = [
            int(child)
            for child in children.split()
            if "\0work\0" in Path(f"/proc/{child}/cmdline").read_text()
        ]
        return worker

    def logins(self) -> dict[str, str]:
        lines = (self.folder / "demo-logins").read_text().splitlines()
        return {line.split()[0]: line.split()[1] for line in lines}

    def sign_in(self, username: str, password: str):
        """A browser-like opener with the person's session."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        page = opener.open(f"{self.url}/login/").read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
        form = {"csrfmiddlewaretoken": token, "username": username, "password": password}
        body = urllib.parse.urlencode(form).encode()
        landed = opener.open(f"{self.url}/login/", body)
        assert landed.url == f"{self.url}/", "the sign-in was refused"
        return opener


def run_local(folder: Path, port: int) -> subprocess.CompletedProcess:
    """Run the command where it is expected to fail at once."""
    return subprocess.run(
        [sys.executable, "manage.py", "run_local"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(folder), "PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def has_not_ended(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "secret-key").write_text("k7-" + "Qw8zR4tY" * 8)
    static = ["collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(
        [sys.executable, "manage.py", *static],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path)},
        check=True,
    )
    return tmp_path


def test_the_site_comes_up_with_data_and_logins_and_keeps_both(folder):
    with Site(folder) as site:
        logins = site.logins()
        assert set(logins) == {"portfolio", "manager", "admin"}
        assert stat.S_IMODE((folder / "demo-logins").stat().st_mode) == 0o600
        for username, password in logins.items():
            assert f"{username:<10} {password}" in site.output()
        assert site.url in site.output()
        worker = site.worker()
        opener = site.sign_in("portfolio", logins["portfolio"])
        assert opener.open(f"{site.url}/admin/").status == 200
        page = opener.open(f"{site.url}/")
        second = run_local(folder, free_port())
        assert second.returncode == 1
        assert f"The site already runs on {folder} (process {site.process.pid}, " in second.stderr
        assert "default-src 'self';" in f"{page.headers['Content-Security-Policy']};"
        html = page.read().decode()
        assert "Every project, company and person here is invented" in html
        style = re.search(r'href="(/static/oegen/css/base\.[^"]+\.css)"', html)[1]
        assert "immutable" in opener.open(site.url + style).headers["Cache-Control"]
    while has_not_ended(worker):
        time.sleep(0.1)
    with Site(folder) as site:
        assert "Loading the sample" not in site.output()
        assert site.logins() == logins
        site.sign_in("manager", logins["manager"])


def test_a_port_in_use_is_reported_before_anything_is_done(tmp_path):
    (tmp_path / "secret-key").write_text("k7-" + "Qw8zR4tY" * 8)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_local(tmp_path, port)
    assert done.returncode == 1
    assert f"Port {port} can't be used" in done.stderr
    assert not (tmp_path / "oegen.sqlite3").exists()


@pytest.mark.django_db
class TestWhetherTheSampleIsLoaded:
    @pytest.fixture(autouse=True)
    def on_a_terminal(self, monkeypatch):
        for stream in ("stdin", "stdout"):
            monkeypatch.setattr(getattr(sys, stream), "isatty", lambda: True, raising=False)

    @pytest.mark.parametrize(("answers", "wanted"), [(["y"], True), (["", "what", "n"], False)])
    def test_it_is_asked_on_a_terminal(self, monkeypatch, answers, wanted):
        monkeypatch.setattr("builtins.input", lambda _: answers.pop(0))
        assert Command().wants_sample() is wanted
        assert not answers

    @pytest.mark.parametrize("setting", [True, False])
    def test_the_setting_answers_before_anybody_is_asked(self, settings, setting):
        settings.SAMPLE = setting
        assert Command().wants_sample() is setting

    def test_nothing_is_mixed_with_what_is_there(self, settings):
        settings.SAMPLE = True
        make_counterparty()
        assert Command().wants_sample() is False
