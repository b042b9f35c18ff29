"""Which workspace a business line uses, what it may share, and whom it lends its recipients to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.core.pack import DriftPolicy


@dataclass(frozen=True, slots=True)
class Tenant:
    """A business line as `tenants.yaml` declares it."""

    business_line: str
    #: Workspace base URL per region, the region upper-cased; `""` is the default region.
    workspaces: Mapping[str, str]
    owner: str = ""
    contact: str = ""
    #: Catalogs it may share from, lower-cased; None lets it share from any.
    catalogs: frozenset[str] | None = None
    #: Case-folded business lines whose shares may be granted to this line's recipients; `*` stands for all.
    lends_to: frozenset[str] = frozenset()
    #: For packs that say nothing themselves; None: CORRECT.
    drift: DriftPolicy | None = None


@dataclass(frozen=True, slots=True)
class Tenants:
    """All business lines, keyed by case-folded name. Without a tenants file every line uses the default workspace."""

    by_line: Mapping[str, Tenant] = field(default_factory=dict)
    default_workspace: str = ""
    #: False when there is no tenants file: then any business line is known.
    is_declared: bool = False
