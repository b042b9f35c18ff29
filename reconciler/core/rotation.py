"""Whether a recipient's newest token is due to be replaced or lives too long. The answer names the token it was given
for: once another token is newer it means nothing any more, so that nothing is ever rotated twice."""

from collections.abc import Iterator
from typing import Final

from reconciler.core.actual import Found, Observed, Token
from reconciler.core.changes import TokenChange, TokenRotated, TokenShortened, moment_text
from reconciler.core.guard import Objection
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.resource import Resource

DEFAULT_OVERLAP: Final = 7 * 24 * 3600
#: More are refused (contract 2.5).
MAX_TOKENS: Final = 2
#: Seconds. An end in the past is refused, and a reader who is to be given a new token needs a moment.
_LEAST_LEFT: Final = 3600
#: A token may outlive its lifetime by the time that issuing it and shortening it took.
_TOLERANCE_MS: Final = 3_600_000


def token_change(desired: Recipient, observed: Observed, now: int, asked: int | None = None) -> TokenChange | None:
    """`now` in epoch milliseconds. `asked` is the overlap, in seconds, of a rotation that a person asked for."""
    if not isinstance(observed, Found) or not isinstance(desired.authentication, TokenSharing) or not observed.tokens:
        return None
    newest = observed.tokens[0]
    if asked is not None:
        return TokenRotated(newest.id, newest.created_at, asked, newest.expires_at)
    if is_due(desired, newest, now):
        if len(live_tokens(observed, now)) >= MAX_TOKENS:
            # Once the older one has ended, the newest is replaced; until then nothing is taken from its reader.
            return None
        return TokenRotated(newest.id, newest.created_at, overlap_of(desired), newest.expires_at)
    return _shortened(desired, newest, now)


def is_due(desired: Recipient, newest: Token, now: int) -> bool:
    return desired.rotate_every is not UNMANAGED and now - newest.created_at >= desired.rotate_every * 1000


def overlap_of(desired: Recipient) -> int:
    return DEFAULT_OVERLAP if desired.rotation_overlap is UNMANAGED else desired.rotation_overlap


def live_tokens(found: Found, now: int) -> tuple[Token, ...]:
    return tuple(token for token in found.tokens if token.expires_at is None or token.expires_at > now)


def still_due(change: TokenChange | None, found: Found, desired: Resource) -> TokenChange | None:
    """The change, unless the token it was decided for is not the newest any more or ends early enough already. What is
    left of a rotation that has been done is the end of the new token, which is a call of its own."""
    if change is None or not found.tokens:
        return None
    newest = found.tokens[0]
    if newest.id != change.token_id:
        return _rest(change, newest, desired)
    if isinstance(change, TokenShortened) and newest.expires_at is not None and newest.expires_at <= change.after:
        return None
    return change


def _rest(change: TokenChange, newest: Token, desired: Resource) -> TokenShortened | None:
    if not isinstance(change, TokenRotated) or newest.created_at < change.made_at:
        return None
    if not isinstance(desired, Recipient) or desired.token_lifetime is UNMANAGED:
        return None
    return _ending(newest, newest.created_at + desired.token_lifetime * 1000)


def rotation_objections(change: TokenChange | None, observed: Observed, now: int) -> Iterator[Objection]:
    if not isinstance(change, TokenRotated) or not isinstance(observed, Found):
        return
    live = live_tokens(observed, now)
    if len(live) >= MAX_TOKENS:
        ends = live[-1].expires_at
        when = "one of them has ended" if ends is None else moment_text(ends)
        yield Objection(
            "two-tokens",
            "it has two tokens that work, and Databricks gives no third",
            f"wait until {when}, then rotate again",
        )


def _shortened(desired: Recipient, newest: Token, now: int) -> TokenShortened | None:
    """Never to less than the overlap from now: its reader must have time to fetch the next one."""
    if desired.token_lifetime is UNMANAGED:
        return None
    wanted = max(newest.created_at + desired.token_lifetime * 1000, now + max(overlap_of(desired), _LEAST_LEFT) * 1000)
    return _ending(newest, wanted)


def _ending(newest: Token, wanted: int) -> TokenShortened | None:
    if newest.expires_at is not None and newest.expires_at <= wanted + _TOLERANCE_MS:
        return None
    return TokenShortened(newest.id, newest.expires_at, wanted)
