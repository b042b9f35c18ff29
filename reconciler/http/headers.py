"""What every answer carries: the correlation id and the headers that keep a browser from doing harm with it. And who a
request comes from: what proxies say of that counts only from those that are trusted."""

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final, TypeAlias
from uuid import uuid4

from starlette.datastructures import MutableHeaders

Scope: TypeAlias = Mapping[str, Any]
Network: TypeAlias = IPv4Network | IPv6Network

CORRELATION: Final = "X-Correlation-Id"
_CORRELATION: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_KEY: Final = "sharepack.correlation_id"
#: Pages have their own, which comes first.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_SECURITY: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def correlation_of(scope: Scope) -> str:
    """That of the request; one is made up when the client has none that can be written down as it is."""
    known: str = scope.get(_KEY, "")
    return known


def with_correlation(scope: Scope) -> dict[str, Any]:
    """The scope, knowing its id."""
    given = header(scope, b"x-correlation-id")
    found = given.decode("ascii") if given is not None and _CORRELATION.fullmatch(given) else uuid4().hex
    return {**scope, _KEY: found}


def protect(headers: MutableHeaders, correlation_id: str) -> None:
    headers[CORRELATION] = correlation_id
    for name, value in _SECURITY.items():
        headers.setdefault(name, value)


def header(scope: Scope, name: bytes) -> bytes | None:
    """The only one of this name; None when there is none, or several that say different things."""
    found = {value for key, value in scope["headers"] if key == name}
    return found.pop() if len(found) == 1 else None


def networks(text: str) -> tuple[Network, ...]:
    """As the setting `api_trusted_proxies` has them."""
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


def client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """The address a request comes from: the nearest that is no trusted proxy's."""
    peer = (scope.get("client") or ("", 0))[0]
    if not is_trusted(peer, trusted):
        return peer
    for hop in reversed(list(_forwarded(scope))):
        peer = hop
        if not is_trusted(hop, trusted):
            break
    return peer


def _forwarded(scope: Scope) -> Iterable[str]:
    """Farthest first, as far as they are addresses at all."""
    said = b",".join(value for key, value in scope["headers"] if key == b"x-forwarded-for")
    for part in said.decode("latin-1").split(","):
        if (address := _address(part.strip())) is not None:
            yield str(address)


def is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
