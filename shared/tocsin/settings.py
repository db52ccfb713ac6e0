"""Every setting of Tocsin, from the environment: what it is called, what it is by default, what is allowed.

A name here is a variable with `TOCSIN_` before it; a secret may stand in a file instead, named by `<NAME>_FILE`.
What is wrong is refused with SettingsError, which names the variable, its value (a secret's never) and what is
allowed. docs/settings.md is made from this file by `tocsin.settings_page`. What is legal but harmful is said aloud at
start: see `tocsin.cautions`.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from tocsin.errors import SettingsError

PREFIX = "TOCSIN_"
SECRETS = ("database", "database_password", "smtp_url", "signing_key", "oidc_secret")
"""The settings that are never printed, and may each stand in a file."""

LEAST_KEY_LENGTH = 32

_BUS = "embedded:/path/log.db or kafka://host:port[,host:port]"
_DATABASE = "postgresql+psycopg://user@host:5432/name, or empty for SQLite files in the data folder"
_SMTP = "smtp://user:password@host:587?starttls=require or smtps://user:password@host:465"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Paths = Annotated[list[Path], NoDecode]
Proxies = Annotated[list[str], NoDecode]
Words = Annotated[list[Literal["loopback", "private"]], NoDecode]


class Settings(BaseSettings):
    """What one process is told. Raises SettingsError when made from something wrong."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    data: Path = Field(Path("tocsin-data"), description="The folder that holds the databases, the log and the mailbox.")
    bus: str = Field(
        "",
        validate_default=True,
        description=f"The carrier of messages: {_BUS}. Empty: the embedded log `log.db` in the data folder.",
    )
    database: str = Field(
        "",
        repr=False,
        description=f"Where the records are kept: {_DATABASE}. Each service has its own schema in it.",
    )
    database_password: SecretStr | None = Field(
        None, description="The password for the database address, when the address itself has none."
    )
    studies: Paths = Field(
        default_factory=list,
        description="The study files to serve, joined by `:`. Empty: every file of `deploy/protocols/`.",
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8088, ge=0, le=65535, description="The port to listen on; 0 takes any free one.")
    public_url: str = Field(
        "",
        validate_default=True,
        description="The address under which people and sites reach Tocsin; links are made from it. "
        "Empty: `http://HOST:PORT`.",
    )
    signing_key: SecretStr = Field(
        SecretStr(""),
        description=f"The secret that signs logins, at least {LEAST_KEY_LENGTH} characters, the same in all services. "
        "`tocsin up` makes one in the data folder; `tocsin serve` needs one.",
    )
    oidc_issuer: str = Field(
        "",
        description="The identity provider by which people may sign in beside their password (OpenID Connect): its "
        "issuer address. Who may is still an account here, named by the claim below. Empty: passwords alone.",
    )
    oidc_client_id: str = Field("", description="As what Tocsin is registered at the identity provider.")
    oidc_secret: SecretStr | None = Field(None, description="The secret of that registration.")
    oidc_claim: str = Field("preferred_username", description="Which claim of the identity provider names the account.")
    smtp_url: SecretStr | None = Field(
        None,
        description=f"The mail server: {_SMTP}. Empty: mail is written to `mailbox/` in the data folder.",
    )
    mail_from: str = Field("tocsin@localhost", description="The sender of every mail.")
    webhook_allow: Words = Field(
        default_factory=list,
        description="Which inner addresses webhooks may go to beside public ones, joined by `,`: "
        "`loopback`, `private`. Empty: none.",
    )
    kafka_replication: int = Field(
        1, ge=1, le=9, description="Copies of each topic that Kafka keeps. Three brokers and 3 survive the loss of one."
    )
    partitions: int = Field(
        6, ge=1, le=256, description="Partitions of each topic, when it is made: how many processes may share the work."
    )
    heartbeat_minutes: int = Field(
        60,
        ge=0,
        le=1440,
        description="How often an invented report goes the whole way; one that does not arrive rings. 0: never.",
    )
    rate_per_key: float = Field(
        0,
        ge=0,
        le=1_000_000,
        description="How many requests a second one site key may send in the long run; more are answered 429 with "
        "`Retry-After`. 0: no limit, because a report refused costs more than a slow house, which as a whole refuses "
        "(503) what it cannot keep up with. Set it where one machine could crowd out the others, such as 50.",
    )
    burst_per_key: int = Field(
        2000, ge=1, le=10_000_000, description="How many of them may come at once: an import from an EDC does."
    )
    rate_per_login: float = Field(
        100,
        ge=0,
        le=1_000_000,
        description="The same for the login of one person, pages and calls together. No hand is so fast; 0: no limit.",
    )
    burst_per_login: int = Field(3000, ge=1, le=10_000_000, description="How many of them may come at once.")
    failed_sign_ins: int = Field(
        60,
        ge=0,
        le=1_000_000,
        description="How many tries to sign in may fail in a minute from one address; a hospital is one address. "
        "0: no limit. Each account has its own lock besides.",
    )
    proxies: Proxies = Field(
        default_factory=list,
        description="The proxies in front, whose `X-Forwarded-For` is believed, joined by `,`: addresses, networks "
        "such as `10.0.0.0/8`, `loopback`, `private`. Empty: none, and all who come by one proxy are one address.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")
    log_json: bool = Field(False, description="One JSON document a line instead of text, for a log collector.")

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as wrong:
            raise SettingsError("\n".join(_explain(e, given) for e in wrong.errors())) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _SecretFiles(settings_cls)

    @field_validator("studies", "webhook_allow", "proxies", mode="before")
    @classmethod
    def _split(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        parts = value.split(os.pathsep if info.field_name == "studies" else ",")
        return [part.strip() for part in parts if part.strip()]

    @field_validator("bus")
    @classmethod
    def _bus_is_known(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return f"embedded:{info.data['data'].absolute() / 'log.db'}" if "data" in info.data else ""
        kind, _, rest = value.partition(":")
        if not (rest and (kind == "embedded" or (kind == "kafka" and rest.startswith("//")))):
            raise ValueError(_BUS)
        return value

    @field_validator("database")
    @classmethod
    def _database_is_known(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgresql+psycopg://")):
            raise ValueError(_DATABASE)
        return value

    @field_validator("public_url")
    @classmethod
    def _public_url_is_one(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            host = str(info.data.get("host", ""))
            return f"http://{f'[{host}]' if ':' in host else host}:{info.data.get('port', '')}"
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("https://host or https://host/path, without ? and #")
        return value.rstrip("/")

    @field_validator("smtp_url")
    @classmethod
    def _smtp_is_known(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        parts = urlsplit(value.get_secret_value())
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError(_SMTP)
        return value

    @field_validator("proxies")
    @classmethod
    def _proxies_are_networks(cls, value: list[str]) -> list[str]:
        for one in value:
            _networks(one)
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer_is_one(cls, value: str) -> str:
        parts = urlsplit(value)
        is_here = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if value and ((parts.scheme != "https" and not (parts.scheme == "http" and is_here)) or not parts.hostname):
            raise ValueError("https://host or https://host/path, as the provider calls itself")
        return value.rstrip("/")

    @field_validator("database_password", "oidc_secret")
    @classmethod
    def _empty_is_none(cls, value: SecretStr | None) -> SecretStr | None:
        return value if value and value.get_secret_value() else None

    @field_validator("signing_key")
    @classmethod
    def _key_is_long(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < LEAST_KEY_LENGTH:
            raise ValueError(f"at least {LEAST_KEY_LENGTH} characters, such as `openssl rand -base64 48` makes")
        return value

    @field_validator("mail_from")
    @classmethod
    def _mail_from_is_one_address(cls, value: str) -> str:
        if "@" not in value or any(c in value for c in "\r\n"):
            raise ValueError("one mail address, such as safety@example.org or Tocsin <safety@example.org>")
        return value

    @model_validator(mode="after")
    def _one_password(self) -> Settings:
        if self.database_password and not self.database:
            raise ValueError("TOCSIN_DATABASE_PASSWORD is set without TOCSIN_DATABASE; set both or neither")
        if self.database_password and urlsplit(self.database).password:
            raise ValueError("the address in TOCSIN_DATABASE holds a password and TOCSIN_DATABASE_PASSWORD is set too")
        return self

    @model_validator(mode="after")
    def _whole_provider(self) -> Settings:
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_secret):
            raise ValueError("TOCSIN_OIDC_ISSUER needs TOCSIN_OIDC_CLIENT_ID and TOCSIN_OIDC_SECRET beside it")
        return self

    def proxy_networks(self) -> list[Network]:
        """The networks whose machines are believed when they say for whom they ask."""
        return [network for one in self.proxies for network in _networks(one)]

    def database_for(self, schema: str) -> str:
        """The database of one service: the address with its password, or a SQLite file `<schema>.db`. A secret."""
        if not self.database:
            return f"sqlite:///{self.data.absolute() / f'{schema}.db'}"
        if self.database_password is None:
            return self.database
        parts = urlsplit(self.database)
        user, _, at = parts.netloc.rpartition("@")
        if not user:
            raise SettingsError("TOCSIN_DATABASE names no user, so TOCSIN_DATABASE_PASSWORD is nobody's")
        password = quote(self.database_password.get_secret_value(), safe="")
        return urlunsplit(parts._replace(netloc=f"{user}:{password}@{at}"))


_NAMED_NETWORKS = {
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
}


def _networks(said: str) -> list[Network]:
    """The networks that one word names. ValueError says what is allowed."""
    try:
        return [ipaddress.ip_network(one) for one in _NAMED_NETWORKS.get(said, (said,))]
    except ValueError:
        raise ValueError("addresses, networks such as 10.0.0.0/8, loopback, private") from None


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads `TOCSIN_<SECRET>_FILE`: the secret is the file's content, less the line end."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = variable_of(field_name)
        path = os.environ.get(f"{variable}_FILE")
        if field_name not in SECRETS or not path:
            return None, field_name, False
        if os.environ.get(variable):
            raise SettingsError(f"{variable} and {variable}_FILE are both set; allowed is one of them")
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n"), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
            raise SettingsError(f"{variable}_FILE={path}: {why}; it must be a file that this user may read") from None

    def __call__(self) -> dict[str, Any]:
        found = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                found[key] = value
        return found


def variable_of(field: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + field.upper()


def _explain(error: Any, given: Mapping[str, Any]) -> str:
    """One line for one wrong setting: where it was set, to what, and what is allowed."""
    where = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        return f"{where}: there is no such setting; known are {', '.join(sorted(Settings.model_fields))}"
    said = error.get("ctx", {}).get("error")
    allowed = str(said) if said else error["msg"][0].lower() + error["msg"][1:]
    if not where:
        return allowed
    variable = variable_of(where)
    if where in SECRETS:
        shown = "(not shown)"
    else:
        value = given.get(where, os.environ.get(variable, ""))
        shown = repr(str(value))
    return f"{variable}={shown} is not allowed: {'allowed is ' if said else ''}{allowed}"
