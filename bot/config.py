"""Settings from the environment or a `.env` file, read once; durations such as 48h in settings and rules."""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, LiteralString, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import ConfigError
from bot.i18n import Language, system_language

_LAST_PORT: Final = 65535
_SHORTEST_PASSWORD: Final = 10
_FEWEST_LETTERS: Final = 5
_IN_ORDER: Final = "01234567890123456789 abcdefghijklmnopqrstuvwxyz qwertyuiopasdfghjklzxcvbnm 98765432109876543210"
_COMMON_WORDS: Final = (
    "password", "passwd", "matkhau", "mậtkhẩu", "admin", "administrator", "changeme", "secret", "token", "webhook",
    "letmein", "welcome", "qwerty", "zalo", "zalobot", "console", "default", "test", "example", "abc", "iloveyou",
)  # fmt: skip
# RFC 3986: the characters that are allowed unescaped in the parts of a URL.
_PLAIN_IN_URL: Final = r"(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
_POSTGRES_URL: Final = re.compile(
    rf"postgres(?:ql)?://(?:{_PLAIN_IN_URL}*(?::(?:{_PLAIN_IN_URL}|:)*)?@)?"
    r"(?P<hosts>[^/?#@]*)(?:/[^/?#@\s]*)?(?:\?[^#@]*)?"
)
_HOST_AND_PORT: Final = re.compile(
    r"(?:\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[\w.-]*|/?(?:%2[Ff][\w.%-]*))(?::(?P<port>\d{1,5}))?"
)
_DURATION: Final = re.compile(r"\s*(\d{1,6})\s*([smhd])\s*", re.ASCII)
_DURATION_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """
    Return the duration in *text*.

    >>> parse_duration("48h")
    datetime.timedelta(days=2)

    Raises:
        ValueError: The text is not a whole number and one of s, m, h, d.
    """
    form = _DURATION.fullmatch(text)
    if form is None:
        raise ValueError("expected a number and a unit, as in 30s, 10m, 48h or 30d")
    return timedelta(**{_DURATION_UNITS[form[2]]: int(form[1])})


def _header_safe(secret: SecretStr) -> SecretStr:
    """Refuse characters that an HTTP header cannot have, such as a line break pasted with a key."""
    value = secret.get_secret_value().strip()
    if not value.isascii() or not value.isprintable():
        raise PydanticCustomError("secret", "has a character that no key can have; paste it again")
    return SecretStr(value)


def _password(secret: SecretStr) -> SecretStr:
    weakness = _weakness(secret.get_secret_value())
    if secret.get_secret_value() and weakness:
        raise PydanticCustomError("password", weakness)
    return secret


def _url_token(secret: SecretStr) -> SecretStr:
    weakness = _weakness(secret.get_secret_value())
    if weakness:
        raise PydanticCustomError("token", weakness)
    if "/" in secret.get_secret_value():
        raise PydanticCustomError("token", "is a part of the webhook's address, so it must have no /")
    return secret


