"""Answers one API request: signs the caller in, finds the rule, turns refusals into replies. No network here."""

from dataclasses import dataclass, replace

from reconciler.sandbox.errors import ApiError, no_endpoint
from reconciler.sandbox.faults import Throttle
from reconciler.sandbox.open_protocol import protocol_reply
from reconciler.sandbox.privileges import as_of_now
from reconciler.sandbox.public import public_reply
from reconciler.sandbox.routes import Router
from reconciler.sandbox.sessions import Sessions
from reconciler.sandbox.state import State, check_sharing_is_on
from reconciler.sandbox.wire import ApiRequest, Reply, error_reply, json_reply

_router = Router()


@dataclass(frozen=True, slots=True)
class Answer:
    reply: Reply
    route: str | None = None
    principal: str | None = None


def route_of(request: ApiRequest) -> str | None:
    """Answers the path with placeholders of a request no rule is asked about."""
    found = _router.find(request)
    return None if found is None else found[0].path


def answer(state: State, sessions: Sessions, throttle: Throttle | None, request: ApiRequest, request_id: str) -> Answer:
    route = principal = None
    try:
        if throttle is not None:
            is_write = request.method not in {"GET", "HEAD"}
            throttle.check(is_write=is_write, with_header=state.knobs.retry_after_header)
        public = public_reply(state, sessions, request) or protocol_reply(state, request)
        if public is not None:
            return Answer(public[1], public[0])
        caller = as_of_now(state, sessions.caller(request.headers.get("Authorization")))
        principal = caller.name
        found = _router.find(request)
        if found is None:
            raise no_endpoint(request.method, request.path)
        matched, names = found
        route = matched.path
        if matched.is_sharing:
            check_sharing_is_on(state)
        return Answer(json_reply(matched.rule(state, caller, replace(request, names=names))), route, principal)
    except ApiError as error:
        return Answer(error_reply(error, request_id), route, principal)
