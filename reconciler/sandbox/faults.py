"""What goes wrong on purpose: fault rules, throttling and latency. It decides when, never what a request means."""

import math
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from reconciler.sandbox.body import Body
from reconciler.sandbox.errors import ApiError, invalid


@dataclass(frozen=True, slots=True)
class FaultRule:
    id: str
    #: "METHOD /path", either with * for anything
    pattern: str
    status: int
    error_code: str
    message: str
    #: the answer as it stands, in place of error_code and message
    body: Any
    #: matching requests let through first
    offset: int
    #: requests it strikes; 0 for every one until it is removed
    times: int
    #: the request takes effect, then its answer is replaced
    after_handler: bool
    delay_ms: int
    retry_after: int | None
    drop_connection: bool
    #: after the delay the request is answered as it would be without a fault
    delay_only: bool

    @property
    def moment(self) -> str:
        return "delayed" if self.delay_only else "after" if self.after_handler else "before"

    def matches(self, method: str, path: str) -> bool:
        wanted, _, pattern = self.pattern.partition(" ")
        return fnmatchcase(method, wanted) and fnmatchcase(path, pattern)


#: from so many on, rules that are over are dropped, so that no request has to pass them all
_MANY_RULES = 1000


@dataclass(slots=True)
class Faults:
    _rules: list[FaultRule] = field(default_factory=list)
    _matched: dict[str, int] = field(default_factory=dict)

    def add(self, rule: FaultRule) -> None:
        if len(self._rules) >= _MANY_RULES:
            self._drop_those_that_are_over()
        self._rules.append(rule)
        self._matched[rule.id] = 0

    def _drop_those_that_are_over(self) -> None:
        self._rules = [
            each for each in self._rules if not each.times or self._matched[each.id] < each.offset + each.times
        ]
        self._matched = {each.id: self._matched[each.id] for each in self._rules}

    def remove(self, rule_id: str) -> None:
        self._rules = [each for each in self._rules if each.id != rule_id]
        self._matched.pop(rule_id, None)

    def clear(self) -> None:
        self._rules.clear()
        self._matched.clear()

    def strike(self, method: str, path: str) -> FaultRule | None:
        """Answers the first rule that strikes this request; each matching rule before it counts the request too."""
        for rule in self._rules:
            if not rule.matches(method, path):
                continue
            self._matched[rule.id] += 1
            hit = self._matched[rule.id] - rule.offset
            if hit > 0 and (rule.times == 0 or hit <= rule.times):
                return rule
        return None

    def as_json(self) -> list[dict[str, Any]]:
        return [{**asdict(rule), "matched": self._matched[rule.id]} for rule in self._rules]


@dataclass(slots=True)
class Throttle:
    """A token bucket in real time: `rate` requests a second, `burst` at once."""

    rate: float
    burst: int
    writes_only: bool
    _tokens: float = 0.0
    _filled_at: float = 0.0

    def __post_init__(self) -> None:
        self._tokens = float(self.burst)
        self._filled_at = time.monotonic()

    def check(self, *, is_write: bool, with_header: bool) -> None:
        if self.writes_only and not is_write:
            return
        now = time.monotonic()
        self._tokens = min(float(self.burst), self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return
        wait = max(1, math.ceil((1 - self._tokens) / self.rate))
        raise ApiError(
            429,
            "REQUEST_LIMIT_EXCEEDED",
            "RPC token bucket limit has been exceeded. Please retry later.",
            retry_after=wait if with_header else None,
        )


def read_fault(values: Mapping[str, Any]) -> FaultRule:
    body = Body("Fault", values)
    known = set(FaultRule.__dataclass_fields__) - {"id"}
    unknown = sorted(set(values) - known)
    if unknown:
        raise invalid(f"a fault has no field {unknown[0]!r}; it has {', '.join(sorted(known))}")
    pattern = body.required("pattern")
    if " /" not in pattern and not pattern.endswith(" *"):
        raise invalid("pattern must look like 'PATCH /api/2.1/unity-catalog/shares/*' or '* *'")
    times = body.integer("times")
    status = body.integer("status") or 500
    if not 200 <= status <= 599:
        raise invalid("status must be between 200 and 599")
    return FaultRule(
        id=str(uuid.uuid4()),
        pattern=pattern,
        status=status,
        error_code=body.text("error_code") or "INTERNAL_ERROR",
        message=body.text("message") or "A fault was injected here.",
        body=values.get("body"),
        offset=body.integer("offset") or 0,
        times=1 if times is None else times,
        after_handler=body.flag("after_handler") or False,
        delay_ms=body.integer("delay_ms") or 0,
        retry_after=body.integer("retry_after"),
        drop_connection=body.flag("drop_connection") or False,
        delay_only=body.flag("delay_only") or False,
    )


def read_throttle(values: Mapping[str, Any]) -> Throttle | None:
    """Answers None, no throttling, when no rate is given."""
    body = Body("Throttle", values)
    rate, burst = values.get("rate"), body.integer("burst")
    if rate is None:
        return None
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0:
        raise invalid("rate must be a number of requests a second above 0")
    return Throttle(float(rate), burst or max(1, math.ceil(rate)), body.flag("writes_only") or False)
