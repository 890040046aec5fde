"""The site's own settings, with a throw-away key and database."""

import os
from pathlib import Path

VAR_DIR = Path(__file__).resolve().parent.parent / "var" / "test"
(VAR_DIR / "static").mkdir(parents=True, exist_ok=True)

os.environ["VAR_DIR"] = str(VAR_DIR)
os.environ["SECRET_KEY"] = "for the tests only, of no use anywhere else, and long enough"
os.environ["BASE_URL"] = "http://127.0.0.1"
os.environ["ALLOWED_HOSTS"] = "127.0.0.1,localhost,testserver"

from oegen.settings import *  # noqa: E402, F403
from oegen.settings import DATABASES, STORAGES  # noqa: E402

# A file, not memory: the live server's threads then use the locking that production uses.
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Nothing here must survive a power cut.
    options = DATABASES["default"]["OPTIONS"]
    options["init_command"] = options["init_command"].replace("=FULL", "=OFF")
    DATABASES["default"]["TEST"] = {
        "NAME": str(VAR_DIR / f"test{os.environ.get('OEGEN_TEST_DB_SUFFIX', '')}.sqlite3")
    }

# Test runs share nothing.
JOB_FILES_DIR = VAR_DIR / f"job-files{os.environ.get('PYTEST_XDIST_WORKER', '')}"
IMPORT_FILES_DIR = VAR_DIR / f"import-files{os.environ.get('PYTEST_XDIST_WORKER', '')}"
IMPORT_FILES_DIR = VAR_DIR / f"import-files{os.environ.get('PYTEST_XDIST_WORKER', '')}"
CACHES = {
    name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": name}
    for name in ("default", "counters", "markup")
}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# Cut already by `make setup`, unless that was told another VAR_DIR.
BASEMAP_DIR = VAR_DIR.parent / "basemap"

# The live server's pages come from the sources, looked up one by one: nothing is collected first.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
