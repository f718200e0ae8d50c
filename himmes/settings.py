"""All settings, from the environment (or the git-ignored file `.env`); docs/settings.md has the table.

Closed by default: without a variable the site runs with DEBUG off, over HTTPS only, and refuses to start without a key.
"""

import re
import sys
import warnings
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import environ
from corsheaders.defaults import default_headers
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from whitenoise.compress import Compressor

from common.durations import read_duration
from himmes.operations.logs import logging_config
from machines.episode_rules import read_rule


class Environment(environ.FileAwareEnv):
    """The variables; DJANGO_SECRET_KEY_FILE and its like name a file to read instead, as secrets are often mounted."""

    class Variables(environ.fileaware_mapping.FileAwareMapping):
        def __getitem__(self, key):
            if self.env.get(key) and self.env.get(f"{key}_FILE"):
                raise ImproperlyConfigured(f"{key} and {key}_FILE are both set. Remove the one that is not meant.")
            return super().__getitem__(key).rstrip("\r\n")  # the line end of a file is no part of a value

    ENVIRON = Variables()
    CACHE_SCHEMES = environ.FileAwareEnv.CACHE_SCHEMES | {"dbcache": "himmes.caching.DatabaseCache"}


BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DJANGO_DEBUG", default=False)
SECRET_KEY = env.str("DJANGO_SECRET_KEY", default="")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "DJANGO_SECRET_KEY is not set. `make run` writes a file .env with one; for production put 50 random characters "
        "or more into the environment, or the path of a file that holds them into DJANGO_SECRET_KEY_FILE."
    )
ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default=["127.0.0.1", "localhost"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("DJANGO_CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "himmes.accounts",
    "himmes.audit",
    "himmes.operations",
    "machines",
    "vibration",
    "diagnosis",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "auditlog",
    "axes",
    "corsheaders",
    "csp",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
]

MIDDLEWARE = [
    "himmes.operations.requests.RequestLogMiddleware",
    "himmes.operations.health.HealthMiddleware",
    # Around ApiErrorsMiddleware, which writes bodies anew.
    "django.middleware.gzip.GZipMiddleware",
    "himmes.api.errors.ApiErrorsMiddleware",
    "himmes.middleware.PortMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "himmes.middleware.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # static files, before anybody asks for a login
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "himmes.middleware.LanguageMiddleware",
    "himmes.serving.bodies.BodyLimitMiddleware",  # before anybody reads a body
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "himmes.accounts.sessions.SessionRenewalMiddleware",
    "himmes.accounts.initial_passwords.InitialPasswordMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "himmes.accounts.login_limits.LoginTriesMiddleware",
    "himmes.middleware.TooManyRequestsMiddleware",
]

ROOT_URLCONF = "himmes.urls"
WSGI_APPLICATION = "himmes.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.template.context_processors.tz",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database -------------------------------------------------------------------------------------------------------

try:
    with warnings.catch_warnings(action="error"):
        _database = env.db_url("DATABASE_URL", default="sqlite:///var/himmes.sqlite3")
except (ValueError, UserWarning):
    _database = {}
if _database.get("ENGINE", "").removeprefix("django.db.backends.") not in ("sqlite3", "mysql") or not _database["NAME"]:
    # Without the value, which holds a password.
    raise ImproperlyConfigured(
        "DATABASE_URL can't be read. Write sqlite:///file or mysql://user:password@host:3306/name, with special "
        "characters of the password percent-encoded."
    )
DATABASES = {"default": _database}
if _database["ENGINE"] == "django.db.backends.sqlite3":
    if _database["NAME"] != ":memory:":
        # A relative path counts from the project's folder, whatever folder a command is started in.
        _database["NAME"] = BASE_DIR / _database["NAME"]
        _database["NAME"].parent.mkdir(parents=True, exist_ok=True)
    _database.setdefault("OPTIONS", {}).update(
        # IMMEDIATE: a transaction that reads first and writes later would otherwise fail, not wait, when another
        # writer came between. The timeout is how long a writer waits for its turn, in seconds.
        transaction_mode="IMMEDIATE",
        timeout=60,
        init_command="PRAGMA journal_mode=WAL; PRAGMA cache_size=-16384;",
    )
    # Tests, too, run on a file with several connections: an in-memory database locks in other ways.
    _database["TEST"] = {"NAME": f"{_database['NAME']}.test"}
elif _database["ENGINE"] == "django.db.backends.mysql":
    # How long to wait for a server that hangs, in seconds; it may be overruled in DATABASE_URL (?read_timeout=3600). An
    # answer takes minutes when a recording of many millions of samples is deleted, and hours when `migrate` alters a
    # large table: cut off there, half of a migration would stay.
    _patience_s = 0 if "migrate" in sys.argv[1:2] else 300
    _database["OPTIONS"] = {
        "connect_timeout": 5,
        "read_timeout": _patience_s,
        "write_timeout": _patience_s,
    } | _database.get("OPTIONS", {})
    _tls = _database["OPTIONS"]
    if "ssl_ca" in _tls:
        # The driver wants a dictionary; and with a certificate authority alone it would still check no certificate, and
        # do without TLS where a server has none.
        _tls["ssl"] = {"ca": _tls.pop("ssl_ca")}
        _tls.setdefault("ssl_mode", "VERIFY_IDENTITY")
    if _tls.get("ssl_mode") == "REQUIRED":
        # On Debian's libmariadb it requires nothing: where somebody takes TLS out of the server's greeting, the
        # password goes over an open line.
        raise ImproperlyConfigured(
            "DATABASE_URL: ssl_mode=REQUIRED can't be relied on. Name the file of the certificate authority, "
            "?ssl_ca=/path/ca.pem, and TLS is required and the server's certificate checked."
        )
    _database["OPTIONS"].update(
        charset="utf8mb4",
        # Strict: a value that does not fit is an error, not a shortened value.
        init_command="SET sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
        isolation_level="read committed",
    )
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
    _database["TEST"] = {"CHARSET": "utf8mb4"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Counts the API's calls, and keeps what the overview has drawn. Of one process by itself, unless a cache is named that
# all share.
CACHES = {"default": env.cache_url("DJANGO_CACHE_URL", default="locmemcache://")}
if CACHES["default"]["BACKEND"].endswith((".LocMemCache", ".DatabaseCache")):
    # Enough that nobody pushes another's count out by calling under many addresses. Redis does not know the option.
    CACHES["default"].setdefault("OPTIONS", {}).setdefault("MAX_ENTRIES", 100_000)

# --- Language and time ----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "ko"  # what a browser gets that asks for neither of the two
LANGUAGES = [("ko", "한국어"), ("en", "English")]
LOCALE_PATHS = [
    BASE_DIR / "locale",
    BASE_DIR / "himmes" / "package_texts",  # what Django's and other packages' pages say, in better Korean
]
USE_I18N = True
FORMAT_MODULE_PATH = "himmes.formats"
USE_TZ = True
TIME_ZONE = env.str("DJANGO_TIME_ZONE", default="Asia/Seoul")  # the plant's

# --- What is sent to the pages ----------------------------------------------------------------------------------------

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # bytes of a form
FILE_UPLOAD_HANDLERS = ["himmes.serving.bodies.NoFiles"]  # the API's upload has its own

# --- Static files: ours, and the front-end packages straight from node_modules --------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATIC_STORAGE = "django.contrib.staticfiles.storage.StaticFilesStorage"
if not DEBUG:
    # `collectstatic` gives each file a name with a hash, which a browser keeps for ever, and compresses it once.
    STATIC_STORAGE = "himmes.static_files.StaticFiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": STATIC_STORAGE},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Maps are large, and asked for by developers only.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [*Compressor.SKIP_COMPRESS_EXTENSIONS, "map"]
NODE_MODULES = BASE_DIR / "node_modules"
FRONT_END_PACKAGES = {
    "bootstrap": "dist/css",
    "chart.js": "dist",
    "chartjs-adapter-luxon": "dist",
    "chartjs-plugin-annotation": "dist",
    "chartjs-plugin-zoom": "dist",
    "hammerjs": "",
    "htmx.org": "dist",
    "luxon": "build/global",
}
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *((f"packages/{name}", NODE_MODULES / name / folder) for name, folder in FRONT_END_PACKAGES.items()),
]

