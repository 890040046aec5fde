"""What a server loads before its workers begin, which share it then."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

LOADED = """
import sys
import oegen.wsgi
from django.db import connection
rare = {"cryptography", "deltalake", "openai", "pyarrow", "pyproj", "slack_sdk", "xlsxwriter"}
print("dashboard.views" in sys.modules, rare & set(sys.modules) or None, connection.connection)
"""


def test_views_are_loaded_but_no_connection_and_no_library_that_pages_do_not_need():
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["True", "None", "None"], done.stderr
