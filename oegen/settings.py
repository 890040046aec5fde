"""Settings, all from the environment (see the table in the README).

The security switches follow ``BASE_URL``: an ``https://`` address turns on secure cookies, the
redirect to HTTPS and HSTS; a plain ``http://`` address is accepted for this machine only.
"""

import re
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

LOCAL_HOSTS = ["127.0.0.1", "localhost", "[::1]"]


def _wrong(name: str, problem: str, remedy: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} {problem}. {remedy}")


def _flag(name: str, default: bool) -> bool:
    text = env.str(name, default="").strip().lower()
    if text in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return default if text == "" else text in ("1", "true", "yes", "on")
    raise _wrong(name, f"is {text!r}", f"Set {name}=1 or {name}=0.")


def _number(name: str, default: int) -> int:
    text = env.str(name, default=str(default)).strip()
    if not text.isdigit():
        raise _wrong(name, f"is {text!r}", f"Set it to a whole number, such as {name}={default}.")
    return int(text)


def _proxies() -> int:
    text = env.str("BEHIND_PROXY", default="").strip().lower()
    if re.fullmatch(r"[0-9]", text):
        return int(text)
    try:
        return int(_flag("BEHIND_PROXY", False))
    except ImproperlyConfigured as error:
        raise _wrong(
            "BEHIND_PROXY", f"is {text!r}", "Set it to the number of proxies: BEHIND_PROXY=1."
        ) from error


#: Whether `make run` loads the sample into an empty database; None: ask on a terminal.
SAMPLE = _flag("SAMPLE", True) if env.str("SAMPLE", default="").strip() else None
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
DEBUG = _flag("DEBUG", False)

# The site's URL ----------------------------------------------------------------------------------

PORT = _number("PORT", 8000)
BASE_URL = env.str("BASE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
_base = urlsplit(BASE_URL)
if _base.scheme not in ("http", "https") or not _base.hostname:
    raise _wrong(
        "BASE_URL", f"is {BASE_URL!r}", "Set it to the site's address: https://pipeline.example.com"
    )
if _base.path or _base.query or _base.fragment or env.str("SCRIPT_NAME", default=""):
    raise _wrong(
        "BASE_URL",
        f"is {BASE_URL!r}"
        if _base.path or _base.query or _base.fragment
        else "can't be served below a path, as SCRIPT_NAME asks",
        "The site wants a host name of its own: set BASE_URL=https://pipeline.example.com, "
        "without a path, and leave SCRIPT_NAME out.",
    )
SECURE = _base.scheme == "https"
if not SECURE and _base.hostname not in ("127.0.0.1", "localhost", "::1"):
    raise _wrong(
        "BASE_URL",
        f"is {BASE_URL!r}, which is neither https nor this machine",
        "Passwords must not travel in the clear: set BASE_URL to the https:// address.",
    )
ALLOWED_HOSTS = [
    host.strip()
    for host in env.list("ALLOWED_HOSTS", default=[_base.hostname] if SECURE else LOCAL_HOSTS)
    if host.strip()
]
if not ALLOWED_HOSTS:
    raise _wrong("ALLOWED_HOSTS", "is empty", f"Set ALLOWED_HOSTS={_base.hostname}.")
CSRF_TRUSTED_ORIGINS = [f"{_base.scheme}://{_base.netloc}"]


def _secret_key() -> str:
    """The variable SECRET_KEY or, for a site without https, the key that `make setup` wrote."""
    key = env.str("SECRET_KEY", default="")
    key_file = VAR_DIR / "secret-key"
    if not key and not SECURE and key_file.is_file():
        key = key_file.read_text().strip()
    if not key:
        raise _wrong(
            "SECRET_KEY",
            "is not set",
            "Run `make setup`, which makes one for this machine, or set SECRET_KEY to a random "
            'text of at least 50 characters: python -c "import secrets; '
            'print(secrets.token_urlsafe(64))"',
        )
    if SECURE and len(key) < 50:
        raise _wrong(
            "SECRET_KEY", f"has {len(key)} characters", "Set it to a random text of at least 50."
        )
    return key


SECRET_KEY = _secret_key()

# Applications ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "oegen.apps.OEGenConfig",
    "counterparties.apps.CounterpartiesConfig",
    "pipelines.apps.PipelinesConfig",
    "infopoints.apps.InfopointsConfig",
    "dashboard.apps.DashboardConfig",
    "oegen.apps.OEGenAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "oegen.apps.OEGenStaticFilesConfig",
    "django.contrib.humanize",
    "simple_history",
    "django_filters",
    "django_tables2",
    "django_countries",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "oegen.people.sessions.KeepAliveMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "oegen.people.middleware.SignInMiddleware",
    "oegen.people.middleware.NoStoreMiddleware",
    "oegen.people.middleware.AuditMiddleware",
    "oegen.pages.middleware.NotAllowedPageMiddleware",
    "oegen.asof.middleware.PastMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "oegen.urls"
WSGI_APPLICATION = "oegen.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "oegen.alerts.mentions.people_by_username",
            ],
            "builtins": ["oegen.templatetags.oegen"],
        },
    }
]

