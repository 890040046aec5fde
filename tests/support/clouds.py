"""The storage of clouds on loopback: S3 by moto, Azure by Azurite, each a process of its own.

``make test-full`` installs both into ``.venv-clouds``, apart from all other packages.
"""

import base64
import hashlib
import hmac
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from http.client import HTTPConnection
from pathlib import Path

from tests.support.node import OLDEST_NODE, ROOT, find_node

CLOUDS = ROOT / ".venv-clouds"
PYTHON = CLOUDS / "bin/python"
AZURITE = CLOUDS / "node_modules/azurite/dist/src/blob/main.js"

#: The account that each Azurite has, with its key, which is no secret.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

#: The bucket or container.
BOX = "box"


class NotInstalledError(Exception):
    """What of a cloud is not on this machine. The text says how to install it."""


@dataclass(frozen=True)
class Cloud:
    """``environment`` is what programs find it by that write to ``url``."""

    url: str
    environment: dict[str, str]


@contextmanager
def s3() -> Iterator[Cloud]:
    """Raises NotInstalledError."""
    if not PYTHON.exists():
        raise NotInstalledError("Needs moto in .venv-clouds: run `make .venv-clouds/.stamp`.")
    command = [str(PYTHON), str(ROOT / "tests/support/s3_server.py")]
    with _serving(command, r"(\d+)") as port:
        _put(port, f"/{BOX}", {})
        environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "eu-west-2",
            "AWS_ACCESS_KEY_ID": "an-id",
            "AWS_SECRET_ACCESS_KEY": "a-secret-key",
        }
        yield Cloud(f"s3://{BOX}/oegen", environment)


@contextmanager
def azure() -> Iterator[Cloud]:
    """Raises NotInstalledError."""
    node = find_node()
    if not node or not AZURITE.exists():
        raise NotInstalledError(
            f"Needs Node.js {OLDEST_NODE} or newer, and Azurite in .venv-clouds: run "
            "`make .venv-clouds/.stamp`."
        )
    command = [node, str(AZURITE), "--blobHost", "127.0.0.1", "--blobPort", "0"]
    command += ["--inMemoryPersistence", "--disableTelemetry", "--silent"]
    with _serving(command, r"listens on http://127\.0\.0\.1:(\d+)") as port:
        _make_container(port)
        environment = {
            "AZURE_STORAGE_USE_EMULATOR": "true",
            "AZURITE_BLOB_STORAGE_URL": f"http://127.0.0.1:{port}",
        }
        yield Cloud(f"abfss://{BOX}@{ACCOUNT}.dfs.core.windows.net/oegen", environment)


CLOUD_SERVERS = {"S3": s3, "Azure": azure}


@contextmanager
def _serving(command: list[str], ready: str) -> Iterator[int]:
    """Start a server, and wait for the line that names its port."""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(command[0]).parent,
        start_new_session=True,
    ) as process:
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if found := re.search(ready, line):
                    yield int(found[1])
                    return
            raise RuntimeError(f"{Path(command[0]).name} ended: {''.join(said)}")
        finally:
            # The node of a wheel is a program that starts Node.js.
            os.killpg(process.pid, signal.SIGKILL)


def _make_container(port: int) -> None:
    """With a signature as Azure's storage asks for (“Authorize with Shared Key”)."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    signed = [
        *("PUT", *[""] * 11),
        *(f"{name}:{value}" for name, value in headers.items()),
        *(f"/{ACCOUNT}/{ACCOUNT}/{BOX}", "restype:container"),
    ]
    digest = hmac.new(base64.b64decode(ACCOUNT_KEY), "\n".join(signed).encode(), hashlib.sha256)
    signature = base64.b64encode(digest.digest()).decode()
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{signature}"
    _put(port, f"/{ACCOUNT}/{BOX}?restype=container", headers)


def _put(port: int, path: str, headers: dict[str, str]) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("PUT", path, headers=headers | {"Content-Length": "0"})
    response = connection.getresponse()
    if response.status not in (200, 201):
        raise RuntimeError(f"PUT {path}: {response.status} {response.read().decode()}")
    connection.close()
