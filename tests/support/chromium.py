import os
import shutil

#: The one without a user interface comes first: it is a fifth faster.
NAMES = [
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
]
REMEDY = (
    "install Debian's package `chromium-headless-shell` or `chromium`, "
    "or set CHROMIUM to the path of one"
)


def find_chromium() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def is_required() -> bool:
    return os.environ.get("REQUIRE_BROWSER") == "1"
