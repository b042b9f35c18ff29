"""What holds when everything has come to rest, whatever was killed before. Databricks is asked through the sandbox's
own state and log, the database through SQL; the product's reading of either proves nothing here."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from tests.faults.lane import Lane
from tests.faults.scenes import Held, Scene

#: Tables that keep versions, with the id of what is versioned.
VERSIONED: Final = {
    "tenants": "tenant_id",
    "tenant_regions": "tenant_region_id",
    "projects": "project_id",
    "requests": "request_id",
    "share_packs": "share_pack_id",
    "recipients": "recipient_id",
    "shares": "share_id",
    "pipelines": "pipeline_id",
    "users": "user_id",
    "ad_groups": "group_id",
    "databricks_objects": "object_id",
}
#: A row for each version that is not where it should be: numbers from 1 without a gap, each span beginning where the
#: one before ended, the last one current and open, and an audit row for each.
_TORN: Final = " UNION ALL ".join(
    f"""
    SELECT '{table}' AS name, version, wrong FROM (
        SELECT version, CASE
            WHEN version <> row_number() OVER past THEN 'number'
            WHEN effective_from >= effective_to THEN 'span'
            WHEN effective_from <> lag(effective_to, 1, effective_from) OVER past THEN 'gap or overlap'
            WHEN is_current <> (lead(version) OVER past IS NULL) THEN 'current'
            WHEN is_current <> (effective_to = 'infinity') THEN 'end'
            WHEN NOT EXISTS (
                SELECT FROM deltashare.audit_trail
                WHERE entity_id = each.{key} AND entity_version = each.version
            ) THEN 'audit'
        END AS wrong
        FROM deltashare.{table} AS each WINDOW past AS (PARTITION BY {key} ORDER BY version)
    ) AS {table} WHERE wrong IS NOT NULL
    """
    for table, key in VERSIONED.items()
)
_OPEN: Final = """
    SELECT 'operation ' || (call ->> 'call') || ' is ' || outcome FROM reconciler.operations
    WHERE outcome IN ('begun', 'unknown')
    UNION ALL
    SELECT 'lease is held by ' || holder FROM reconciler.leases WHERE holder <> '' OR expires_at > clock_timestamp()
    UNION ALL
    SELECT 'work is ' || status || ' ' || reason FROM reconciler.work WHERE finished_at IS NULL
    UNION ALL
    SELECT 'work ended ' || status || ' ' || reason FROM reconciler.work AS each WHERE status NOT IN ('done', 'skipped')
    UNION ALL
    SELECT 'pack is ' || share_pack_status || ' ' || error_message FROM deltashare.share_packs
    WHERE is_current AND share_pack_status <> 'COMPLETED'
    UNION ALL
    SELECT 'request is ' || request_status FROM deltashare.requests
    WHERE is_current AND request_status NOT IN ('COMPLETED', 'SUPERSEDED')
"""
#: The newest versions, for comparing with what Databricks holds.
_ON_RECORD: Final = """
    SELECT 'recipient' AS kind, recipient_name AS name FROM deltashare.recipients WHERE is_current AND NOT is_deleted
    UNION ALL
    SELECT 'share', share_name FROM deltashare.shares WHERE is_current AND NOT is_deleted
"""


async def violations(lane: Lane, scene: Scene) -> list[str]:
    torn = [f"{row['name']} version {row['version']}: {row['wrong']}" for row in await lane.fetch(_TORN)]
    still_open = [row[0] for row in await lane.fetch(_OPEN)]
    on_record = {(row["kind"], row["name"]) for row in await lane.fetch(_ON_RECORD)}
    return [*torn, *still_open, *_at_databricks(lane, scene, on_record), *twice(lane, scene)]


def _at_databricks(lane: Lane, scene: Scene, on_record: set[tuple[str, str]]) -> list[str]:
    recipients, shares = held(lane)
    wrong = [f"{name} is {recipients.get(name)}" for name in _differing(recipients, scene.recipients)]
    wrong += [f"{name} is {shares.get(name)}" for name in _differing(shares, scene.shares)]
    there = {("recipient", name) for name in recipients} | {("share", name) for name in shares}
    return wrong + [f"{kind} {name} is on one side only" for kind, name in sorted(there ^ on_record)]


def _differing(found: Mapping[str, Held], wanted: Mapping[str, Held]) -> list[str]:
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def held(lane: Lane) -> tuple[dict[str, Held], dict[str, Held]]:
    """Recipients and shares as the scenes describe them, from the sandbox's state."""
    state = lane.control.state()
    recipients = {item["name"]: _recipient(lane, item) for item in state["recipients"]}
    return recipients, {item["name"]: _share(item) for item in state["shares"]}


def _recipient(lane: Lane, item: Mapping[str, Any]) -> Held:
    properties = item["properties_kvpairs"]["properties"]
    return {
        "type": item["authentication_type"],
        "comment": item.get("comment") or "",
        "ips": sorted((item.get("ip_access_list") or {}).get("allowed_ip_addresses", [])),
        "properties": {name: value for name, value in properties.items() if not name.startswith("databricks.")},
        "tokens": len(lane.control.tokens(item["name"])),
    }


def _share(item: Mapping[str, Any]) -> Held:
    return {
        "comment": item.get("comment") or "",
        "objects": sorted(each["name"] for each in item.get("objects") or ()),
        "readers": sorted(each["principal"] for each in item["permissions"] if each["privileges"] == ["SELECT"]),
    }


def twice(lane: Lane, scene: Scene) -> list[str]:
    """Requests that took effect more than once, creates and rotations by what they are about whatever they say."""
    done: Counter[str] = Counter()
    for method, path, body in lane.writes():
        if method == "POST":
            done[f"{method} {path} {(body or {}).get('name', '')}"] += 1
        else:
            done[f"{method} {path} {body}"] += 1
    wrong = [f"{count} times {what[:200]}" for what, count in done.items() if count > 1]
    for name in scene.rotations:
        count = done[f"POST /recipients/{name}/rotate-token "]
        wrong += [f"{count} rotations of {name}"] if count != 1 else []
    return wrong
