"""Who a management command writes as."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import CommandError

from oegen.people.models import User


def add_user_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--user", metavar="NAME", help="the user recorded in the history")


def named_user(name: str | None) -> User | None:
    """The user of ``--user``; None if nobody is named. Raises CommandError."""
    if name is None:
        return None
    found = User.objects.filter(username=name).first()
    if found is None:
        raise CommandError(
            f"There is no user “{name}”. Give --user the name somebody signs in with."
        )
    return found
