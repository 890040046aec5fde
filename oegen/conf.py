"""The environment variables of the site, read and validated; the README lists them.

``read`` raises ImproperlyConfigured with a sentence that names the variable, the problem and the
remedy. Values of variables that hold a secret are never part of it.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

LOCAL_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

#: How long to wait for the mail server.
EMAIL_SECONDS = 20


@dataclass(frozen=True)
class Address:
    """Where the site is served. ``origin`` is its scheme, host and port; ``port`` is where
    ``make run`` listens."""

    port: int
    base_url: str
    origin: str
    host: str
    is_secure: bool
    allowed_hosts: list[str]


@dataclass(frozen=True)
class Mail:
    """``settings`` are Django's EMAIL_ settings, ``mailer`` the same as an entry of MAILERS."""

    is_configured: bool
    settings: dict[str, Any]
    mailer: dict[str, Any]
    sender: str


@dataclass(frozen=True)
class Anchors:
    """Where the anchors of the history go. ``key`` is an Ed25519 key in PEM; empty: the file
    anchor-key in VAR_DIR, which is created if missing."""

    folder: Path
    key: str
    email: list[str]
    slack_webhook_url: str


@dataclass(frozen=True)
class Tokens:
    """``peppers``: secrets by version from 1, with which access tokens are digested."""

    peppers: dict[int, str]


@dataclass(frozen=True)
class Outbound:
    """Receivers inside the company: networks that may be asked although they are not public, and a
    file with certificate authorities beside those of the system."""

    allowed_networks: tuple[IPv4Network | IPv6Network, ...]
    ca_bundle: Path | None


@dataclass(frozen=True)
class Ask:
    """The server of a model that answers questions; without a key none is asked. Budgets are tokens
    in a day, of one person and of all."""

    key: str
    base_url: str
    model: str
    personal: bool
    tokens_per_person: int
    tokens_per_day: int


@dataclass(frozen=True)
class Warehouse:
    """Where the tables of the warehouse are written, empty for nowhere; and whether with contacts,
    comments and people's names."""

    destination: str
    personal: bool


@dataclass(frozen=True)
class Environment:
    """``sample``: whether ``make run`` loads the sample into an empty database; None: ask on a
    terminal. ``proxies`` is the number of trusted proxies in front of the server."""

    var_dir: Path
    debug: bool
    sample: bool | None
    address: Address
    secret_key: str
    database: dict[str, Any]
    hsts_preload: bool
    proxies: int
    mail: Mail
    slack_webhook_url: str
    anchors: Anchors
    outbound: Outbound
    tokens: Tokens
    ask: Ask
    warehouse: Warehouse
    log_level: str


def read(base_dir: Path) -> Environment:
    var_dir = Path(env.str("VAR_DIR", default=str(base_dir / "var")))
    address = _address()
    mail = _mail(address)
    return Environment(
        var_dir=var_dir,
        debug=_flag("DEBUG", False),
        sample=_flag("SAMPLE", True) if env.str("SAMPLE", default="").strip() else None,
        address=address,
        secret_key=_secret_key(var_dir, address),
        database=_database(var_dir),
        hsts_preload=_flag("HSTS_PRELOAD", False),
        proxies=_proxies(),
        mail=mail,
        slack_webhook_url=_slack_webhook("SLACK_WEBHOOK_URL"),
        anchors=_anchors(var_dir, mail),
        outbound=Outbound(_allowed_networks(), _ca_bundle()),
        tokens=Tokens(_peppers()),
        ask=_ask(),
        warehouse=Warehouse(
            env.str("WAREHOUSE", default="").strip(), personal=_flag("WAREHOUSE_PERSONAL", False)
        ),
        log_level=env.str("LOG_LEVEL", default="WARNING"),
    )


def _error(name: str, problem: str, remedy: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} {problem}. {remedy}")


def _flag(name: str, default: bool) -> bool:
    text = env.str(name, default="").strip().lower()
    if text in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return default if text == "" else text in ("1", "true", "yes", "on")
    raise _error(name, f"is {text!r}", f"Set {name}=1 or {name}=0.")


def _number(name: str, default: int) -> int:
    text = env.str(name, default=str(default)).strip()
    if not text.isdigit():
        raise _error(name, f"is {text!r}", f"Set it to a whole number, such as {name}={default}.")
    return int(text)


def _proxies() -> int:
    text = env.str("BEHIND_PROXY", default="").strip().lower()
    if re.fullmatch(r"[0-9]", text):
        return int(text)
    try:
        return int(_flag("BEHIND_PROXY", False))
    except ImproperlyConfigured as error:
        raise _error(
            "BEHIND_PROXY", f"is {text!r}", "Set it to the number of proxies: BEHIND_PROXY=1."
        ) from error


