"""Who has signed in to the pages: what they signed in with, kept in this process for as long as their session lasts,
and the tokens that tell forms of ours from forms of others. Whether a key is any good is found out elsewhere, each time
it is used."""

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_bytes, token_urlsafe
from typing import Final

#: Seconds a session lasts, and without being used.
LASTS: Final = 12 * 3600.0
IDLE: Final = 2 * 3600.0
#: Sessions at once; beyond these the one that was not used for longest ends.
_MOST: Final = 10_000


@dataclass(slots=True)
class _Session:
    credential: str = field(repr=False)
    begun_at: float
    used_at: float


class Sessions:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: Least recently used first.
        self._open: dict[str, _Session] = {}
        self._secret = token_bytes(32)

    def begin(self, credential: str) -> str:
        """The id of a new session, which its holder alone knows."""
        while len(self._open) >= _MOST:
            del self._open[next(iter(self._open))]
        session_id = token_urlsafe(32)
        now = self._clock()
        self._open[session_id] = _Session(credential, now, now)
        return session_id

    def credential(self, session_id: str) -> str | None:
        """What was signed in with; None when there is no such session any more."""
        session = self._open.pop(session_id, None)
        now = self._clock()
        if session is None or now - session.begun_at > LASTS or now - session.used_at > IDLE:
            return None
        session.used_at = now
        self._open[session_id] = session
        return session.credential

    def end(self, session_id: str) -> None:
        self._open.pop(session_id, None)

    def token(self, holder: str) -> str:
        """For forms of who holds this id, of a session or of a visit without one."""
        return hmac.new(self._secret, holder.encode(), "sha256").hexdigest()

    def is_token(self, holder: str, token: str) -> bool:
        return bool(holder) and hmac.compare_digest(self.token(holder).encode(), token.encode(errors="replace"))
