"""Settings come from the environment; a wrong one says which, and how to set it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
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
    # That HSTS names no subdomains and is not preloaded, unless it is asked to.
    assert "no issues (2 silenced)" in done.stdout


@pytest.mark.parametrize(("asked", "expected"), [({}, "False"), ({"HSTS_PRELOAD": "1"}, "True")])
def test_hsts_promises_nothing_for_other_hosts_unless_asked(tmp_path, asked, expected):
    names = ("SECONDS", "INCLUDE_SUBDOMAINS", "PRELOAD")
    print_them = "; ".join(f"print(settings.SECURE_HSTS_{name})" for name in names)
    done = manage(
        tmp_path,
        "shell",
        "-v0",
        "-c",
        f"from django.conf import settings; {print_them}",
        **PRODUCTION,
        **asked,
    )
    assert done.stdout.split() == ["31536000", expected, expected], done.stderr


def test_files_are_private_those_of_earlier_times_too(tmp_path):
    folder = tmp_path / "var"
    (folder / "rejects").mkdir(parents=True)
    (folder / "static").mkdir()
    kept = [folder / name for name in ("secret-key", "oegen.sqlite3", "rejects/pipelines.csv")]
    for path in [*kept, folder / "static" / "site.css"]:
        path.write_text("k7-" + "Qw8zR4tY" * 8 if path.name == "secret-key" else "")
        path.chmod(0o644)
    for path in (folder, folder / "rejects", folder / "static"):
        path.chmod(0o755)
    new = folder / "new"
    touch = f"import pathlib; pathlib.Path({str(new)!r}).touch()"
    assert manage(folder, "shell", "-v0", "-c", touch).returncode == 0
    private = [folder, folder / "rejects", *kept, new]
    assert [oct(path.stat().st_mode & 0o077) for path in private] == ["0o0"] * len(private)
    assert (folder / "static" / "site.css").stat().st_mode & 0o077 == 0o044


def test_a_folder_that_is_everybody_s_is_left_alone(tmp_path):
    tmp_path.chmod(0o1777)
    (tmp_path / "secret-key").write_text("k7-" + "Qw8zR4tY" * 8)
    assert manage(tmp_path, "check").returncode == 0
    assert tmp_path.stat().st_mode & 0o7777 == 0o1777


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set. Run `make setup`"),
        ("SECRET_KEY", "short", "SECRET_KEY has 5 characters. Set it to a random text"),
        ("BASE_URL", "pipeline.example.com", "BASE_URL is 'pipeline.example.com'. Set it to"),
        ("BASE_URL", "http://pipeline.example.com", "neither https nor this machine"),
        ("BASE_URL", "https://example.com/tool", "without a path"),
        ("SCRIPT_NAME", "/tool", "can't be served below a path, as SCRIPT_NAME asks"),
        ("SAMPLE", "perhaps", "SAMPLE is 'perhaps'. Set SAMPLE=1 or SAMPLE=0."),
        ("DATABASE_URL", "nonsense", "begins with 'nonsense'. Set DATABASE_URL=postgres://"),
        ("DATABASE_URL", "mysql://a:b@c/d", "begins with 'mysql'. Set DATABASE_URL=postgres://"),
        ("DEBUG", "maybe", "DEBUG is 'maybe'. Set DEBUG=1 or DEBUG=0."),
        ("PORT", "http", "PORT is 'http'. Set it to a whole number"),
        ("BEHIND_PROXY", "nginx", "BEHIND_PROXY is 'nginx'. Set it to the number of proxies"),
        ("SLACK_WEBHOOK_URL", "http://slack.example/x", "is no https:// address. Set it to"),
        ("EMAIL_URL", "mail.example.com", "EMAIL_URL is not understood. Set EMAIL_URL=smtp+tls:"),
        ("EMAIL_URL", "smtp://mail.example.com:x", "EMAIL_URL is not understood."),
        ("EMAIL_FROM", "us", "EMAIL_FROM is 'us'. Set it to the address that alerts come from"),
        ("OUTBOUND_ALLOWED_NETWORKS", "10.0.0.1/8", "holds '10.0.0.1/8', which is no network."),
        ("OUTBOUND_ALLOWED_NETWORKS", "0.0.0.0/0", "which is every address. List the networks"),
        ("OUTBOUND_CA_BUNDLE", "/nowhere.pem", "which is no readable file of certificates. Set"),
        ("API_TOKEN_PEPPERS", "hush", "is not a list of versions with their secrets. Set it to"),
        ("API_TOKEN_PEPPERS", "1:hush", "is not a list of versions with their secrets. Set it"),
        ("ALLOWED_HOSTS", " ", "ALLOWED_HOSTS is empty. Set ALLOWED_HOSTS=pipeline.example.com."),
        ("OPENAI_BASE_URL", "models.example.com", "https://models.example.com/v1"),
        ("OPENAI_BASE_URL", "https://me:secret@models.example.com", "Set OPENAI_API_KEY instead"),
        ("ASK_TOKENS_PER_DAY", "many", "ASK_TOKENS_PER_DAY=5000000"),
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


def test_sqlite_loses_nothing_in_a_power_cut_and_takes_its_lock_at_the_start(tmp_path):
    (tmp_path / "secret-key").write_text("k7-" + "Qw8zR4tY" * 8)
    done = manage(
        tmp_path,
        "shell",
        "-v0",
        "-c",
        "from django.db import connection as c; cursor = c.cursor(); "
        "pragma = lambda name: cursor.execute(f'PRAGMA {name}').fetchone()[0]; "
        "print(pragma('journal_mode'), pragma('synchronous'), c.transaction_mode)",
    )
    assert done.stdout.split() == ["wal", "2", "IMMEDIATE"], done.stderr


def test_run_local_refuses_a_public_address(tmp_path):
    done = manage(tmp_path, "run_local", **PRODUCTION)
    assert done.returncode == 1
    assert "run_local is for this machine" in done.stderr