def _address() -> Address:
    port = _number("PORT", 8000)
    url = env.str("BASE_URL", default=f"http://127.0.0.1:{port}").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _error(
            "BASE_URL", f"is {url!r}", "Set it to the site's address: https://pipeline.example.com"
        )
    _refuse_path(url, parts)
    is_secure = parts.scheme == "https"
    if not is_secure and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise _error(
            "BASE_URL",
            f"is {url!r}, which is neither https nor this machine",
            "Passwords must not travel in the clear: set BASE_URL to the https:// address.",
        )
    default = [parts.hostname] if is_secure else LOCAL_HOSTS
    hosts = [host.strip() for host in env.list("ALLOWED_HOSTS", default=default) if host.strip()]
    if not hosts:
        raise _error("ALLOWED_HOSTS", "is empty", f"Set ALLOWED_HOSTS={parts.hostname}.")
    origin = f"{parts.scheme}://{parts.netloc}"
    return Address(port, url, origin, parts.hostname, is_secure, hosts)


def _refuse_path(url: str, parts: SplitResult) -> None:
    has_path = bool(parts.path or parts.query or parts.fragment)
    if has_path or env.str("SCRIPT_NAME", default=""):
        raise _error(
            "BASE_URL",
            f"is {url!r}" if has_path else "can't be served below a path, as SCRIPT_NAME asks",
            "The site wants a host name of its own: set BASE_URL=https://pipeline.example.com, "
            "without a path, and leave SCRIPT_NAME out.",
        )


def _secret_key(var_dir: Path, address: Address) -> str:
    """The variable SECRET_KEY or, for a site without https, the key that `make setup` wrote."""
    key = env.str("SECRET_KEY", default="")
    key_file = var_dir / "secret-key"
    if not key and not address.is_secure and key_file.is_file():
        key = key_file.read_text().strip()
    if not key:
        raise _error(
            "SECRET_KEY",
            "is not set",
            "Run `make setup`, which makes one for this machine, or set SECRET_KEY to a random "
            'text of at least 50 characters: python -c "import secrets; '
            'print(secrets.token_urlsafe(64))"',
        )
    if address.is_secure and len(key) < 50:
        raise _error(
            "SECRET_KEY", f"has {len(key)} characters", "Set it to a random text of at least 50."
        )
    return key


def _database(var_dir: Path) -> dict[str, Any]:
    url = env.str("DATABASE_URL", default=f"sqlite:///{var_dir / 'oegen.sqlite3'}")
    scheme = url.partition(":")[0]
    if scheme not in ("postgres", "postgresql", "sqlite"):
        raise _error(
            "DATABASE_URL",
            f"begins with {scheme!r}",
            "Set DATABASE_URL=postgres://user:password@host:5432/name or "
            "DATABASE_URL=sqlite:////path/to/file.sqlite3",
        )
    database: dict[str, Any] = env.db_url_config(url)
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
        options = database.setdefault("OPTIONS", {})
        # Compiling a statement takes longer than running it: 1.5 to 3.6 s for the larger ones. The
        # application analyses temporary tables only, and with PostgreSQL's own target of 100 that
        # takes longer than filling them. Groups of 100,000 facts are hashed only with more memory
        # than PostgreSQL's own 4 MB: to sort them on disk takes five times as long. The same holds
        # for temporary tables of what is compared, which don't fit into 8 MB.
        settings = (
            "-c jit=off -c default_statistics_target=10 -c work_mem=64MB -c temp_buffers=32MB"
        )
        # What the address says counts, if it says something else.
        options["options"] = f"{settings} {options.get('options', '')}".strip()
        # From the second time on, statements of oegen.core.compiled are planned once.
        options.setdefault("prepare_threshold", 1)
        database["CONN_MAX_AGE"] = _number("CONN_MAX_AGE", 600)
        database["CONN_HEALTH_CHECKS"] = True
    return database


def _slack_webhook(name: str) -> str:
    url = env.str(name, default="").strip()
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    if url and not (parts.hostname and (parts.scheme == "https" or is_local)):
        # Not with its value, which is a secret.
        raise _error(
            name,
            "is no https:// address",
            "Set it to the address that Slack gave for the channel: "
            "https://hooks.slack.com/services/… or leave it out.",
        )
    return url


