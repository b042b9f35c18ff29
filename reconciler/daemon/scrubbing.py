"""The last line of defence before a text leaves the process: whatever looks like a secret, or is one of ours, is struck
out. No message is meant to hold one; this is for the day one does."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from reconciler.settings import Settings, SettingsError

STRUCK_OUT: Final = "[removed]"
#: Shorter ones are words: striking them out everywhere would tell more than it hides.
_SHORTEST: Final = 8

_NAMED: Final = (
    "password|passwd|pwd|secret|client_secret|accountkey|sharedaccesskey|sharedaccesssignature|sig|signature"
    "|token|access_token|refresh_token|bearertoken|sharing_code|activation_url"
)
_PATTERNS: Final = (
    # Activation links, whole: https://docs.databricks.com/en/delta-sharing/create-recipient.html
    re.compile(r"https?://\S*(?:activation|retrieve_config|token=)[^\s\"'<>]*", re.IGNORECASE),
    # The credentials of a URL; a password with an unquoted delimiter reaches as far as the last @.
    re.compile(r"(?<=://)[^\s/@\"']*:[^\s\"']*(?=@)"),
    # Databricks' own tokens and OAuth secrets, and whatever is signed as JSON.
    re.compile(r"\bdapi[\w-]{4,}|\bdose[0-9a-f]{16,}|\beyJ[\w-]{8,}\.[\w-]*(?:\.[\w-]*)?"),
    # GitHub's tokens of people, Apps and workflows, and private keys:
    # https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
    re.compile(r"\b(?:gh[opusr]|github_pat)_[\w.-]{4,}"),
    # Keys of our own API: what tells which one it is stays.
    re.compile(r"(?<=spk_[A-Za-z0-9]{8}_)[\w-]+"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----END).)*(?:-----END [A-Z ]*PRIVATE KEY-----)?", re.DOTALL),
    re.compile(r"(?<=\bbearer )\S+|(?<=\bbasic )\S+", re.IGNORECASE),
    # `password=…`, `"bearerToken": "…"`, `AccountKey=…;`, `?sig=…&`.
    re.compile(rf"(?<![\w])(?P<name>(?:{_NAMED})[\"']?\s*[=:]\s*[\"']?)(?P<value>[^\s\"'&;,)}}]+)", re.IGNORECASE),
)


class Scrubber:
    """Strikes out what looks like a secret, and `known` texts wherever they stand."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        forms = {form for secret in known for form in (secret, quote(secret, safe=""))}
        # The longest first: one may be part of another.
        wanted = sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, wanted))) if wanted else None

    def __call__(self, text: str) -> str:
        scrubbed = text if self._known is None else self._known.sub(STRUCK_OUT, text)
        for pattern in _PATTERNS:
            scrubbed = pattern.sub(_struck_out, scrubbed)
        return scrubbed


def secrets_of(settings: Settings) -> frozenset[str]:
    """Every secret text of the settings, and those inside connection strings."""
    found: set[str] = set()
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            found.update(_parts(value.get_secret_value()))
    found.update(_private_key(settings))
    # What `databricks_auth_type` and the profile say is no secret, though they are not shown either.
    return frozenset(found - {"azure-client-secret", "azure-cli", "oauth-m2m", "databricks-cli"})


def _private_key(settings: Settings) -> Iterator[str]:
    """Its lines as well: a library may show one that it cannot read."""
    with suppress(SettingsError):
        if (key := settings.github_private_key()) is not None:
            yield key.get_secret_value()
            yield from (line for line in key.get_secret_value().splitlines() if "-----" not in line)


def _parts(secret: str) -> Iterator[str]:
    yield secret
    for part in secret.split(";"):
        name, _, value = part.partition("=")
        if name.strip().lower() in {"accountkey", "sharedaccesssignature"}:
            yield value.strip()
    try:
        password = urlsplit(secret).password
    except ValueError:
        return
    if password:
        yield from (password, unquote(password))


def _struck_out(found: re.Match[str]) -> str:
    return (found["name"] if "name" in found.re.groupindex else "") + STRUCK_OUT