# --- Who may come in ------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    # What was stored before; renewed at the next login.
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# Length and how easily it is guessed, not which kinds of characters it has.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "himmes.accounts.passwords.NotEasilyGuessed"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
# Failures until a lock: of a name from one address; from one address, whatever the names; of a name from anywhere. The
# last is high: at 5 from each, it takes 20 addresses to lock somebody out of his account from everywhere.
LOGIN_FAILURE_LIMITS = (5, env.int("DJANGO_LOGIN_ADDRESS_LIMIT", default=50), 100)
if LOGIN_FAILURE_LIMITS[1] < 5:
    raise ImproperlyConfigured("DJANGO_LOGIN_ADDRESS_LIMIT must be a number of failed logins, 5 or more.")
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address", "username"]
AXES_FAILURE_LIMIT = LOGIN_FAILURE_LIMITS[0]
AXES_HANDLER = "himmes.accounts.login_limits.LoginLimits"
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True  # logins are in the audit trail
AXES_ENABLE_ADMIN = False  # himmes/accounts/admin.py shows what is locked
AXES_LOCKOUT_CALLABLE = "himmes.accounts.login_limits.locked_out"
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "common.addresses.counted_address_of"
# How long a login lasts without a request. A screen on the wall asks each second, so it stays.
SESSION_COOKIE_AGE = env.int("DJANGO_SESSION_HOURS", default=12) * 3600
if SESSION_COOKIE_AGE < 3600:
    raise ImproperlyConfigured("DJANGO_SESSION_HOURS must be a number of hours, 1 or more.")

