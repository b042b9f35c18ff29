"""The settings: options over environment over `.env` over defaults, checked in shape, all errors at once.

Nothing here connects to anything. No error shows a value that was given: it may be a secret, also in the wrong place.
"""

import os
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

#: Hosts that need no encryption: this machine, and container names, which have no dot.
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|::1")

#: https://learn.microsoft.com/rest/api/storageservices/naming-queues-and-metadata: 3 to 63 characters. Seven are kept
#: for the `-poison` of the queue beside it.
_QUEUE: Final = re.compile(r"(?=.{3,56}\Z)[a-z0-9]+(?:-[a-z0-9]+)*")

#: What to write, by setting.
_HINTS: Final[Mapping[str, str]] = {
    "domain_db_connection_string": "postgresql://USER:PASSWORD@HOST:5432/DATABASE, or leave it out to run one here",
    "azure_queue_connection_string": (
        "the connection string of the storage account (Azure Portal, Access Keys), or leave it out to use PostgreSQL"
    ),
    "azure_queue_name": "3 to 56 lower-case letters and digits, with single hyphens between them",
    "databricks_host": "the URL of the workspace, such as https://adb-1234567890123456.7.azuredatabricks.net",
    "databricks_in_flight": "a whole number from 1 to 64",
    "worker_lease_seconds": "a number of seconds from 10 to 3600",
    "fetch_interval_seconds": "a number of seconds from 1 to 3600",
    "github_interval_seconds": "a number of seconds from 1 to 3600",
    "drift_interval_seconds": "a number of seconds from 10 to 86400",
    "drift_interval_longest_seconds": "a number of seconds from 10 to 86400",
    "drift_full_every": "a whole number from 1 to 100; 1: every look is in full",
    "health_port": "a port number, or 0 for any that is free",
    "log_format": "text or json",
    "log_level": "DEBUG, INFO, WARNING or ERROR",
    "enable_workflow": "true or false",
    "api_host": "an address of this machine, or 0.0.0.0 for all of them",
    "api_port": "a port number, or 0 for any that is free",
    "api_anonymous": "read or write, or leave it out to ask everybody for a key or a token",
    "api_oidc_issuer": "the URL of the issuer, such as https://login.microsoftonline.com/TENANT/v2.0, or leave it out",
    "api_max_upload_bytes": "a whole number of bytes from 1024 to 104857600",
    "api_rate_per_minute": "a whole number from 1 to 100000",
    "api_upload_mode": "commit or pull_request",
    "api_trusted_proxies": "addresses or networks with commas between them, such as 10.0.0.4, 10.1.0.0/16",
    "only_plans": "true or false",
    "cache_megabytes": "a whole number, 0 to keep nothing",
    "github_api_url": (
        "the URL of the API, such as https://HOST/api/v3 on GitHub Enterprise Server, or leave it out for github.com"
    ),
    "github_app_installation_id": "the number at the end of the URL of the installation, or leave it out",
    "max_removals_per_pack": "a whole number, 0 to hold every removal until it is allowed by name",
    "max_removals_per_run": "a whole number, 0 to hold every removal until it is allowed by name",
    "max_removed_percent_per_pack": "a whole number from 0 to 100",
    "max_removed_percent_per_run": "a whole number from 0 to 100",
}

#: What workflows call it → setting.
_OTHER_NAMES: Final[Mapping[str, str]] = {"gh_token": "github_token"}

#: Setting → name in the SDK's Config. The SDK reads the environment itself, but not `.env` and not our options.
_CREDENTIALS: Final[Mapping[str, str]] = {
    "databricks_token": "token",
    "databricks_client_id": "client_id",
    "databricks_client_secret": "client_secret",
    "databricks_config_profile": "profile",
    "databricks_auth_type": "auth_type",
    "databricks_azure_resource_id": "azure_workspace_resource_id",
    "arm_client_id": "azure_client_id",
    "arm_client_secret": "azure_client_secret",
    "arm_tenant_id": "azure_tenant_id",
}

#: Each of these is a way to sign in; two of them are an accident waiting to happen.
_WAYS: Final = ("databricks_token", "databricks_client_secret", "arm_client_secret")


