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

KEPT = """
import oegen.wsgi
from django.db import connection
with connection.cursor() as cursor:
    for name in ("cache_size", "temp_store"):
        print(*cursor.execute(f"PRAGMA {name}").fetchone())
"""


def test_views_are_loaded_but_no_connection_and_no_library_that_pages_do_not_need():
    assert run(LOADED).split() == ["True", "None", "None"]


def test_connections_to_sqlite_keep_one_mb_and_sort_in_files(tmp_path):
    kept = run(KEPT, DATABASE_URL=f"sqlite:///{tmp_path}/site.sqlite3")
    assert kept.split() == ["-1000", "1"]


def run(script: str, **variables: str) -> str:
    """What the script prints."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"} | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