def _weakness(secret: str) -> LiteralString | None:
    """Return why a password or token is easy to guess; None if it is not. Blanks count as characters."""
    if len(secret.strip()) < _SHORTEST_PASSWORD:
        return f"is too short; it needs {_SHORTEST_PASSWORD} characters or more"
    # Well-known words also with digits and signs around them: "Password123!", "zalo-2027".
    core = "".join(filter(str.isalpha, secret.lower()))
    is_one_word = any(core == word * (len(core) // len(word)) for word in _COMMON_WORDS)
    if len(set(secret)) < _FEWEST_LETTERS or secret.lower() in _IN_ORDER * 2 or (core and is_one_word):
        return "is too easily guessed; take a few words that nobody would expect together"
    return None


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _id_list(value: object) -> object:
    return tuple(filter(None, (part.strip() for part in value.split(",")))) if isinstance(value, str) else value


def _network_list(value: object) -> object:
    return ("0.0.0.0/0", "::/0") if value == "*" else _id_list(value)


def _digits(value: str) -> str:
    value = value.strip()
    if not (value.isascii() and value.isdigit() and len(value) <= 32):
        raise PydanticCustomError("digits", "expected digits only, as in 388613280878808645")
    return value


def _http_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_usable = parts.port != 0 and parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_usable = False
    if not is_usable or parts.query or parts.fragment or parts.username is not None:
        raise PydanticCustomError("url", "expected a web address, as in https://cpaas.interits.com")
    return url.rstrip("/")


def _bind_address(host: str) -> str:
    """Return a host name or an address, without the brackets that an IPv6 address has in a URL."""
    host = host.strip()
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", host) or host.replace(".", "").isdecimal():
        raise PydanticCustomError("host", "expected an address or a name without a port, as in 127.0.0.1 or ::1")
    return host


def _database_url(secret: SecretStr) -> SecretStr:
    """Refuse a URL that the driver would misread, or would quote in an error with a part of the password."""
    url = secret.get_secret_value().strip()
    if url.startswith("sqlite:///"):
        return SecretStr(url)
    if not url.startswith(("postgresql://", "postgres://")):
        raise PydanticCustomError("database", "expected sqlite:///file.db or postgresql://user@host/name")
    found = _POSTGRES_URL.fullmatch(url)
    hosts = [_HOST_AND_PORT.fullmatch(host) for host in found["hosts"].split(",")] if found else []
    if not all(hosts) or not found:
        raise PydanticCustomError(
            "database",
            "cannot be read as postgresql://user:password@host:port/name; in the password write @ as %40, : as %3A, "
            "/ as %2F, # as %23, ? as %3F, % as %25, [ as %5B, ] as %5D, a blank as %20",
        )
    if any(host and host["port"] and not 0 < int(host["port"]) <= _LAST_PORT for host in hosts):
        raise PydanticCustomError("database", "has a port that is not between 1 and 65535")
    return SecretStr(url)


Secret = Annotated[SecretStr, AfterValidator(_header_safe)]
UrlToken = Annotated[SecretStr, AfterValidator(_header_safe), AfterValidator(_url_token)]
Digits = Annotated[str, AfterValidator(_digits)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]


class Settings(BaseSettings):
    """The settings; each field is the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        env_ignore_empty=True,
        env_file_encoding="utf-8",
    )

    cpaas_base_url: Annotated[str, AfterValidator(_http_url)] = Field(
        "https://cpaas.interits.com",
        description="The vendor; the path /api/vendor/v1/zalo/oa-send-image is appended.",
    )
    cpaas_api_key: Secret | None = Field(None, description="Header API-KEY.")
    cpaas_access_token: Secret | None = Field(None, description="Header accessToken.")
    cpaas_bearer_token: Secret | None = Field(
        None, description="Header Authorization: Bearer …; the access token where it is not set."
    )
    cpaas_api_key_only: bool = Field(
        False, description="true for accounts on the vendor's newest revision, which wants API-KEY alone."
    )
    cpaas_upload_type: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = Field(
        "UpLoadFile", description="What upload-file is told as its type for the pictures of file: rules."
    )
    zalo_app_id: Digits | None = Field(None, description="App id of the Zalo app; its webhook events carry it.")
    zalo_oa_secret_key: Secret | None = Field(
        None, description="OA Secret Key from the app's Webhook page (not the App Secret Key)."
    )
    webhook_auth: Literal["signature", "token", "off"] = Field(
        "signature", description="How deliveries prove themselves; off is for the loopback address only."
    )
    webhook_token: UrlToken | None = Field(None, description="With WEBHOOK_AUTH=token: the URL is /webhook/<token>.")
    zalo_oa_id: Annotated[tuple[Digits, ...], NoDecode, BeforeValidator(_id_list)] = Field(
        (), description="Comma list; events of other OAs are acknowledged and ignored. Empty: any OA."
    )
    zalo_verifier: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]*$")] = Field(
        "", description="Code of Zalo's domain check: serves /zalo_verifier<code>.html."
    )
    rules_file: Path = Field(Path("rules.yaml"), description="The rules.")
    database_url: Annotated[SecretStr, AfterValidator(_database_url)] = Field(
        SecretStr("sqlite:///bot.db"),
        description="sqlite:///path, or postgresql://… shared by several machines.",
    )
    host: Annotated[str, AfterValidator(_bind_address)] = Field(
        "127.0.0.1", description="Address that bot serve binds."
    )
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8000, description="Port that bot serve binds.")
    send_timeout: Annotated[float, Field(gt=0, le=120)] = Field(10.0, description="Seconds for one call of the vendor.")
    send_concurrency: Annotated[int, Field(ge=1, le=256)] = Field(16, description="Sends in flight per process.")
    send_rate: Annotated[int, Field(ge=1)] = Field(
        4000, description="Calls per minute and OA, over all processes that share the database."
    )
    max_attempts: Annotated[int, Field(ge=1, le=100)] = Field(
        8, description="Attempts until an event is a dead letter."
    )
    reply_window: Duration = Field(
        timedelta(hours=48), description="An event older than this is recorded and not answered."
    )
    retention: Duration = Field(
        timedelta(days=30),
        description="Message texts and raw events older than this are erased; counts stay.",
    )
    takeover_mute: Duration = Field(
        timedelta(minutes=30), description="Silence for a user after a human answered from OA Manager."
    )
    console_password: Annotated[SecretStr, AfterValidator(_password)] = Field(
        SecretStr(""), description="The editors' page /console is off until this is set: ten characters or more."
    )
    console_publish: bool = Field(False, description="true lets editors put rules into RULES_FILE from /console.")
    forwarded_allow_ips: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_network_list)] = Field(
        (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1")),
        description="Comma list of web servers in front whose X-Forwarded-For is believed: addresses, networks, or *.",
    )
    log_format: Literal["text", "json"] = Field("text", description="json for machines.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe line logged.")
    bot_lang: Language = Field(default_factory=system_language, description="Language of what editors read: vi or en.")

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @classmethod
    def load(cls, env_file: Path = Path(".env"), *, partly: bool = False) -> Self:
        """
        Read the environment, then *env_file* for the variables that are not set.

        With *partly*, variables that are needed only to answer users may be missing, for commands that do not.

        Raises:
            ConfigError: Names every missing or wrong variable, and never a value.
        """
        settings, faults = cls.examine(env_file, partly=partly)
        if faults:
            lines = [f"  {name}: {what}" for name, what in faults.items()]
            raise ConfigError("\n".join(["These settings need mending (environment variables or .env):", *lines]))
        return settings

    @classmethod
    def examine(cls, env_file: Path = Path(".env"), *, partly: bool = False) -> tuple[Self, dict[str, str]]:
        """
        Return the settings, with defaults in place of wrong values, and the errors by variable name.

        *partly* is that of `load`. The errors never quote a value.

        Raises:
            ConfigError: The file is no text, or may not be read.
        """
        settings, faults = cls._read(env_file)
        absent = {} if partly else dict.fromkeys(settings._missing(), "is missing")
        return settings, absent | settings._at_odds() | faults

    @classmethod
    def _read(cls, env_file: Path) -> tuple[Self, dict[str, str]]:
        """Return the settings, with defaults in place of wrong values, and the errors by variable name."""
        try:
            return cls(_env_file=env_file), {}
        except ValidationError as error:
            found = error.errors(include_input=False, include_context=False)
        except UnicodeDecodeError:
            raise ConfigError(f"{env_file.name} is not UTF-8 text; save it as UTF-8") from None
        except OSError as error:
            words = "let the user that runs the bot read it (chown), or remove it"
            raise ConfigError(f"{env_file.name} cannot be read ({error.strerror}); {words}") from None
        # Outside the except block, so that no chained traceback prints a value.
        faults = {str(e["loc"][0]): e["msg"].removeprefix("Value error, ") for e in found}
        stand_ins = {name: cls.model_fields[name].get_default(call_default_factory=True) for name in faults}
        return cls(_env_file=env_file, **stand_ins), {name.upper(): what for name, what in faults.items()}

    def _at_odds(self) -> dict[str, str]:
        """Return the errors of settings that contradict each other, by variable name."""
        if self.webhook_auth == "off" and not is_loopback(self.host):
            return {"WEBHOOK_AUTH": "off is refused unless HOST is a loopback address, as 127.0.0.1"}
        return {}

    def _missing(self) -> list[str]:
        """Return the variables that are needed to answer users and are not set."""
        needed: dict[str, SecretStr | str | None] = {"CPAAS_API_KEY": self.cpaas_api_key}
        if not self.cpaas_api_key_only:
            needed["CPAAS_ACCESS_TOKEN"] = self.cpaas_access_token
        if self.webhook_auth == "signature":
            needed |= {"ZALO_APP_ID": self.zalo_app_id, "ZALO_OA_SECRET_KEY": self.zalo_oa_secret_key}
        if self.webhook_auth == "token":
            needed["WEBHOOK_TOKEN"] = self.webhook_token
        return [name for name, value in needed.items() if not value]


def is_loopback(host: str) -> bool:
    """Return whether *host*, a name or an address, is a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
