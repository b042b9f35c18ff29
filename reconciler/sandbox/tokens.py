"""Tokens of open sharing: one-time activation links, rotation with an overlap, expiry. At most two live at a time."""

import hashlib
import secrets
import uuid
from dataclasses import replace
from typing import Any

from reconciler.sandbox.clock import iso
from reconciler.sandbox.errors import ApiError, invalid, resource_does_not_exist
from reconciler.sandbox.knobs import Knobs
from reconciler.sandbox.records import Recipient, Token
from reconciler.sandbox.state import State

_CANNOT_EXTEND = "Cannot extend the token expiration time"


def new_token(state: State, caller: str, expires_at: int | None) -> Token:
    stamp = state.created(caller)
    now = stamp.created_at
    latest = now + state.metastore.token_lifetime_seconds * 1000
    if expires_at is not None and expires_at <= now:
        raise invalid("The token expiration time must be in the future")
    if expires_at is not None and expires_at > latest:
        raise invalid(f"{_CANNOT_EXTEND} beyond the token lifetime of the metastore")
    return Token(
        id=str(uuid.uuid4()),
        activation_secret=secrets.token_urlsafe(32),
        bearer_digest=None,
        expires_at=expires_at or latest,
        stamp=stamp,
    )


def rotated(state: State, recipient: Recipient, caller: str, expire_in_seconds: int | None) -> tuple[Token, ...]:
    """Answers the tokens after a rotation: the old one, perhaps ended sooner, and a new one."""
    if expire_in_seconds is not None and expire_in_seconds < 0:
        raise invalid("existing_token_expire_in_seconds must not be negative")
    now = state.clock.now()
    live = [each for each in recipient.tokens if each.expires_at > now]
    if len(live) >= 2:
        raise invalid(f"There are already two active tokens for recipient {recipient.name}")
    if expire_in_seconds is None and not state.knobs.rotate_default_keeps_expiry:
        expire_in_seconds = 0
    ends_at = None if expire_in_seconds is None else now + expire_in_seconds * 1000
    old = [_shortened(state, each, caller, ends_at) for each in live]
    kept = [each for each in old if each.expires_at > now]
    return (*kept, new_token(state, caller, None))


def with_expiry(state: State, recipient: Recipient, caller: str, expires_at: int) -> tuple[Token, ...]:
    """Answers the tokens with the newest one ending at `expires_at`, which may only be sooner than before."""
    *others, newest = recipient.tokens
    if expires_at > newest.expires_at:
        raise invalid(_CANNOT_EXTEND)
    return (*others, replace(newest, expires_at=expires_at, stamp=state.touched(newest.stamp, caller)))


def activate(state: State, secret: str) -> dict[str, Any]:
    """Answers the credential file behind a one-time link, and uses the link up."""
    if not secret:
        raise resource_does_not_exist("The activation link does not exist")
    digest = _digest(secret)
    if digest in state.used_links:
        status = state.knobs.second_activation_status
        raise ApiError(status, "RESOURCE_DOES_NOT_EXIST", "The activation link was already used")
    for recipient in state.recipients.values():
        for token in recipient.tokens:
            if token.activation_secret == secret:
                return _hand_out(state, recipient, token, digest)
    raise resource_does_not_exist("The activation link does not exist")


def is_waiting(state: State, secret: str) -> bool:
    """Answers whether an activation link exists and was not used yet."""
    held = (token for recipient in state.recipients.values() for token in recipient.tokens)
    return any(token.activation_secret == secret for token in held)


def holder_of(state: State, bearer: str) -> Recipient | None:
    """Answers the recipient a bearer token was handed out to, unless it has expired."""
    digest, now = _digest(bearer), state.clock.now()
    for recipient in state.recipients.values():
        if any(each.bearer_digest == digest and each.expires_at > now for each in recipient.tokens):
            return recipient
    return None


def tokens_json(state: State, tokens: tuple[Token, ...]) -> list[dict[str, Any]]:
    knobs, now = state.knobs, state.clock.now()
    shown = [each for each in tokens if knobs.expired_tokens_listed == "until_rotate" or each.expires_at > now]
    return [_token_json(state, each) for each in _ordered(shown, knobs)]


def activation_url(state: State, token: Token) -> str:
    return f"{state.base_url}/delta_sharing/retrieve_config.html?{token.activation_secret}"


def _shortened(state: State, token: Token, caller: str, ends_at: int | None) -> Token:
    if ends_at is None:
        return token
    if ends_at > token.expires_at:
        raise invalid(_CANNOT_EXTEND)
    return replace(token, expires_at=ends_at, stamp=state.touched(token.stamp, caller))


def _hand_out(state: State, recipient: Recipient, token: Token, digest: str) -> dict[str, Any]:
    bearer = secrets.token_urlsafe(48)
    used = replace(token, activation_secret=None, bearer_digest=_digest(bearer))
    tokens = tuple(used if each.id == token.id else each for each in recipient.tokens)
    state.put_recipient(replace(recipient, tokens=tokens), instead_of=recipient.name)
    state.used_links.add(digest)
    return {
        "shareCredentialsVersion": 1,
        "bearerToken": bearer,
        "endpoint": f"{state.base_url}/api/2.0/delta-sharing/metastores/{state.metastore.id}",
        "expirationTime": iso(token.expires_at),
    }


def _ordered(tokens: list[Token], knobs: Knobs) -> list[Token]:
    match knobs.token_order:
        case "newest":
            return tokens[::-1]
        case "oldest":
            return tokens
        case _:
            return sorted(tokens, key=lambda each: each.id)


def _token_json(state: State, token: Token) -> dict[str, Any]:
    link = {} if token.is_activated else {"activation_url": activation_url(state, token)}
    return {
        "id": token.id,
        **link,
        "created_at": token.stamp.created_at,
        "created_by": token.stamp.created_by,
        "expiration_time": token.expires_at,
        "updated_at": token.stamp.updated_at,
        "updated_by": token.stamp.updated_by,
    }


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