class SettingsError(Exception):
    """One line for each setting that is wrong: which, what is wrong with it, what to write instead."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _postgres(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value().strip())
        # Reading the port checks it.
        is_url = parts.scheme in {"postgresql", "postgres"} and (parts.port or True) and len(parts.path) > 1
    except ValueError:
        is_url = False
    if not is_url:
        raise ValueError("is not a PostgreSQL URL with a database")
    return SecretStr(value.get_secret_value().strip())


def _queue_account(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    parts = {part.partition("=")[0].strip().lower() for part in text.split(";")}
    has_account = "accountname" in parts and "accountkey" in parts
    has_signature = "sharedaccesssignature" in parts and bool(parts & {"accountname", "queueendpoint"})
    if not (has_account or has_signature or "usedevelopmentstorage" in parts):
        raise ValueError("is not an Azure Storage connection string")
    return SecretStr(text)


def _queue_name(value: str) -> str:
    if not _QUEUE.fullmatch(value):
        raise ValueError("is not a name a queue can have")
    return value


def _base_url(value: object) -> object:
    """`https://host[:port]`, in lower case, however it was pasted. The same form `tenants.yaml` is read into."""
    if not isinstance(value, str) or not value.strip():
        return ""
    text = value.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not the URL of a workspace") from None
    if "@" in parts.netloc:
        raise ValueError("holds a user name or password")
    if scheme not in {"http", "https"} or not _HOST.fullmatch(host):
        raise ValueError("is not the URL of a workspace")
    if scheme == "http" and "." in host and host not in _LOCAL:
        raise ValueError("would send credentials without encryption (http)")
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if port in {None, 443} else f"{scheme}://{shown}:{port}"


def _api_url(value: str) -> str:
    """`https://host[:port][/path]`. Unlike that of a workspace, a container's name is no reason to do without https."""
    try:
        parts = urlsplit(value.strip())
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise ValueError("is not the URL of an API") from None
    if "@" in parts.netloc:
        raise ValueError("holds a user name or password")
    if scheme not in {"http", "https"} or not _HOST.fullmatch(host) or parts.query or parts.fragment:
        raise ValueError("is not the URL of an API")
    if scheme == "http" and host not in _LOCAL:
        raise ValueError("would send credentials without encryption (http)")
    if host in {"github.com", "www.github.com"}:
        raise ValueError("is the address for people, not for programs")
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def _issuer(value: str) -> str:
    """As it stands in tokens: letter for letter, with or without a slash at its end."""
    text = value.strip()
    try:
        parts = urlsplit(text)
        scheme, host = parts.scheme, parts.hostname or ""
    except ValueError:
        raise ValueError("is not the URL of an issuer") from None
    if not text:
        return ""
    if scheme not in {"http", "https"} or not _HOST.fullmatch(host) or parts.query or parts.fragment or "@" in text:
        raise ValueError("is not the URL of an issuer")
    if scheme == "http" and host not in _LOCAL:
        raise ValueError("would fetch keys without encryption (http)")
    return text


def _networks(value: str) -> str:
    try:
        return ", ".join(str(ip_network(each.strip())) for each in value.split(",") if each.strip())
    except ValueError:
        raise ValueError("is not a list of addresses and networks") from None