# --- The audit trail ------------------------------------------------------------------------------------------------

# Names as they were, not numbers of what may be deleted since
AUDITLOG_USE_FK_STRING_REPRESENTATION = True
AUDITLOG_CID_GETTER = "himmes.operations.logs.current_request_id"  # what the log calls the request
AUDITLOG_DISABLE_ON_RAW_SAVE = True  # what loaddata restores was noted when it was done

# --- The API --------------------------------------------------------------------------------------------------------

BEHIND_PROXY = env.bool("DJANGO_BEHIND_PROXY", default=False)
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "himmes.accounts.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["himmes.accounts.permissions.RolePermissions"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["himmes.api.parsing.JsonParser"],
    "DEFAULT_THROTTLE_CLASSES": ["himmes.accounts.throttling.CallerThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "caller": env.str("DJANGO_API_RATE", default="200/second"),
        "stranger": env.str("DJANGO_API_STRANGER_RATE", default="30/minute"),
        "export": env.str("DJANGO_EXPORT_RATE", default="60/minute"),
    },
    # Whose address a request came from: X-Forwarded-For can be forged where no proxy writes it.
    "NUM_PROXIES": 1 if BEHIND_PROXY else 0,
    "DEFAULT_SCHEMA_CLASS": "himmes.api.schema.Operation",
    "EXCEPTION_HANDLER": "himmes.api.errors.answer",
}
KNOX_TOKEN_MODEL = "himmes.ApiToken"  # noqa: S105  the name of a model
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": None}
API_MAX_ROWS = env.int("DJANGO_API_MAX_ROWS", default=10_000)  # in one posted list
API_MAX_BODY_BYTES = env.int("DJANGO_API_MAX_BODY_BYTES", default=10 * 2**20)  # of JSON or of captures, decompressed
API_MAX_UPLOAD_BYTES = env.int("DJANGO_API_MAX_UPLOAD_BYTES", default=200 * 2**20)  # of one CSV upload, as it is sent
# Of one CSV upload, decompressed, and how long its import may take. At 180,000 rows a second, as MariaDB takes them,
# 200 MiB of samples take 25 s.
API_MAX_UPLOAD_CONTENT_BYTES = env.int("DJANGO_API_MAX_UPLOAD_CONTENT_BYTES", default=200 * 2**20)
API_MAX_UPLOAD_SECONDS = env.int("DJANGO_API_MAX_UPLOAD_SECONDS", default=30)
API_MAX_RESULT_ROWS = 250_000  # in one answer; of a list, the next ones are behind its Link
# Of what was measured or diagnosed: before lies what a clock says that was reset, most often 1970
EARLIEST_YEAR = env.int("DJANGO_EARLIEST_YEAR", default=2000)
API_REGISTERS_MACHINES = env.bool("DJANGO_API_REGISTERS_MACHINES", default=True)
CORS_ALLOWED_ORIGINS = env.list("DJANGO_CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_HEADERS = [*default_headers, "content-encoding", "if-match"]
CORS_EXPOSE_HEADERS = ["ETag", "Link", "X-Limit", "X-Total-Count"]
CORS_URLS_REGEX = r"^/api/"
SPECTACULAR_SETTINGS = {
    "TITLE": "HIM-MES API",
    "VERSION": "1",
    "DESCRIPTION": "회전기계 진동 데이터와 진단 / vibration data and diagnoses of rotating machines.\n\n"
    "모든 요청에 로그인 또는 API 토큰이 필요합니다. / Every request needs a login or an API token: "
    "`Authorization: Bearer <token>`. A trailing slash is optional on every path. A time without an offset is plant "
    "time. Errors are RFC 9457 problem details.",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SERVE_INCLUDE_SCHEMA": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {  # of those that several fields have
        "QuantityUnitEnum": "vibration.api.trends.serializers.QUANTITY_UNITS",
        "BearingReasonEnum": "vibration.api.spectra.serializers.BEARING_REASONS",
        "CursorKindEnum": "vibration.api.spectra.serializers.KINDS",
        "CursorReasonEnum": "vibration.api.spectra.serializers.CURSOR_REASONS",
        "ReasonEnum": "vibration.api.capture_serializers.REASONS",
        "ShaftSourceEnum": "vibration.api.capture_serializers.SHAFT_SOURCES",
        "UnitEnum": "vibration.api.capture_serializers.UNITS",
    },
    "SCHEMA_PATH_PREFIX": "/api/",
    # In the order in which people look for them
    "TAGS": [
        {"name": name}
        for name in (
            "진동 데이터 / vibration data",
            "측정 신호 / captures",
            "진단 / diagnoses",
            "에피소드 / episodes",
            "측정 기록 / recordings",
            "설비 / machines",
            "센서 / sensors",
            "문서 / documentation",
        )
    ],
    "PREPROCESSING_HOOKS": ["himmes.api.schema.without_trailing_slash"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "himmes.api.schema.with_errors",
    ],
}

