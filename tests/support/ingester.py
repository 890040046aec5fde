"""A process that ingests a file. It sends "ready", and begins when it gets a message.

The module can be imported before a fork: it sets up Django without connecting to the database.
"""

import os
from io import StringIO
from multiprocessing.connection import Connection

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
if not apps.ready:
    django.setup()

from django.core.management import call_command


def ingest(register: str, path: str, edition: str, line: Connection) -> None:
    line.send("ready")
    line.recv()
    call_command("ingest", register, path, f"--edition={edition}", stdout=StringIO())
