"""The control surface below /__sandbox/: faults, latency, throttling, clock, knobs, log, seed. Apart from the API.

It needs no token, so the sandbox listens on the local machine unless told otherwise. Bodies and answers are JSON.

    POST fault      {pattern: "PATCH /api/2.1/unity-catalog/shares/*", status, error_code, message, body, offset, times,
                    after_handler, delay_ms, delay_only, retry_after, drop_connection}; see faults.FaultRule. GET lists
                    the rules with how often each matched, DELETE removes them all, or the one with ?id=ID. From a
                    thousand on, those that are over are forgotten
    POST latency    {ms} for every API call, its work included; 0 for none
    POST throttle   {rate, burst, writes_only}: 429 beyond `rate` calls a second; {} lets everything through
    POST clock      {advance_seconds} or {set: epoch milliseconds or ISO time}; GET tells the time
    GET log         ?writes=true&since=SEQUENCE&limit=N: the requests, without secrets; DELETE empties it. It holds the
                    newest 50,000 (--log-capacity) and 64 million characters of bodies at most
    GET counts      how many requests since the log was emptied, however many it holds: in all, by route, by status and
                    by fault ("503 before" the request took effect, "dropped after" it did, "200 delayed")
    POST knobs      {name: value}; GET tells them all
    POST seed       a seed as YAML: everything starts again from it
    POST reset      everything starts again: seed, first knobs, no faults, empty log
    POST rename-table {from, to}
    POST grant      {securable: TABLE, name, principal, add: [SELECT], remove: […]} on a catalog object or the METASTORE
    POST metastore  {delta_sharing_scope, delta_sharing_recipient_token_lifetime_in_seconds, owner, …}
    GET tokens      ?recipient=NAME: its tokens, oldest first, without anything secret
    GET state       recipients, shares with objects and permissions, names of tables
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.sandbox import catalog, grants, metastore, recipients, share_grants, shares
from reconciler.sandbox.body import Body
from reconciler.sandbox.clock import iso
from reconciler.sandbox.errors import ApiError, invalid, no_endpoint
from reconciler.sandbox.faults import read_fault, read_throttle
from reconciler.sandbox.seed import Seed
from reconciler.sandbox.seed_reader import SeedError
from reconciler.sandbox.wire import ApiRequest, Reply, error_reply, json_reply

if TYPE_CHECKING:
    from reconciler.sandbox.world import World

PREFIX = "/__sandbox/"
Control = Callable[["World", ApiRequest], Any]


def control_reply(world: "World", request: ApiRequest, request_id: str) -> Reply:
    name = request.path.removeprefix(PREFIX)
    control = _CONTROLS.get((request.method, name))
    try:
        if control is None:
            raise no_endpoint(request.method, request.path)
        return json_reply(control(world, request))
    except ApiError as error:
        return error_reply(error, request_id)


def _add_fault(world: "World", request: ApiRequest) -> dict[str, Any]:
    rule = read_fault(request.values)
    world.faults.add(rule)
    return {"id": rule.id}


def _clear_faults(world: "World", request: ApiRequest) -> dict[str, Any]:
    rule_id = request.query.get("id")
    if rule_id is None:
        world.faults.clear()
    else:
        world.faults.remove(rule_id)
    return {}


def _set_latency(world: "World", request: ApiRequest) -> dict[str, Any]:
    milliseconds = Body("Latency", request.values).integer("ms")
    if milliseconds is None or milliseconds < 0:
        raise invalid("ms must be 0 or a positive number of milliseconds")
    world.latency_ms = milliseconds
    return {"ms": milliseconds}


def _set_throttle(world: "World", request: ApiRequest) -> dict[str, Any]:
    world.throttle = read_throttle(request.values)
    return {"is_on": world.throttle is not None}


def _set_clock(world: "World", request: ApiRequest) -> dict[str, Any]:
    clock, values = world.state.clock, request.values
    advance, at = values.get("advance_seconds"), values.get("set")
    if isinstance(advance, int | float) and not isinstance(advance, bool):
        clock.advance(advance)
    elif isinstance(at, str):
        clock.set(_milliseconds(at))
    elif isinstance(at, int) and not isinstance(at, bool):
        clock.set(at)
    else:
        raise invalid("give advance_seconds, or set as epoch milliseconds or ISO time")
    world.state.written()
    return _clock(world, request)


def _milliseconds(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"'{text}' is not an ISO time") from None
    return int(at.timestamp() * 1000)


def _clock(world: "World", _request: ApiRequest) -> dict[str, Any]:
    now = world.state.clock.now()
    return {"now": now, "time": iso(now)}


def _log(world: "World", request: ApiRequest) -> dict[str, Any]:
    query = request.query
    found = world.log.entries(
        is_write=query.get("writes") == "true",
        since=_number(query, "since") or 0,
        limit=_number(query, "limit"),
    )
    return {"entries": [each.as_json() for each in found]}


def _clear_log(world: "World", _request: ApiRequest) -> dict[str, Any]:
    world.log.clear()
    return {}


def _turn_knobs(world: "World", request: ApiRequest) -> dict[str, Any]:
    world.state.knobs = world.state.knobs.changed(request.values)
    return world.state.knobs.as_json()


def _seed(world: "World", request: ApiRequest) -> dict[str, Any]:
    try:
        seed = Seed.from_yaml(request.body.decode(errors="replace"))
    except SeedError as error:
        raise invalid(str(error)) from None
    world.reset(seed)
    return {"digest": seed.digest}


def _reset(world: "World", _request: ApiRequest) -> dict[str, Any]:
    world.reset(world.state.seed)
    return {}


def _rename_table(world: "World", request: ApiRequest) -> dict[str, Any]:
    body = Body("RenameTable", request.values)
    catalog.rename_table(world.state, body.required("from"), body.required("to"))
    return {}


def _grant(world: "World", request: ApiRequest) -> dict[str, Any]:
    body = Body("Grant", request.values)
    name = body.text("name") or ""
    grants.change_by_hand(world.state, body.required("securable"), name, body)
    return {}


def _metastore(world: "World", request: ApiRequest) -> dict[str, Any]:
    return metastore.change(world.state, world.state.metastore.owner, request.values)


def _tokens(world: "World", request: ApiRequest) -> dict[str, Any]:
    state = world.state
    held = state.recipient(request.query.get("recipient", "")).tokens
    return {
        "tokens": [
            {
                "id": each.id,
                "created_at": each.stamp.created_at,
                "expires_at": each.expires_at,
                "is_activated": each.is_activated,
                "is_live": each.expires_at > state.clock.now(),
            }
            for each in held
        ]
    }


def _dump(world: "World", _request: ApiRequest) -> dict[str, Any]:
    """Everything a test may want to compare, without secrets."""
    state = world.state
    held = state.recipients.values()
    return {
        "recipients": [_without_code(recipients.recipient_json(state, each, with_tokens=False)) for each in held],
        "shares": [
            {
                **shares.share_json(state, each, with_objects=True),
                "permissions": [row for _, row in share_grants.assignments(state, each)],
            }
            for each in state.shares.values()
        ],
        "tables": sorted(state.tables),
        "revision": state.revision,
    }


def _without_code(recipient: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in recipient.items() if name != "sharing_code"}


def _number(query: Mapping[str, str], name: str) -> int | None:
    given = query.get(name)
    if given is not None and not given.isdigit():
        raise invalid(f"{name} must be a whole number")
    return None if given is None else int(given)


_CONTROLS: Mapping[tuple[str, str], Control] = {
    ("POST", "fault"): _add_fault,
    ("GET", "fault"): lambda world, _request: {"faults": world.faults.as_json()},
    ("DELETE", "fault"): _clear_faults,
    ("POST", "latency"): _set_latency,
    ("POST", "throttle"): _set_throttle,
    ("POST", "clock"): _set_clock,
    ("GET", "clock"): _clock,
    ("GET", "log"): _log,
    ("DELETE", "log"): _clear_log,
    ("GET", "counts"): lambda world, _request: world.log.counts(),
    ("GET", "knobs"): lambda world, _request: world.state.knobs.as_json(),
    ("POST", "knobs"): _turn_knobs,
    ("POST", "seed"): _seed,
    ("POST", "reset"): _reset,
    ("POST", "rename-table"): _rename_table,
    ("POST", "grant"): _grant,
    ("POST", "metastore"): _metastore,
    ("GET", "tokens"): _tokens,
    ("GET", "state"): _dump,
}
