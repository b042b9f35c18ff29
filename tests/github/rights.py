"""Who is asking, and what a token may do. The table of permissions is that of
https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import jwt

from tests.github.exchange import Caller, RefusedError
from tests.github.records import AppRecord, Token

#: As `permissions` of a workflow, and as the API calls them.
_LEVELS = ("none", "read", "write")


def caller(headers: Mapping[str, str], tokens: dict[str, Token], apps: dict[int, AppRecord]) -> Caller:
    if not headers.get("User-Agent"):
        raise RefusedError(403, "Request forbidden by administrative rules.")
    header = headers.get("Authorization", "")
    if not header:
        raise RefusedError(401, "Requires authentication")
    found = re.fullmatch(r"(?i)(token|bearer) (\S+)", header)
    if found is None:
        raise RefusedError(401, "Bad credentials")
    if (token := tokens.get(found[2])) is not None:
        return Caller(token)
    for app in apps.values():
        if found[1].lower() == "bearer" and _is_signed_by(app, found[2]):
            return Caller(app=app)
    raise RefusedError(401, "Bad credentials")


def check(who: Caller, *alternatives: str) -> None:
    """Each `permission=level`; the message and the header are those of GitHub."""
    if who.token is None:
        raise RefusedError(401, "A JSON web token could not be decoded")
    for each in alternatives:
        permission, level = each.split("=")
        if _LEVELS.index(who.token.permissions.get(permission, "none")) >= _LEVELS.index(level):
            return
    kind = "personal access token" if who.token.kind == "personal" else "integration"
    needed = "; ".join(each.replace("-", "_") for each in alternatives)
    raise RefusedError(403, f"Resource not accessible by {kind}", headers={"X-Accepted-GitHub-Permissions": needed})


def _is_signed_by(app: AppRecord, text: str) -> bool:
    """No more than ten minutes long, as documented for the JSON web tokens of Apps."""
    try:
        claims = jwt.decode(text, app.public_key, algorithms=["RS256"], options={"require": ["iat", "exp", "iss"]})
    except jwt.InvalidTokenError:
        return False
    return str(claims["iss"]) == str(app.id) and float(claims["exp"]) - datetime.now(UTC).timestamp() <= 600
