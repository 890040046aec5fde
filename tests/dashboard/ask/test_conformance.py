"""The conformance suite of the Model Context Protocol, against ``/mcp``."""

import subprocess
from pathlib import Path

import pytest

from oegen.api.scopes import Scope
from tests.support.builders import make_token
from tests.support.node import OLDEST_NODE, ROOT, find_node
from tests.support.token_proxy import TokenProxy

SUITE = ROOT / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
EXPECTED_FAILURES = Path(__file__).parent / "conformance_expected_failures.yml"


@pytest.mark.heavy
def test_the_conformance_suite_passes_but_for_what_is_not_offered(
    transactional_db, live_server, portfolio_manager, settings, tmp_path, is_full
):
    node = find_node()
    if not node or not SUITE.exists():
        needed = f"Needs Node.js {OLDEST_NODE} or newer and the front-end packages for tests."
        (pytest.fail if is_full else pytest.skip)(needed)
    _, secret = make_token(portfolio_manager, scopes=[Scope.ASK])
    with TokenProxy(live_server.url, secret) as proxy:
        # The site is reached by the proxy's address here.
        settings.CSRF_TRUSTED_ORIGINS = [proxy.origin]
        done = subprocess.run(
            [
                *(node, str(SUITE), "server", "--url", f"{proxy.origin}/mcp"),
                *("--expected-failures", str(EXPECTED_FAILURES), "--output-dir", str(tmp_path)),
            ],
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
