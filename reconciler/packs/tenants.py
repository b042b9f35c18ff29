"""`tenants.yaml`: which workspaces a business line has, who answers for it, and what it may share.

    tenants:
      Sales Operations:
        workspace: https://adb-111.azuredatabricks.net    # and/or regions
        regions: {AM: https://adb-112.azuredatabricks.net, EMEA: https://adb-113.azuredatabricks.net}
        owner: sales-data@example.com
        contact: "#sales-data"
        catalogs: [prod_catalog]                          # left out: any catalog
        drift: report                                     # what packs that say nothing want; left out: correct
        lends_recipients_to: [Legal]                      # whose shares may be granted to its recipients; ["*"]: all

A pack without a region uses `workspace`, or the region when there is only one. A business line with neither has the
workspace of the settings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, StrictStr

from reconciler.core.key import PackId
from reconciler.core.pack import DriftPolicy
from reconciler.core.problem import Problem
from reconciler.core.tenant import Tenant, Tenants
from reconciler.packs.content import check_drift
from reconciler.packs.document import Shape
from reconciler.packs.finding import Finding, limited, problem_of, problem_of_flaw, shown
from reconciler.packs.names import is_name
from reconciler.packs.parsing import read_tree
from reconciler.packs.shape import fit, is_settled
from reconciler.packs.texts import same_entries, unknown_word
from reconciler.packs.tree import Loc, Places

_EVERY_LINE: Final = "*"
_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1"})


class TenantEntry(Shape):
    workspace: StrictStr | None = Field(default=None, description="Workspace of packs that name no region.")
    regions: Mapping[str, StrictStr] | None = Field(default=None, description="Workspace per region.")
    owner: StrictStr | None = Field(default=None, description="Who answers for the business line.")
    contact: StrictStr | None = Field(default=None, description="Where to ask.")
    catalogs: tuple[StrictStr, ...] | None = Field(default=None, description="Catalogs it may share from; absent: any.")
    drift: StrictStr | None = Field(default=None, description="correct or report, for packs that do not say.")
    lends_recipients_to: tuple[StrictStr, ...] | None = Field(
        default=None, description='Business lines whose shares may be granted to its recipients; "*" stands for all.'
    )


class TenantsDocument(Shape):
    tenants: Mapping[str, TenantEntry]


@dataclass(frozen=True, slots=True)
class TenantsFile:
    tenants: Tenants
    path: str = ""
    problems: tuple[Problem, ...] = ()
    #: Business lines (case-folded) whose entry is wrong.
    broken_lines: frozenset[str] = field(default_factory=frozenset)
    #: False when the file does not tell which business lines there are.
    is_whole: bool = True


def read_tenants(path: str, data: bytes, default_workspace: str) -> TenantsFile:
    tree = read_tree(path, data)
    places = Places(path, tree.spot)
    problems = [problem_of_flaw(flaw, path) for flaw in tree.flaws]
    tenants = Tenants({}, default_workspace, is_declared=True)
    if not tree.is_whole:
        return TenantsFile(tenants, path, limited(problems, path), is_whole=False)
    fitted = fit(TenantsDocument, tree.data)
    findings = [*fitted.findings]
    if fitted.document is not None:
        findings.extend(f for f in _check(fitted.document) if not is_settled(f.loc, fitted.settled))
    problems.extend(problem_of(finding, places) for finding in findings)
    broken = {_line_key(str(loc[1])) for loc in fitted.settled | {f.loc for f in findings} if len(loc) > 1}
    is_whole = fitted.document is not None and not any(len(f.loc) < 2 for f in findings) and not tree.flaws
    entries = fitted.document.tenants if fitted.document is not None else {}
    by_line = {
        _line_key(line): _tenant(line, entry, default_workspace)
        for line, entry in entries.items()
        if _line_key(line) not in broken
    }
    tenants = Tenants(by_line, default_workspace, is_declared=True)
    return TenantsFile(tenants, path, limited(problems, path), frozenset(broken), is_whole)


def workspace_url(text: str) -> str | None:
    """`https://host[:port]` in lower case; None when it is not the URL of a workspace. http only for this machine."""
    try:
        url = urlsplit(text.strip())
        port = url.port
    except ValueError:
        return None
    host = url.hostname or ""
    is_secure = url.scheme == "https" or (url.scheme == "http" and host in _LOCAL_HOSTS)
    is_bare = url.path in {"", "/"} and not url.query and not url.fragment and "@" not in url.netloc
    if not is_secure or not is_bare or not _is_host(host):
        return None
    return f"{url.scheme}://{host}" if port in {None, 443} else f"{url.scheme}://{host}:{port}"


def _is_host(host: str) -> bool:
    return (
        bool(host)
        and len(host) <= 253
        and all(label and label.isascii() and label.replace("-", "").isalnum() for label in host.split("."))
    )


def _check(document: TenantsDocument) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for line, entry in document.tenants.items():
        loc: Loc = ("tenants", line)
        if not line.strip():
            yield Finding(loc, "text-empty", "the business line's name is empty", "write its name", at_key=True)
        elif first.setdefault(_line_key(line), line) != line:
            message = f"the business line {shown(line)} stands here twice; letter case does not matter"
            other: Loc = ("tenants", first[_line_key(line)])
            yield Finding(loc, "tenant-duplicate", message, "join the two entries", at_key=True, also=other)
        yield from _check_entry(entry, loc)
        yield from _check_borrowers(entry, list(document.tenants), (*loc, "lends_recipients_to"))


def _check_entry(entry: TenantEntry, loc: Loc) -> Iterator[Finding]:
    for way, url in _urls(entry, loc):
        if workspace_url(url) is None:
            yield Finding(
                way, "tenant-workspace-invalid", f"{shown(url)} is not the URL of a workspace", _url_hint(url)
            )
    yield from _same_regions(list(entry.regions or ()), (*loc, "regions"))
    for number, catalog in enumerate(entry.catalogs or ()):
        if not is_name(catalog.strip()):
            message = f"{shown(catalog)} is not the name of a catalog"
            yield Finding(
                (*loc, "catalogs", number), "tenant-catalog-invalid", message, "write the catalog's name alone"
            )
    catalogs = entry.catalogs or ()
    yield from same_entries(catalogs, map(_catalog_key, catalogs), (*loc, "catalogs"))
    yield from check_drift(entry.drift, (*loc, "drift"))


def _check_borrowers(entry: TenantEntry, lines: Sequence[str], loc: Loc) -> Iterator[Finding]:
    borrowers = entry.lends_recipients_to or ()
    known = {_line_key(line) for line in lines}
    for number, borrower in enumerate(borrowers):
        if _line_key(borrower) not in known | {_EVERY_LINE}:
            message = f"there is no business line {shown(borrower)} in this file"
            hint = unknown_word(borrower, lines)
            yield Finding((*loc, number), "tenant-borrower-unknown", message, hint)
    yield from same_entries(borrowers, map(_line_key, borrowers), loc)


def _same_regions(regions: Sequence[str], loc: Loc) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for region in regions:
        if not region.strip():
            yield Finding((*loc, region), "text-empty", "the region's name is empty", "write its name", at_key=True)
        elif (other := first.setdefault(region.strip().upper(), region)) != region:
            message = f"the region {shown(region)} stands here twice; letter case does not matter"
            yield Finding((*loc, region), "tenant-duplicate", message, "keep one", at_key=True, also=(*loc, other))


def _urls(entry: TenantEntry, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if entry.workspace is not None:
        yield (*loc, "workspace"), entry.workspace
    for region, url in (entry.regions or {}).items():
        yield (*loc, "regions", region), url


def _url_hint(text: str) -> str:
    host = urlsplit(text.strip()).hostname if "[" not in text and "]" not in text else ""
    return f"write https://{host}" if host and _is_host(host) else "write it like https://adb-111.azuredatabricks.net"


def _tenant(line: str, entry: TenantEntry, default_workspace: str) -> Tenant:
    workspaces = {region.strip().upper(): workspace_url(url) or "" for region, url in (entry.regions or {}).items()}
    if entry.workspace is not None:
        workspaces[""] = workspace_url(entry.workspace) or ""
    elif not workspaces:
        workspaces[""] = default_workspace
    catalogs = None if entry.catalogs is None else frozenset(map(_catalog_key, entry.catalogs))
    return Tenant(
        business_line=" ".join(line.split()),
        workspaces=workspaces,
        owner=entry.owner or "",
        contact=entry.contact or "",
        catalogs=catalogs,
        lends_to=frozenset(map(_line_key, entry.lends_recipients_to or ())),
        drift=None if entry.drift is None else DriftPolicy(entry.drift.strip().lower()),
    )


def _catalog_key(catalog: str) -> str:
    return catalog.strip().lower()


def _line_key(line: str) -> str:
    return PackId.of(line, "").business_line_key