# --- The pages ------------------------------------------------------------------------------------------------------

# How long a machine may go without a diagnosis until it is shown as stale, where it says nothing else itself
EXPECTED_INTERVAL_MIN = env.int("DJANGO_EXPECTED_INTERVAL_MIN", default=60)
if EXPECTED_INTERVAL_MIN < 1:
    raise ImproperlyConfigured("DJANGO_EXPECTED_INTERVAL_MIN must be a number of minutes, 1 or more.")

# --- Alarms ---------------------------------------------------------------------------------------------------------

# When an episode opens and clears, where a machine has no rule of its own: after 2 faults among the last 3 diagnoses,
# and after 5 normal ones in a row
EPISODE_RULE = env.str("DJANGO_EPISODE_RULE", default="2/3/5")
try:
    read_rule(EPISODE_RULE)
except ValueError as error:
    raise ImproperlyConfigured(f"DJANGO_EPISODE_RULE: {error}.") from None
# What began longer ago is news to nobody: what is imported of it opens an episode, and tells no one.
NOTICE_AGE = timedelta(hours=env.int("DJANGO_NOTICE_HOURS", default=24))
if timedelta(hours=1) > NOTICE_AGE:
    raise ImproperlyConfigured("DJANGO_NOTICE_HOURS must be a number of hours, 1 or more.")

# --- Notices --------------------------------------------------------------------------------------------------------

# Where mail is handed over; without it notices by e-mail wait. Its parts have names of their own in Django.
_email_url = env.str("DJANGO_EMAIL_URL", default="")
DEFAULT_FROM_EMAIL = env.str("DJANGO_EMAIL_FROM", default="")
MAIL_IS_CONFIGURED = bool(_email_url)
EMAIL_TIMEOUT = 10  # seconds that a mail server may be silent
if MAIL_IS_CONFIGURED:
    try:
        _email = env.email_url_config(_email_url)
    except (ImproperlyConfigured, ValueError):
        _email = {"OPTIONS": None}
    if "OPTIONS" in _email or (_email_url.startswith("smtp") and not _email["EMAIL_HOST"]):
        # Without the value, which may hold a password.
        raise ImproperlyConfigured(
            "DJANGO_EMAIL_URL can't be read. Write smtp://host:25, smtp+tls://user:password@host:587 or "
            "smtp+ssl://user:password@host:465, with special characters of the password percent-encoded."
        )
    if not DEFAULT_FROM_EMAIL:
        raise ImproperlyConfigured(
            "DJANGO_EMAIL_FROM must be the address that mail comes from, as DJANGO_EMAIL_URL is set."
        )
    _email["EMAIL_PORT"] = _email["EMAIL_PORT"] or (
        465 if _email.get("EMAIL_USE_SSL") else 587 if _email.get("EMAIL_USE_TLS") else 25
    )
    vars().update(_email)