def _mail(address: Address) -> Mail:
    url = env.str("EMAIL_URL", default="").strip()
    try:
        found = env.email_url_config(url or "dummymail://")
    except (ImproperlyConfigured, ValueError) as error:
        # Not with its value, which contains a password.
        raise _error(
            "EMAIL_URL",
            "is not understood",
            "Set EMAIL_URL=smtp+tls://user:password@host:587, or consolemail:// to print e-mail.",
        ) from error
    settings = {key: value for key, value in found.items() if key.startswith("EMAIL_") and value}
    sender = env.str("EMAIL_FROM", default=f"OEGen pipeline <oegen@{address.host}>")
    if parseaddr(sender)[1].count("@") != 1:
        raise _error(
            "EMAIL_FROM",
            f"is {sender!r}",
            "Set it to the address that alerts come from: OEGen pipeline <oegen@example.com>",
        )
    mailer = _mailer(settings)
    return Mail(bool(url), settings | {"EMAIL_TIMEOUT": EMAIL_SECONDS}, mailer, sender)


def _mailer(settings: dict[str, Any]) -> dict[str, Any]:
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
    options = {option: settings[name] for name, option in names.items() if name in settings}
    if settings["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
        options = {"host": "localhost", "timeout": EMAIL_SECONDS} | options
    return {"BACKEND": settings["EMAIL_BACKEND"], "OPTIONS": options}


def _anchors(var_dir: Path, mail: Mail) -> Anchors:
    email = [one.strip() for one in env.list("ANCHOR_EMAIL", default=[]) if one.strip()]
    if email and not mail.is_configured:
        raise _error("EMAIL_URL", "is not set, and ANCHOR_EMAIL is", "Set both or none.")
    return Anchors(
        folder=Path(env.str("ANCHOR_DIR", default=str(var_dir / "anchors"))),
        key=env.str("ANCHOR_KEY", default="").replace("\\n", "\n").strip(),
        email=email,
        slack_webhook_url=_slack_webhook("ANCHOR_SLACK_WEBHOOK_URL"),
    )


def _allowed_networks() -> tuple[IPv4Network | IPv6Network, ...]:
    texts = [one.strip() for one in env.list("OUTBOUND_ALLOWED_NETWORKS", default=[])]
    return tuple(_allowed_network(text) for text in texts if text)


def _allowed_network(text: str) -> IPv4Network | IPv6Network:
    remedy = "List the networks of your own receivers only: 10.20.0.0/16,192.168.7.5/32"
    try:
        network = ip_network(text)
    except ValueError as error:
        raise _error(
            "OUTBOUND_ALLOWED_NETWORKS", f"holds {text!r}, which is no network", remedy
        ) from error
    if network.prefixlen == 0:
        raise _error("OUTBOUND_ALLOWED_NETWORKS", f"holds {text!r}, which is every address", remedy)
    return network


def _ca_bundle() -> Path | None:
    text = env.str("OUTBOUND_CA_BUNDLE", default="").strip()
    if not text:
        return None
    try:
        ssl.create_default_context(cafile=text)
    except OSError as error:  # An SSLError is one.
        raise _error(
            "OUTBOUND_CA_BUNDLE",
            f"is {text!r}, which is no readable file of certificates",
            "Set it to the path of a PEM file with the certificates of your own authorities.",
        ) from error
    return Path(text)


def _peppers() -> dict[int, str]:
    peppers: dict[int, str] = {}
    for text in env.list("API_TOKEN_PEPPERS", default=[]):
        version, _, secret = text.strip().partition(":")
        is_version = re.fullmatch(r"[1-9][0-9]{0,3}", version) and int(version) not in peppers
        if not is_version or len(secret) < 32:
            # Not with its value, which is a secret.
            raise _error(
                "API_TOKEN_PEPPERS",
                "is not a list of versions with their secrets",
                "Set it to API_TOKEN_PEPPERS=1:secret, or 2:newer,1:older: each version once, a "
                "number from 1, and each secret a random text of at least 32 characters without "
                "commas.",
            )
        peppers[int(version)] = secret
    return peppers


def _ask() -> Ask:
    return Ask(
        key=env.str("OPENAI_API_KEY", default="").strip(),
        base_url=_model_server(),
        model=env.str("ASK_MODEL", default="").strip() or "gpt-4.1",
        personal=_flag("ASK_PERSONAL", False),
        tokens_per_person=_number("ASK_TOKENS_PER_PERSON", 500_000),
        tokens_per_day=_number("ASK_TOKENS_PER_DAY", 5_000_000),
    )


def _model_server() -> str:
    url = env.str("OPENAI_BASE_URL", default="").strip().rstrip("/")
    parts = urlsplit(url)
    if url and not (parts.scheme in ("http", "https") and parts.hostname):
        raise _error(
            "OPENAI_BASE_URL",
            f"is {url!r}",
            "Set it to the address of a server with OpenAI's interface, such as "
            "https://models.example.com/v1, or leave it out for OpenAI's own.",
        )
    if parts.username or parts.password:
        # Not with its value, which is a secret.
        raise _error(
            "OPENAI_BASE_URL", "holds a password", "Set OPENAI_API_KEY instead, and leave it out."
        )
    return url
