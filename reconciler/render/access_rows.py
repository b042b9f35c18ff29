"""Who can read what as flat rows of plain texts, for spreadsheets, web pages and programs. Decides what each column
says, not how it is shown: nothing is escaped here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

from reconciler.core.key import Key, recipient_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.reads import Reads
from reconciler.core.recipient import (
    DatabricksSharing,
    OidcSharing,
    OtherSharing,
    Recipient,
    TokenSharing,
    is_open,
)
from reconciler.core.share import ObjectType, partition_text
from reconciler.render.element_text import policy_text

Recipients = Mapping[Key, Recipient]

ANY_ADDRESS: Final = "any address"
NOT_ON_RECORD: Final = "not on record"


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One recipient reads one object through one share. Texts are empty where there is nothing to say."""

    recipient: str
    #: `D2O`, `D2O with OIDC`, `D2D`, `not on record`.
    type: str
    email: str
    metastore: str
    #: Which addresses it reads from; empty for D2D, whose own metastore decides that.
    addresses: str
    #: Whom its identity provider lets in, for OIDC.
    signs_in: str
    object: str
    #: `table`, `schema`, …; empty where the pack left it to be looked up.
    object_type: str
    #: How much of it: `all of the schema, also what is added to it`, `only where region = 'EMEA'`, …
    extent: str
    #: The name it has for its readers, where a pack gives one.
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


def access_rows(lines: Iterable[Reads], recipients: Recipients) -> Iterator[AccessRow]:
    """In the order of `lines`; `recipients` as they were then."""
    for line in lines:
        recipient = recipients.get(recipient_key(line.recipient, line.share.workspace))
        kind, metastore = sharing(recipient)
        yield AccessRow(
            recipient=line.recipient,
            type=kind,
            email=email(recipient),
            metastore=metastore,
            addresses=addresses(recipient),
            signs_in=signs_in(recipient),
            object=line.item.name,
            object_type=object_type(line),
            extent=extent(line),
            shared_as="" if line.item.shared_as is UNMANAGED else line.item.shared_as,
            share=line.share.name,
            workspace=line.share.workspace,
            business_line=line.pack.business_line,
            project=line.pack.project_name,
            since=line.since,
            commit=line.commit,
            created_by=line.created_by,
            pull_requests=line.pull_requests,
            approved_by=line.approved_by,
        )


def sharing(recipient: Recipient | None) -> tuple[str, str]:
    """How it proves who it is, and the metastore it is, if it is one."""
    if recipient is None:
        return NOT_ON_RECORD, ""
    match recipient.authentication:
        case DatabricksSharing(metastore_id):
            return "D2D", metastore_id
        case TokenSharing() | OidcSharing() | OtherSharing():
            return str(recipient.authentication), ""
        case _:
            assert_never(recipient.authentication)


def email(recipient: Recipient | None) -> str:
    return "" if recipient is None or recipient.email is UNMANAGED else recipient.email


def addresses(recipient: Recipient | None) -> str:
    if recipient is None or not is_open(recipient.authentication):
        return ""
    if recipient.allowed_ips is UNMANAGED:
        return "left as they are in Databricks"
    return ", ".join(sorted(recipient.allowed_ips)) or ANY_ADDRESS


def signs_in(recipient: Recipient | None) -> str:
    if recipient is None or recipient.policies is UNMANAGED:
        return ""
    return "; ".join(sorted(map(policy_text, recipient.policies)))


def object_type(line: Reads) -> str:
    if line.is_schema:
        return ObjectType.SCHEMA.words
    return "" if line.item.type is UNMANAGED else line.item.type.words


def extent(line: Reads) -> str:
    item = line.item
    said = ["all of the schema, also what is added to it"] if line.is_schema else []
    if item.partitions is not UNMANAGED and item.partitions:
        said.append(f"only where {' OR '.join(sorted(map(partition_text, item.partitions)))}")
    if item.history is True:
        said.append("with history")
    elif item.cdf is True:
        said.append("with change feed")
    if item.start_version is not UNMANAGED and item.start_version:
        said.append(f"from version {item.start_version}")
    return ", ".join(said)
