"""Settings come from the environment; a wrong one says which, and how to set it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "BASE_URL": "https://pipeline.example.com",
    "SECRET_KEY": "k7-" + "Qw8zR4tY" * 8,
    "DATABASE_URL": "postgres://oegen:secret@db.example.com:5432/oegen",
}


def manage(tmp_path, *arguments, **variables):
    """manage.py in a process of its own, with these variables and nothing else of ours."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**inherited, "VAR_DIR": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_check_deploy_is_clean_with_production_settings(tmp_path):
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set. Run `make setup`"),
        ("SECRET_KEY", "short", "SECRET_KEY has 5 characters. Set it to a random text"),
        ("BASE_URL", "pipeline.example.com", "BASE_URL is 'pipeline.example.com'. Set it to"),
        ("BASE_URL", "http://pipeline.example.com", "neither https nor this machine"),
        ("DATABASE_URL", "nonsense", "begins with 'nonsense'. Set DATABASE_URL=postgres://"),
        ("DATABASE_URL", "mysql://a:b@c/d", "begins with 'mysql'. Set DATABASE_URL=postgres://"),
        ("DEBUG", "maybe", "DEBUG is 'maybe'. Set DEBUG=1 or DEBUG=0."),
        ("PORT", "http", "PORT is 'http'. Set it to a whole number"),
        ("BEHIND_PROXY", "nginx", "BEHIND_PROXY is 'nginx'. Set it to the number of proxies"),
        ("SLACK_WEBHOOK_URL", "http://slack.example/x", "is no https:// address. Set it to"),
        ("EMAIL_URL", "mail.example.com", "EMAIL_URL is not understood. Set EMAIL_URL=smtp+tls:"),
        ("EMAIL_URL", "smtp://mail.example.com:x", "EMAIL_URL is not understood."),
        ("EMAIL_FROM", "us", "EMAIL_FROM is 'us'. Set it to the address that alerts come from"),
        ("ALLOWED_HOSTS", " ", "ALLOWED_HOSTS is empty. Set ALLOWED_HOSTS=pipeline.example.com."),
    ],
)
def test_a_wrong_setting_says_which_and_how_to_set_it(tmp_path, variable, value, sentence):
    done = manage(tmp_path, "check", **{**PRODUCTION, variable: value})
    assert done.returncode != 0
    assert sentence in done.stderr


def test_the_key_of_make_setup_serves_this_machine_only(tmp_path):
    (tmp_path / "secret-key").write_text("k7-" + "Qw8zR4tY" * 8)
    assert manage(tmp_path, "check").returncode == 0
    public = manage(tmp_path, "check", BASE_URL="https://pipeline.example.com")
    assert "SECRET_KEY is not set" in public.stderr


def test_sqlite_runs_in_wal_mode_and_takes_its_lock_at_the_start(tmp_path):
    (tmp_path / "secret-key").write_text("k7-" + "Qw8zR4tY" * 8)
    done = manage(
        tmp_path,
        "shell",
        "-v0",
        "-c",
        "from django.db import connection as c; cursor = c.cursor(); "
        "print(cursor.execute('PRAGMA journal_mode').fetchone()[0], c.transaction_mode)",
    )
    assert done.stdout.split() == ["wal", "IMMEDIATE"], done.stderr


def test_run_local_refuses_a_public_address(tmp_path):
    done = manage(tmp_path, "run_local", **PRODUCTION)
    assert done.returncode == 1
    assert "run_local is for this machine" in done.stderr
