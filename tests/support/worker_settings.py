"""The settings of tests for worker processes: with the jobs of tests."""

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.support.job_kinds.apps.JobKindsConfig"]
