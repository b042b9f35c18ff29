"""The bodies of requests and answers, in PascalCase as in the guide. Three of them are the guide's, field for field:
`UploadAnswer`, `SharePackStatus` and `WorkflowHealth`."""

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_pascal

#: The guide's four.
Status: TypeAlias = Literal["IN_PROGRESS", "COMPLETED", "FAILED", "VALIDATION_FAILED"]


class Pascal(BaseModel):
    model_config = ConfigDict(alias_generator=to_pascal, populate_by_name=True, frozen=True)


class Finding(Pascal):
    """What is wrong, or odd, in a file. Numbers are 0 and texts empty where they say nothing."""

    #: As the sender calls it; empty when it is about another file than the one handed in.
    file: str
    line: int
    column: int
    sheet: str
    cell: str
    #: Stable id, such as `recipient-email-missing`.
    rule: str
    message: str
    hint: str
    #: All of it in one line, for people.
    text: str


class UploadAnswer(Pascal):
    message: str
    share_pack_id: UUID
    share_pack_name: str
    status: Status
    validation_errors: list[Finding]
    validation_warnings: list[Finding]


class SharePackStatus(Pascal):
    share_pack_id: UUID
    share_pack_name: str
    status: Status
    strategy: Literal["NEW", "UPDATE"]
    provisioning_status: str
    error_message: str
    requested_by: str
    created_at: datetime
    last_updated: datetime


class WorkflowHealth(Pascal):
    message: str
    database_connected: bool
    queue_connected: bool
    tables_count: int


class SharePackItem(SharePackStatus):
    business_line: str
    project_name: str
    workspace_url: str
    #: Of the file in the repository.
    path: str
    #: The commit of the content last submitted, and the one last applied to the end.
    commit: str
    applied_commit: str
    is_removed: bool


class SharePackPage(Pascal):
    share_packs: list[SharePackItem]
    total: int
    #: For the parameter `cursor`; null on the last page.
    next_cursor: str | None


class RowVersion(Pascal):
    version: int
    effective_from: datetime
    #: Null while it is current.
    effective_to: datetime | None
    is_deleted: bool
    created_by: str
    change_reason: str
    commit: str
    #: The other columns, by their names in the database.
    values: dict[str, Any]


class ResourceName(Pascal):
    #: Such as `share/finance_q1_share`.
    key: str
    workspace_url: str


class SharePackHistory(Pascal):
    share_pack_id: UUID
    versions: list[RowVersion]
    #: What is, or ever was, the pack's.
    resources: list[ResourceName]


class SharePackPlan(Pascal):
    """The pack's part of a plan: of the last one that was submitted, or of one made just now."""

    share_pack_id: UUID
    is_live: bool
    #: Null and empty for one that was made just now.
    plan_id: UUID | None
    actor: str
    commit: str
    made_at: datetime
    #: As in `schema/plan.schema.json`, the items of `packs`; null when nothing was ever submitted for the pack.
    plan: dict[str, Any] | None


class Tenant(Pascal):
    tenant_id: UUID
    business_line: str
    since: datetime
    values: dict[str, Any]


class TenantList(Pascal):
    tenants: list[Tenant]


class Project(Pascal):
    project_id: UUID
    project_name: str
    business_line: str
    since: datetime
    values: dict[str, Any]


class ProjectList(Pascal):
    projects: list[Project]


class History(Pascal):
    versions: list[RowVersion]


class AccessLine(Pascal):
    """One recipient reads one object through one share. Texts are empty where there is nothing to say."""

    recipient: str
    type: str
    email: str
    metastore: str
    addresses: str
    signs_in: str
    object: str
    object_type: str
    extent: str
    shared_as: str
    share: str
    workspace: str
    business_line: str
    project: str
    since: datetime
    commit: str
    created_by: str
    pull_requests: str
    approved_by: str


class AccessAnswer(Pascal):
    #: The moment it is about.
    at: datetime
    #: Before this nobody knows; null: nothing is on record.
    record_since: datetime | None
    lines: list[AccessLine]


class Event(Pascal):
    """The data of a server-sent event `sharepack`."""

    share_pack_id: UUID
    share_pack_name: str
    business_line: str
    project_name: str
    status: Status
    provisioning_status: str
    error_message: str
    at: datetime


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    correlation_id: str
