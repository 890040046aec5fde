"""The check of the history by several processes, which PostgreSQL lets read one snapshot."""

import os
import subprocess
import sys

import pytest

from tests.support.builders import make_pipeline
from tests.support.databases import database_url

pytestmark = pytest.mark.usefixtures("transactional_db")


def test_several_processes_find_what_one_finds(tamper):
    pipeline = make_pipeline("Kestrel", capacity_mw=50)
    pipeline.rag_comment = "Said"
    pipeline.save()
    tamper("UPDATE pipelines_historicalpipeline SET rag_comment = %s WHERE version = 2", "Other")
    tamper("UPDATE pipelines_pipeline SET rag_comment = %s", "Past the history")
    one, several = (check_in(number) for number in (1, 2))
    assert one == several
    assert "it does not say what it said when sealed" in one
    assert "it was changed past the history" in one


def check_in(processes: int) -> str:
    """What the command prints, in a process of its own, where nothing is in a transaction."""
    ran = subprocess.run(
        [sys.executable, "-m", "django", "audit_check", "--processes", str(processes)],
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1, ran.stderr
    return ran.stdout + ran.stderr
