"""What the versioned tables look like. One description each instead of a repository each: `versions` writes any of
them, and a test compares the descriptions with the database."""

from dataclasses import dataclass
from typing import Final

#: Every versioned table has these, besides its id.
SCD2_COLUMNS: Final = (
    "record_id",
    "effective_from",
    "effective_to",
    "is_current",
    "is_deleted",
    "version",
    "created_by",
    "change_reason",
    "previous_version",
)


@dataclass(frozen=True, slots=True)
class Table:
    #: In schema deltashare.
    name: str
    id: str
    #: What a row says. A version is written only when one of these changes.
    columns: tuple[str, ...]
    #: Where a version came from: `plan_id`, `commit_id`. Never a reason for a version, save for a commit where there
    #: was none: then the state is vouched for by Git from there on.
    origin: tuple[str, ...] = ()

    @property
    def entity(self) -> str:
        """`entity_type` in the audit trail."""
        return self.id.removesuffix("_id")


TENANTS: Final = Table(
    "tenants",
    "tenant_id",
    ("business_line", "business_line_key", "owner", "contact", "catalogs", "lends_recipients_to", "drift"),
)
TENANT_REGIONS: Final = Table("tenant_regions", "tenant_region_id", ("tenant_id", "region", "workspace_url"))
PROJECTS: Final = Table("projects", "project_id", ("tenant_id", "project_name", "project_key"))
REQUESTS: Final = Table(
    "requests",
    "request_id",
    (
        "tenant_id",
        "project_id",
        "share_pack_id",
        "requested_by",
        "request_status",
        "error_message",
        "pull_requests",
        "approved_by",
    ),
    ("plan_id", "commit_id"),
)

#: What a pack is: one group of columns of share_packs. `is_deleted` belongs to it.
PACK_CONTENT: Final = (
    "requested_by",
    "strategy",
    "file_path",
    "file_format",
    "workspace_url",
    "region",
    "config",
    "config_digest",
    "commit_id",
)
#: How far a pack got: the other group. No version changes both.
PACK_PROGRESS: Final = ("share_pack_status", "provisioning_status", "error_message", "applied_commit_id")
SHARE_PACKS: Final = Table(
    "share_packs",
    "share_pack_id",
    ("share_pack_name", "tenant_id", "project_id", *PACK_CONTENT, *PACK_PROGRESS),
    ("plan_id",),
)

RECIPIENTS: Final = Table(
    "recipients",
    "recipient_id",
    (
        "share_pack_id",
        "workspace_url",
        "recipient_name",
        "type",
        "email",
        "metastore_id",
        "allowed_ips",
        "comment",
        "owner",
        "properties",
        "expires_at",
        "federation_policies",
        "token_lifetime",
        "rotate_every",
        "rotation_overlap",
        "protect",
    ),
    ("plan_id", "commit_id"),
)
SHARES: Final = Table(
    "shares",
    "share_id",
    (
        "share_pack_id",
        "workspace_url",
        "share_name",
        "comment",
        "data_objects",
        "recipients",
        "owner",
        "storage_root",
        "protect",
    ),
    ("plan_id", "commit_id"),
)
PIPELINES: Final = Table(
    "pipelines",
    "pipeline_id",
    ("share_pack_id", "workspace_url", "pipeline_name", "type", "schedule", "source", "destination", "comment"),
    ("plan_id", "commit_id"),
)
USERS: Final = Table("users", "user_id", ("email", "display_name", "is_active"))
AD_GROUPS: Final = Table("ad_groups", "group_id", ("group_name", "members"))
DATABRICKS_OBJECTS: Final = Table(
    "databricks_objects", "object_id", ("workspace_url", "full_name", "object_type", "owner")
)

VERSIONED: Final = (
    TENANTS,
    TENANT_REGIONS,
    PROJECTS,
    REQUESTS,
    SHARE_PACKS,
    RECIPIENTS,
    SHARES,
    PIPELINES,
    USERS,
    AD_GROUPS,
    DATABRICKS_OBJECTS,
)
