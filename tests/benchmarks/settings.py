"""The settings of the tests, with caches that several processes share, as in production."""

from tests.settings import *  # noqa: F403
from tests.settings import VAR_DIR

# isort: split
# Only now: the tests' settings set what the site's read.
from oegen.settings import CACHES as SITE_CACHES

CACHES = {
    name: one | {"LOCATION": VAR_DIR / "benchmark" / name} for name, one in SITE_CACHES.items()
}
