"""The checks of the federation policies of one OIDC recipient."""

import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from reconciler.core.recipient import SubjectClaim
from reconciler.packs.document import MAX_NAME, FederationPolicyEntry
from reconciler.packs.finding import Finding, meant, shown
from reconciler.packs.texts import check_line, check_text, same_entries
from reconciler.packs.tree import Loc

_NAME: Final = re.compile(rf"[a-z0-9-]{{1,{MAX_NAME}}}")
_CLAIMS: Final = [str(claim) for claim in SubjectClaim]


def check_policies(entries: Sequence[FederationPolicyEntry], loc: Loc) -> Iterator[Finding]:
    for number, entry in enumerate(entries):
        yield from _policy(entry, (*loc, number))
    first: dict[str, int] = {}
    for number, entry in enumerate(entries):
        name = entry.name.strip()
        if name and first.setdefault(name, number) != number:
            message = f"the policy {shown(name)} stands in this list already"
            also = (*loc, first[name], "name")
            yield Finding((*loc, number, "name"), "list-duplicate", message, "rename one of the two", also=also)


def _policy(entry: FederationPolicyEntry, loc: Loc) -> Iterator[Finding]:
    if not _NAME.fullmatch(entry.name.strip()):
        message = f"{shown(entry.name)} is not the name of a policy"
        yield Finding((*loc, "name"), "policy-name-invalid", message, "write lower-case letters, digits and hyphens")
    if not _is_https(entry.issuer.strip()):
        message = f"{shown(entry.issuer)} is not the https URL of an identity provider"
        hint = "write it like https://login.microsoftonline.com/<tenant>/v2.0"
        yield Finding((*loc, "issuer"), "policy-issuer-invalid", message, hint)
    if entry.subject_claim.strip().lower() not in _CLAIMS:
        message = f"a subject claim is oid, azp, groups or sub, not {shown(entry.subject_claim)}"
        hint = meant(entry.subject_claim, _CLAIMS, "oid is a user, azp an application, groups a group")
        yield Finding((*loc, "subject_claim"), "policy-claim-unknown", message, hint)
    yield from check_line(entry.subject, (*loc, "subject"), "write the value that the claim must have")
    audiences = entry.audiences or ()
    for number, text in enumerate(audiences):
        yield from check_line(text, (*loc, "audiences", number), "remove the entry")
    yield from same_entries(audiences, map(str.strip, audiences), (*loc, "audiences"))
    yield from check_text(entry.comment, (*loc, "comment"))


def _is_https(text: str) -> bool:
    if not text.isprintable() or any(map(str.isspace, text)) or len(text) > 2_048:
        return False
    try:
        url = urlsplit(text)
        return url.scheme == "https" and bool(url.hostname) and "@" not in url.netloc and (url.port or 443) > 0
    except ValueError:
        return False
