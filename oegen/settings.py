"""Settings; what differs between sites comes from the environment (oegen/conf.py).

The security switches follow ``BASE_URL``: an ``https://`` address turns on secure cookies, the
redirect to HTTPS and HSTS; a plain ``http://`` address is accepted for this machine only.
"""

from datetime import timedelta
from pathlib import Path

import django
from csp.constants import NONE, SELF

from oegen import conf

BASE_DIR = Path(__file__).resolve().parent.parent
_environment = conf.read(BASE_DIR)

VAR_DIR = _environment.var_dir
DEBUG = _environment.debug
#: Whether `make run` loads the sample into an empty database; None: ask on a terminal.
SAMPLE = _environment.sample
SECRET_KEY = _environment.secret_key

# The site's URL ----------------------------------------------------------------------------------

PORT = _environment.address.port
BASE_URL = _environment.address.base_url
SECURE = _environment.address.is_secure
ALLOWED_HOSTS = _environment.address.allowed_hosts
CSRF_TRUSTED_ORIGINS = [_environment.address.origin]

# Applications ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "oegen.apps.OEGenConfig",
    "counterparties.apps.CounterpartiesConfig",
    "pipelines.apps.PipelinesConfig",
    "pipelines.registers.apps.RegistersConfig",
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
    "django_tasks",
    "django_tasks_db",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "oegen.pages.middleware.CompressionMiddleware",
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
FORM_RENDERER = "oegen.core.rendering.FormRenderer"

# Database ----------------------------------------------------------------------------------------

DATABASES = {"default": _environment.database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Shared between the workers.
CACHES = {
    "default": {
        "BACKEND": "oegen.core.file_cache.FileCache",
        "LOCATION": VAR_DIR / "cache",
        # By default 300: a day's lists would push out what takes long to compute.
        "OPTIONS": {"MAX_ENTRIES": 2000},
    },
    # What is counted of requests (oegen.core.counters): figures must not push it out, nor it them.
    "counters": {
        "BACKEND": "oegen.core.file_cache.FileCache",
        "LOCATION": VAR_DIR / "counters",
        "OPTIONS": {"MAX_ENTRIES": 5000},
    },
    # What is the same on every page (oegen/base.html): of one process, and drawn anew where
    # templates may be edited.
    "markup": {
        "BACKEND": "django.core.cache.backends."
        + ("dummy.DummyCache" if DEBUG else "locmem.LocMemCache"),
        "LOCATION": "markup",
    },
}

# People ------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "oegen.User"
AUTHENTICATION_BACKENDS = ["oegen.people.backend.Backend"]
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

# Access tokens -----------------------------------------------------------------------------------

#: Secrets by version; the highest digests new tokens, without any a key derived from SECRET_KEY.
API_TOKEN_PEPPERS = _environment.tokens.peppers
#: Requests in a minute by one token.
API_REQUESTS_PER_MINUTE = 600
#: Requests in a minute from one address with tokens that are not known, before it has to wait.
API_UNKNOWN_PER_MINUTE = 30

# Security ----------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
# Both affect other hosts of the domain, and the second is hard to revert: opt-in only. The preload
# list requires that subdomains are included.
SECURE_HSTS_PRELOAD = SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE and _environment.hsts_preload
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # about the two settings above
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
SESSION_ENGINE = "oegen.people.sessions"
SESSION_COOKIE_AGE = 60 * 60 * 8  # of inactivity
SESSION_ENDS_AFTER = timedelta(days=14)
X_FRAME_OPTIONS = "DENY"
#: The number of trusted proxies in front of this server.
BEHIND_PROXY = _environment.proxies
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
]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "oegen.pages.basemap.BasemapFinder",
]
#: What the basemap is made of, and where its pieces are kept.
ATLAS_DIR = NODE_MODULES / "world-atlas"
BASEMAP_DIR = VAR_DIR / "basemap"
ICONS_DIR = NODE_MODULES / "@tabler/icons/icons"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# Alerts ------------------------------------------------------------------------------------------

SLACK_WEBHOOK_URL = _environment.slack_webhook_url
#: Whether e-mail is configured.
SENDS_EMAIL = _environment.mail.is_configured
if django.VERSION < (6, 1):
    vars().update(_environment.mail.settings)
else:  # Django 6.1 deprecates the EMAIL_ settings.
    MAILERS = {"default": _environment.mail.mailer}
DEFAULT_FROM_EMAIL = _environment.mail.sender

# API ---------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "oegen.api.rest.schema.RecordSchema",
    "EXCEPTION_HANDLER": "oegen.api.rest.problems.handle",
    "COERCE_DECIMAL_TO_STRING": True,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OEGen pipeline",
    "DESCRIPTION": "Renewable projects in development, the companies they are developed with, and "
    "what is learnt about the market.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "OutcomeEnum": "pipelines.choices.Outcome",
        "RegisterOutcomeEnum": "pipelines.registers.choices.RegisterOutcome",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "oegen.api.rest.schema.share_problems",
    ],
}

# Questions ---------------------------------------------------------------------------------------

#: Without a key no model is asked; an empty address is OpenAI's own.
OPENAI_API_KEY = _environment.ask.key
OPENAI_BASE_URL = _environment.ask.base_url
ASK_MODEL = _environment.ask.model
#: Whether contacts, comments and people's names may be sent to the model.
ASK_PERSONAL = _environment.ask.personal
#: Tokens in a day, of one person and of the whole site; no question is begun beyond them.
ASK_TOKENS_PER_PERSON = _environment.ask.tokens_per_person
ASK_TOKENS_PER_DAY = _environment.ask.tokens_per_day
#: How often a model may be asked for one answer, how long that may take, and how many answers may
#: be in the making on this host.
ASK_ROUNDS = 6
ASK_SECONDS = 20
ASK_AT_A_TIME = 4

# Warehouse ---------------------------------------------------------------------------------------

#: A folder, s3://bucket/folder or abfss://container@account.dfs.core.windows.net/folder; empty:
#: none is written. Credentials are in the environment, where the libraries look for them.
WAREHOUSE = _environment.warehouse.destination
#: Whether contacts, comments and people's names are written too: files that are only added to
#: can't forget them.
WAREHOUSE_PERSONAL = _environment.warehouse.personal

# Background jobs ---------------------------------------------------------------------------------

TASKS = {
    "default": {
        "BACKEND": "django_tasks_db.DatabaseBackend",
        "QUEUES": ["quick", "long", "outbound"],  # as oegen.jobs.kinds has them
    }
}
#: The files that jobs make for people to fetch.
JOB_FILES_DIR = VAR_DIR / "job-files"
#: The files that people import, for a week.
IMPORT_FILES_DIR = VAR_DIR / "import-files"

# Anchors of the history --------------------------------------------------------------------------

#: The folder for hourly anchors, ideally on an append-only volume.
ANCHOR_DIR = _environment.anchors.folder
ANCHOR_KEY = _environment.anchors.key
ANCHOR_EMAIL = _environment.anchors.email
ANCHOR_SLACK_WEBHOOK_URL = _environment.anchors.slack_webhook_url

# Requests to other servers -----------------------------------------------------------------------

#: Networks that may be asked although they are not public (oegen.core.outbound).
OUTBOUND_ALLOWED_NETWORKS = _environment.outbound.allowed_networks
OUTBOUND_CA_BUNDLE = _environment.outbound.ca_bundle

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
    "root": {"handlers": ["console"], "level": _environment.log_level},
}