class Settings(BaseModel):
    """Names as in the guide; other settings of the guide, and whatever else the environment holds, are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    #: The workflow database; None runs one in `state_dir`.
    domain_db_connection_string: Annotated[SecretStr, AfterValidator(_postgres)] | None = None
    #: The queue; None uses PostgreSQL's NOTIFY.
    azure_queue_connection_string: Annotated[SecretStr, AfterValidator(_queue_account)] | None = None
    azure_queue_name: Annotated[str, AfterValidator(_queue_name)] = "sharepack-processing"
    sync_queue_name: str = "sync-triggers"
    enable_workflow: bool = True

    #: Base URL of the workspace of business lines that name none; empty when there is none.
    databricks_host: Annotated[str, BeforeValidator(_base_url)] = ""
    databricks_token: SecretStr | None = None
    databricks_client_id: SecretStr | None = None
    databricks_client_secret: SecretStr | None = None
    databricks_config_profile: SecretStr | None = None
    databricks_auth_type: SecretStr | None = None
    databricks_azure_resource_id: SecretStr | None = None
    arm_client_id: SecretStr | None = None
    arm_client_secret: SecretStr | None = None
    arm_tenant_id: SecretStr | None = None
    #: This identity reads and another one applies, as for pull requests: what it may not do holds nothing.
    only_plans: bool = False
    #: API calls under way at once, for each workspace.
    databricks_in_flight: Annotated[int, Field(ge=1, le=64)] = 16

    #: Signs in to GitHub; what workflows are given, or somebody's own. Or a GitHub App, by its id and private key (PEM,
    #: or a file that holds it); its installation is looked up when it is not given.
    github_token: SecretStr | None = None
    github_app_id: str = ""
    github_app_private_key: SecretStr | None = None
    github_app_private_key_path: Path | None = None
    github_app_installation_id: Annotated[int, Field(ge=1)] | None = None
    #: Of GitHub, or of a GitHub Enterprise host.
    github_api_url: Annotated[str, AfterValidator(_api_url)] = "https://api.github.com"

    #: How much a plan may take away before it is held until allowed by name: recipients and shares deleted, grants
    #: revoked and objects removed, together; and in percent of what there is of each.
    max_removals_per_pack: Annotated[int, Field(ge=0)] = 20
    max_removals_per_run: Annotated[int, Field(ge=0)] = 100
    max_removed_percent_per_pack: Annotated[int, Field(ge=0, le=100)] = 50
    max_removed_percent_per_run: Annotated[int, Field(ge=0, le=100)] = 50

    #: What was found out about packs and need not be found out again; None: a folder of this user's. At most so much of
    #: it is kept; 0 keeps nothing.
    cache_dir: Path | None = None
    cache_megabytes: Annotated[int, Field(ge=0, le=10_000)] = 64

    state_dir: Path = Path(".sharepack")
    packs_dir: Path = Path("sharepacks")
    worker_lease_seconds: Annotated[float, Field(ge=10, le=3600)] = 60.0

    #: What the daemon follows, such as `origin/main`; empty: the upstream of the branch that is checked out, or HEAD.
    packs_revision: str = ""
    #: Seconds between fetches, between looks for changes made by hand, and the most between two of those when nothing
    #: has happened for long.
    fetch_interval_seconds: Annotated[float, Field(ge=1, le=3600)] = 30.0
    drift_interval_seconds: Annotated[float, Field(ge=10, le=86_400)] = 900.0
    drift_interval_longest_seconds: Annotated[float, Field(ge=10, le=86_400)] = 1500.0
    #: Of so many such looks one reads everything in full; the others ask lists, and read what those cannot vouch for.
    drift_full_every: Annotated[int, Field(ge=1, le=100)] = 8
    #: Seconds between looks at pull requests.
    github_interval_seconds: Annotated[float, Field(ge=1, le=3600)] = 60.0
    #: Where the daemon tells how it is; port 0 takes any that is free.
    health_host: str = "127.0.0.1"
    health_port: Annotated[int, Field(ge=0, le=65_535)] = 9464
    #: Where the HTTP API listens; port 0 takes any that is free.
    api_host: str = "127.0.0.1"
    api_port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    #: What who shows neither key nor token may do, on all business lines; for a platform that checks callers itself.
    api_anonymous: Literal["", "read", "write"] = ""
    #: Whose tokens are believed, and for whom they must be made out; both or neither.
    api_oidc_issuer: Annotated[str, AfterValidator(_issuer)] = ""
    api_oidc_audience: str = ""
    #: Claims that name the business lines of whoever bears the token, and the roles (`sharepack.read`,
    #: `sharepack.write`).
    api_oidc_lines_claim: str = "business_lines"
    api_oidc_roles_claim: str = "roles"
    api_max_upload_bytes: Annotated[int, Field(ge=1024, le=104_857_600)] = 10_485_760
    #: Of each caller, or of each address that shows no valid key.
    api_rate_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 120
    api_upload_mode: Literal["commit", "pull_request"] = "commit"
    #: Addresses and networks whose `X-Forwarded-For` is believed; empty: nobody's is.
    api_trusted_proxies: Annotated[str, AfterValidator(_networks)] = ""
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @classmethod
    def load(cls, **options: object) -> Self:
        """The settings of this process; an option that is None was not given. Raises SettingsError."""
        given = {name: value for name, value in options.items() if value is not None}
        try:
            return cls.model_validate({**_of_file(Path(".env")), **_of_settings(os.environ), **given})
        except ValidationError as error:
            problems = tuple(_problems(error))
        except UnicodeDecodeError:
            problems = (".env is not UTF-8 text; save it as UTF-8",)
        except OSError as error:
            problems = (f".env cannot be read: {error.strerror}",)
        # Outside the handler: the validation error knows the values.
        raise SettingsError(problems)

    def databricks_credentials(self) -> Mapping[str, SecretStr]:
        """What was given to sign in with, by the names of the SDK's Config. Raises SettingsError when it contradicts
        itself; empty when the SDK is to look for itself (Azure CLI, managed identity, …)."""
        ways = [name for name in _WAYS if getattr(self, name)]
        if len(ways) > 1 and self.databricks_auth_type is None:
            both = " and ".join(ways)
            advice = "keep one, or choose with databricks_auth_type (pat, oauth-m2m or azure-client-secret)"
            raise SettingsError((f"{both}: more than one way to sign in to Databricks; {advice}",))
        for secret, identity in (
            ("databricks_client_secret", "databricks_client_id"),
            ("arm_client_secret", "arm_client_id"),
        ):
            if getattr(self, secret) and not getattr(self, identity):
                raise SettingsError((f"{identity}: is missing, and {secret} is given; set both",))
        return {known_as: value for name, known_as in _CREDENTIALS.items() if (value := getattr(self, name))}

    def check_oidc(self) -> None:
        """Raises SettingsError for half of what it takes to believe tokens."""
        if bool(self.api_oidc_issuer) != bool(self.api_oidc_audience.strip()):
            given, missing = ("issuer", "audience") if self.api_oidc_issuer else ("audience", "issuer")
            raise SettingsError((f"api_oidc_{missing}: is missing, and api_oidc_{given} is given; set both",))

    def github_private_key(self) -> SecretStr | None:
        """PEM, of the App to sign in to GitHub with; None when there is none. Raises SettingsError for half of an App,
        a file that cannot be read, and for a token beside it."""
        given, path = self.github_app_private_key, self.github_app_private_key_path
        if not self.github_app_id and given is None and path is None:
            return None
        if self.github_token is not None:
            raise SettingsError(("github_token and github_app_id: two ways to sign in to GitHub; keep one",))
        if not self.github_app_id:
            raise SettingsError(("github_app_id: is missing, and a private key is given; set both",))
        if (given is None) == (path is None):
            what = "is missing, and github_app_id is given" if path is None else "is given twice"
            raise SettingsError((f"github_app_private_key: {what}; give the key, or the path of its file",))
        text = given.get_secret_value() if given is not None else _key_file(path)
        # An environment variable may hold one in a single line.
        return SecretStr(text.strip().replace("\\n", "\n"))


def _of_file(path: Path) -> dict[str, str]:
    """Nothing when there is none. It may be a pipe, as programs that keep secrets make them."""
    if not (path.is_file() or path.is_fifo()):
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - where there is none, it need not be there

    return _of_settings(dotenv_values(path, encoding="utf-8"))


def _of_settings(values: Mapping[str, str | None]) -> dict[str, str]:
    """By the names of the settings, whatever their case; an empty value is none."""
    found = {name.lower(): value for name, value in values.items() if value}
    for other, name in _OTHER_NAMES.items():
        if other in found:
            found.setdefault(name, found[other])
    return found


def _key_file(path: Path | None) -> str:
    try:
        return "" if path is None else path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not PEM text"
    raise SettingsError((f"github_app_private_key_path: {path} cannot be read: {reason}",))


def _problems(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_input=False, include_context=False, include_url=False):
        name = str(each["loc"][0]) if each["loc"] else "settings"
        what = each["msg"].removeprefix("Value error, ")
        what = what[:1].lower() + what[1:]
        hint = _HINTS.get(name)
        yield f"{name}: {what}; write {hint}" if hint else f"{name}: {what}"
