"""``make run``: the site on this machine, with sample data."""

import fcntl
import os
import secrets
import socket
import subprocess
import sys

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from counterparties.models import Counterparty
from infopoints.models import InformationPoint
from oegen.models import User
from oegen.people import roles
from pipelines.models import Pipeline

#: Username, first and last name, role.
DEMO_PEOPLE = [
    ("portfolio", "Priya", "Shah", roles.PORTFOLIO_MANAGERS),
    ("manager", "Morgan", "Reid", roles.MANAGERS),
    ("admin", "Ada", "Okafor", roles.ADMINISTRATORS),
]


#: How glibc gets memory for a server (docs/production.md).
MALLOC = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072"}


class Command(BaseCommand):
    help = (
        "Migrate, load the sample portfolio and create demo logins if the database is empty, then "
        "serve the site with gunicorn on 127.0.0.1; a second process runs its background jobs."
    )

    def handle(self, **options):
        if settings.SECURE:
            raise CommandError(
                f"run_local is for this machine, and BASE_URL is {settings.BASE_URL}. In "
                "production run `manage.py migrate` and then gunicorn oegen.wsgi, see the README."
            )
        self._lock_folder()
        self._check_port_is_free()
        self.stdout.write("== Migrating the database")
        call_command("migrate", verbosity=0)
        if self.wants_sample():
            self.stdout.write("== Loading the sample portfolio")
            call_command("load_sample")
        self._make_demo_people()
        self._greet()
        self.stdout.flush()
        # Gunicorn replaces this process; the worker ends when gunicorn does.
        worker = [sys.executable, settings.BASE_DIR / "manage.py", "work", "--beside", os.getpid()]
        subprocess.Popen([str(word) for word in worker])  # noqa: S603 - our own command
        os.execve(  # noqa: S606 - the program is the one this environment installed
            sys.executable,
            [
                *(sys.executable, "-m", "gunicorn", "oegen.wsgi"),
                *("--bind", f"127.0.0.1:{settings.PORT}"),
                # Preloaded, because workers share the memory of what is loaded before they begin.
                *("--workers", "2", "--threads", "4", "--preload"),
                *("--access-logfile", os.environ.get("ACCESS_LOG", "/dev/null")),
                *("--log-level", "warning"),
            ],
            MALLOC | os.environ,
        )

    def _lock_folder(self):
        """Lock the folder, so that two processes don't set up one database. Gunicorn inherits the
        lock."""
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
        lock = os.open(settings.VAR_DIR / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.read(lock, 100).decode(errors="replace") or "just starting"
            raise CommandError(
                f"The site already runs on {settings.VAR_DIR} ({owner}). Stop that one, or give "
                "this one another folder and port: make run VAR_DIR=$PWD/var/other PORT=8001"
            ) from error
        os.truncate(lock, 0)
        os.write(lock, f"process {os.getpid()}, http://127.0.0.1:{settings.PORT}".encode())
        os.set_inheritable(lock, True)

    def wants_sample(self) -> bool:
        if any(model.objects.exists() for model in (Pipeline, Counterparty, InformationPoint)):
            return False
        if settings.SAMPLE is not None:
            return settings.SAMPLE
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return True
        self.stdout.write(
            "The database is empty. A sample portfolio of 60 invented projects, with excerpts of "
            "public registers beside it, shows what the tool does; it can't be taken out again, so "
            "your own data want a database without it."
        )
        while (answer := input("Load the sample? [y/n] ").strip().lower()) not in ("y", "n"):
            self.stdout.write("Type y or n.")
        return answer == "y"

    def _check_port_is_free(self):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", settings.PORT))
            except OSError as error:
                raise CommandError(
                    f"Port {settings.PORT} can't be used ({error.strerror}). Stop what runs there, "
                    "or choose another port: make run PORT=8001"
                ) from error

    @property
    def _logins_file(self):
        return settings.VAR_DIR / "demo-logins"

    def _make_demo_people(self):
        """Create three users with random passwords if nobody can sign in yet."""
        if User.objects.filter(is_active=True).exists():
            return
        lines = []
        for username, first_name, last_name, role in DEMO_PEOPLE:
            password = secrets.token_urlsafe(9)
            user = User.objects.create_user(
                username, password=password, first_name=first_name, last_name=last_name
            )
            user.groups.add(Group.objects.get(name=role))
            lines.append(f"{username:<10} {password}   {role}\n")
        self._logins_file.unlink(missing_ok=True)
        self._logins_file.touch(mode=0o600)
        self._logins_file.write_text("".join(lines))

    def _greet(self):
        self.stdout.write(f"\nThe site is at http://127.0.0.1:{settings.PORT}/\n")
        if self._logins_file.exists():
            self.stdout.write("Sign in with one of these (username, password, role):\n")
            for line in self._logins_file.read_text().splitlines():
                self.stdout.write(f"  {line}")
        self.stdout.write("\nCtrl-C stops it. The data stay.\n")
