"""Who could read what as versioned JSON, whole and deterministic: the form of `schema/access.schema.json`."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.core.access_report import AccessReport
from reconciler.core.key import Key
from reconciler.core.reads import Reads
from reconciler.core.recipient import Recipient
from reconciler.core.resource_encoding import encode_object, encode_resource

Json = dict[str, Any]

FORMAT: Final = "sharepack-access"
#: Minor: readers may ignore what they do not know. Major: readers must refuse.
FORMAT_VERSION: Final = "1.0"
#: What tells who a recipient is; not what is done with its token.
_OF_A_RECIPIENT: Final = ("type", "metastore_id", "email", "allowed_ips", "federation_policies")


def access_report_json(report: AccessReport) -> str:
    return json.dumps(access_document(report), indent=2, ensure_ascii=True) + "\n"


def access_document(report: AccessReport) -> Json:
    asked = report.question
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "asked": {
            "recipient": asked.recipient,
            "object": asked.object_name,
            "as_of": None if asked.at is None else _precisely(asked.at),
            "business_lines": None if asked.lines is None else sorted(asked.lines),
        },
        "at": _precisely(report.at),
        "record_since": None if report.record_since is None else _precisely(report.record_since),
        "recipients": [_recipient(key, each) for key, each in sorted(report.recipients.items())],
        "access": [_reads(each) for each in report.lines],
    }


def _recipient(key: Key, recipient: Recipient) -> Json:
    told = encode_resource(recipient)
    return {
        "recipient": key.name,
        "workspace": key.workspace,
        **{name: told[name] for name in _OF_A_RECIPIENT if name in told},
    }


def _reads(each: Reads) -> Json:
    return {
        "recipient": each.recipient,
        "object": encode_object(each.item),
        "is_schema": each.is_schema,
        "share": each.share.name,
        "workspace": each.share.workspace,
        "business_line": each.pack.business_line,
        "project_name": each.pack.project_name,
        "since": _precisely(each.since),
        "commit": each.commit,
        "created_by": each.created_by,
        "pull_requests": each.pull_requests,
        "approved_by": each.approved_by,
    }


def _precisely(at: datetime) -> str:
    """To the microsecond, so that it can be asked about: a second earlier it may not have been so."""
    return at.astimezone(UTC).isoformat()
