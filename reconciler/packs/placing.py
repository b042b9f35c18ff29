"""Puts a parsed pack into the workspace of its business line, and says when it may not be there."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from reconciler.core.key import PackId
from reconciler.core.problem import Problem, Where
from reconciler.core.share import ObjectType
from reconciler.core.tenant import Tenant
from reconciler.packs.document import PackDocument
from reconciler.packs.finding import Finding, enough, problem_of, shown
from reconciler.packs.objects import known
from reconciler.packs.parsing import ParsedFile
from reconciler.packs.shape import is_settled
from reconciler.packs.tenants import TenantsFile
from reconciler.packs.texts import unknown_word
from reconciler.packs.tree import Loc

_LINE: Loc = ("metadata", "business_line")
_PROJECT: Loc = ("metadata", "project_name")
_REGION: Loc = ("metadata", "region")


@dataclass(frozen=True, slots=True)
class Placed:
    file: ParsedFile
    #: None when the file does not reliably say what it is.
    id: PackId | None
    #: Business line, case-folded; "" when it is not known.
    line: str
    #: None when the pack has none, or its tenant could not be read.
    workspace: str | None
    problems: tuple[Problem, ...] = ()

    @property
    def path(self) -> str:
        return self.file.path

    @property
    def is_broken(self) -> bool:
        return self.file.is_broken or any(problem.is_error for problem in self.problems)


def place(file: ParsedFile, tenants_file: TenantsFile) -> Placed:
    pack_id = PackId.of(file.business_line, file.project_name)
    wrong = {problem.where for problem in file.problems}
    is_line_known = bool(pack_id.business_line_key) and not _is_at(file, _LINE, wrong)
    is_known = is_line_known and bool(pack_id.project_key) and not _is_at(file, _PROJECT, wrong)
    identity, line = pack_id if is_known else None, pack_id.business_line_key if is_line_known else ""
    if not is_line_known:
        return Placed(file, identity, line, None)
    tenants = tenants_file.tenants
    if not tenants.is_declared:
        return Placed(file, identity, line, tenants.default_workspace)
    if not tenants_file.is_whole or line in tenants_file.broken_lines:
        return Placed(file, identity, line, None, (_waits_for_tenants(file, tenants_file),))
    tenant = tenants.by_line.get(line)
    if tenant is None:
        known = [tenant.business_line for tenant in tenants.by_line.values()]
        message = f"the business line {shown(pack_id.business_line)} is not in tenants.yaml"
        finding = Finding(_LINE, "business-line-unknown", message, unknown_word(pack_id.business_line, known))
        # A misspelt name may stand for any business line.
        return Placed(file, identity, "", None, (problem_of(finding, file.places),))
    return _placed_in(file, identity, line, tenant)


def _is_at(file: ParsedFile, loc: Loc, places: AbstractSet[Where]) -> bool:
    return bool(places) and file.places.value(loc) in places


def _placed_in(file: ParsedFile, identity: PackId | None, line: str, tenant: Tenant) -> Placed:
    if file.document is None:
        return Placed(file, identity, line, None)
    found = _workspace(file.document.metadata.region, tenant)
    findings = [] if isinstance(found, str) else [found]
    findings.extend(enough(_foreign_catalogs(file.document, tenant)))
    said = [problem_of(finding, file.places) for finding in findings if not is_settled(finding.loc, file.settled)]
    return Placed(file, identity, line, found if isinstance(found, str) else None, tuple(said))


def _workspace(stated: str | None, tenant: Tenant) -> str | Finding:
    region = (stated or "").strip().upper()
    if region in tenant.workspaces:
        return tenant.workspaces[region]
    regions = sorted(filter(None, tenant.workspaces))
    if region:
        message = f"the business line {shown(tenant.business_line)} has no region {shown(region)}"
        return Finding(_REGION, "region-unknown", message, unknown_word(region, regions))
    if len(regions) == 1:
        return tenant.workspaces[regions[0]]
    message = f"the business line {shown(tenant.business_line)} has several regions, and the pack says none"
    return Finding(_REGION, "region-missing", message, f"add a region: {', '.join(regions)}")


def _foreign_catalogs(document: PackDocument, tenant: Tenant) -> Iterator[Finding]:
    if tenant.catalogs is None:
        return
    for number, share in enumerate(document.share):
        for position, item in enumerate(share.data_objects or ()):
            if isinstance(item, str) and item.partition(".")[0] in tenant.catalogs:
                continue  # as nearly all are, and most of the time this takes is saved
            told = known(item)
            # A notebook comes from a file, not from a catalog.
            catalog = "" if told.kind is ObjectType.NOTEBOOK_FILE else (told.name or "").partition(".")[0]
            if catalog and catalog not in tenant.catalogs:
                message = f"{shown(tenant.business_line)} may not share from the catalog {shown(catalog)}"
                loc: Loc = ("share", number, "data_objects", position, *([] if isinstance(item, str) else ["name"]))
                yield Finding(loc, "catalog-not-allowed", message, unknown_word(catalog, sorted(tenant.catalogs)))


def _waits_for_tenants(file: ParsedFile, tenants_file: TenantsFile) -> Problem:
    cause = next((problem.where for problem in tenants_file.problems), None)
    message = f"the workspace of {shown(file.business_line)} cannot be told until {tenants_file.path} is corrected"
    return Problem(file.places.value(_LINE), "waits-for-file", message, "correct that file first", also=cause)