# Database ----------------------------------------------------------------------------------------


def _database() -> dict[str, Any]:
    url = env.str("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'oegen.sqlite3'}")
    scheme = url.partition(":")[0]
    if scheme not in ("postgres", "postgresql", "sqlite"):
        raise _wrong(
            "DATABASE_URL",
            f"begins with {scheme!r}",
            "Set DATABASE_URL=postgres://user:password@host:5432/name or "
            "DATABASE_URL=sqlite:////path/to/file.sqlite3",
        )
    database = env.db_url_config(url)
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["OPTIONS"] = {
            # Take the write lock at the start of a transaction, so that writers wait for each
            # other instead of failing when they upgrade a read lock.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-64000; "
                "PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY;"
            ),
        }
    else:
        database["CONN_MAX_AGE"] = _number("CONN_MAX_AGE", 600)
        database["CONN_HEALTH_CHECKS"] = True
    return database


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Shared between the workers.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": VAR_DIR / "cache",
    }
}

# People ------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "oegen.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "login"

# Security ----------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
# Both affect other hosts of the domain, and the second is hard to revert: opt-in only. The preload
# list requires that subdomains are included.
SECURE_HSTS_PRELOAD = SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE and _flag("HSTS_PRELOAD", False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # about the two settings above
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
SESSION_ENGINE = "oegen.people.sessions"
SESSION_COOKIE_AGE = 60 * 60 * 8  # of inactivity
SESSION_ENDS_AFTER = timedelta(days=14)
X_FRAME_OPTIONS = "DENY"
#: The number of trusted proxies in front of this server.
BEHIND_PROXY = _proxies()
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Tabler's stylesheet has data: URLs for check marks and arrows.
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# History -----------------------------------------------------------------------------------------

SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True
SIMPLE_HISTORY_DATE_INDEX = "composite"

# Language and time -------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = ["oegen.formats"]

# Static files ------------------------------------------------------------------------------------

NODE_MODULES = BASE_DIR / "node_modules"
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [
    ("vendor/tabler/css", NODE_MODULES / "@tabler/core/dist/css"),
    ("vendor/chart.js", NODE_MODULES / "chart.js/dist"),
    ("vendor/htmx", NODE_MODULES / "htmx.org/dist"),
    ("vendor/leaflet", NODE_MODULES / "leaflet/dist"),
    ("vendor/markercluster", NODE_MODULES / "leaflet.markercluster/dist"),
    ("vendor/topojson", NODE_MODULES / "topojson-client/dist"),
    ("vendor/world-atlas", NODE_MODULES / "world-atlas"),
]
ICONS_DIR = NODE_MODULES / "@tabler/icons/icons"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# Alerts ------------------------------------------------------------------------------------------

#: How long to wait for the mail server.
EMAIL_SECONDS = 20


def _slack_webhook(name: str) -> str:
    url = env.str(name, default="").strip()
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    if url and not (parts.hostname and (parts.scheme == "https" or is_local)):
        # Not with its value, which is a secret.
        raise _wrong(
            name,
            "is no https:// address",
            "Set it to the address that Slack gave for the channel: "
            "https://hooks.slack.com/services/… or leave it out.",
        )
    return url


def _email() -> dict[str, Any]:
    """Django's EMAIL_ settings; without the variable no e-mail is sent."""
    url = env.str("EMAIL_URL", default="").strip()
    try:
        found = env.email_url_config(url or "dummymail://")
    except (ImproperlyConfigured, ValueError) as error:
        # Not with its value, which contains a password.
        raise _wrong(
            "EMAIL_URL",
            "is not understood",
            "Set EMAIL_URL=smtp+tls://user:password@host:587, or consolemail:// to print e-mail.",
        ) from error
    return {name: value for name, value in found.items() if name.startswith("EMAIL_") and value}


def _mailer(email: dict[str, Any]) -> dict[str, Any]:
    """The EMAIL_ settings as an entry of MAILERS."""
    names = {
        "EMAIL_HOST": "host",
        "EMAIL_PORT": "port",
        "EMAIL_HOST_USER": "username",
        "EMAIL_HOST_PASSWORD": "password",
        "EMAIL_USE_TLS": "use_tls",
        "EMAIL_USE_SSL": "use_ssl",
        "EMAIL_FILE_PATH": "file_path",
    }
    options = {option: email[name] for name, option in names.items() if name in email}
    if email["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
        options = {"host": "localhost", "timeout": EMAIL_SECONDS} | options
    return {"BACKEND": email["EMAIL_BACKEND"], "OPTIONS": options}


SLACK_WEBHOOK_URL = _slack_webhook("SLACK_WEBHOOK_URL")
#: Whether e-mail is configured.
SENDS_EMAIL = bool(env.str("EMAIL_URL", default="").strip())
if django.VERSION < (6, 1):
    vars().update(_email())
    EMAIL_TIMEOUT = EMAIL_SECONDS
else:  # Django 6.1 deprecates the EMAIL_ settings.
    MAILERS = {"default": _mailer(_email())}
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default=f"OEGen pipeline <oegen@{_base.hostname}>")
if parseaddr(DEFAULT_FROM_EMAIL)[1].count("@") != 1:
    raise _wrong(
        "EMAIL_FROM",
        f"is {DEFAULT_FROM_EMAIL!r}",
        "Set it to the address that alerts come from: OEGen pipeline <oegen@example.com>",
    )

# Anchors of the history --------------------------------------------------------------------------

#: The folder for hourly anchors, ideally on an append-only volume.
ANCHOR_DIR = Path(env.str("ANCHOR_DIR", default=str(VAR_DIR / "anchors")))
#: An Ed25519 key in PEM; by default the file anchor-key in VAR_DIR, which is created if missing.
ANCHOR_KEY = env.str("ANCHOR_KEY", default="").replace("\\n", "\n").strip()
ANCHOR_EMAIL = [one.strip() for one in env.list("ANCHOR_EMAIL", default=[]) if one.strip()]
if ANCHOR_EMAIL and not SENDS_EMAIL:
    raise _wrong("EMAIL_URL", "is not set, and ANCHOR_EMAIL is", "Set both or none.")
ANCHOR_SLACK_WEBHOOK_URL = _slack_webhook("ANCHOR_SLACK_WEBHOOK_URL")

# Tables ------------------------------------------------------------------------------------------

DJANGO_TABLES2_TEMPLATE = "oegen/table.html"

# Logging -----------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "oegen.core.logs.LineFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