# The address of this site, for the links in notices; without it they have none.
SITE_URL = env.str("DJANGO_SITE_URL", default="").rstrip("/")
if SITE_URL and not re.fullmatch(r"https?://[^/?#@\s]+", SITE_URL):
    raise ImproperlyConfigured("DJANGO_SITE_URL must be scheme and host of this site, such as https://mes.example.org.")
# Networks of the plant that webhooks may go to, by plain HTTP too; public addresses need no mention.
try:
    WEBHOOK_ALLOWED_NETWORKS = [ip_network(it) for it in env.list("DJANGO_WEBHOOK_ALLOWED_NETWORKS", default=[])]
except ValueError as error:
    raise ImproperlyConfigured(
        f"DJANGO_WEBHOOK_ALLOWED_NETWORKS: {error}. Write networks such as 10.20.0.0/16,fd00:20::/32."
    ) from None
# Where `mqtt_gateway` gets its messages; see vibration/mqtt/broker.py for what may stand in it.
MQTT_URL = env.str("DJANGO_MQTT_URL", default="")
# Raw samples older than this are removed once a day by `manage.py work`; without it none are.
PRUNE_AFTER = env.str("DJANGO_PRUNE_AFTER", default="")
try:
    if PRUNE_AFTER and read_duration(PRUNE_AFTER) < timedelta(days=1):
        raise ValueError(f"'{PRUNE_AFTER}' is less than a day")
except ValueError as error:
    raise ImproperlyConfigured(f"DJANGO_PRUNE_AFTER: {error}.") from None
# The same of the samples of captures, whose features stay; None: forever.
_keep_captures = env.str("DJANGO_KEEP_CAPTURES", default="14d")
try:
    KEEP_CAPTURES = None if _keep_captures == "forever" else read_duration(_keep_captures)
    if KEEP_CAPTURES is not None and timedelta(days=1) > KEEP_CAPTURES:
        raise ValueError(f"'{_keep_captures}' is less than a day")
except ValueError as error:
    raise ImproperlyConfigured(f"DJANGO_KEEP_CAPTURES: {error}, or forever.") from None

# --- The log ---------------------------------------------------------------------------------------------------------

# To standard error: with DEBUG off one JSON object a line, else text.
LOG_LEVEL = env.str("DJANGO_LOG_LEVEL", default="INFO").upper()  # of our own loggers
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR"):
    raise ImproperlyConfigured("DJANGO_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR.")
LOGGING = logging_config(debug=DEBUG, level=LOG_LEVEL)

# --- What is watched -------------------------------------------------------------------------------------------------

# Less space on a disk that this server writes to, in MB of 2**20 bytes, and it is not ready.
READY_MIN_FREE_MB = env.int("DJANGO_READY_MIN_FREE_MB", default=100)
BUILD = env.str("DJANGO_BUILD", default="unknown")  # what this is a build of, for the metrics

# --- What a browser is told -----------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # Bootstrap draws the arrows of its form controls as data: images
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
LANGUAGE_COOKIE_SECURE = not DEBUG
LANGUAGE_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
if not DEBUG:
    # Browsers take cookies of such a name over HTTPS and from this very host only.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-language"
SECURE_SSL_REDIRECT = not DEBUG
# Prometheus asks each server by itself, inside the network; a redirect would not protect a token that was sent.
SECURE_REDIRECT_EXEMPT = [r"^metrics$"]
if BEHIND_PROXY:
    # Only behind a proxy that sets this header itself: from a browser it could be forged.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG and env.bool("DJANGO_HSTS_SUBDOMAINS", default=True)
# Never preloaded: the browsers' own list is for public sites, and leaving it takes months.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
