"""One way to write an allowed IP address, so that two notations of one range are equal."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_IPV4: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class NotAnAddress:
    rule: str
    message: str
    hint: str = ""


@lru_cache(maxsize=4096)  # packs repeat the same few networks, and each is asked about when checked and when translated
def canonical_address(text: str) -> str | NotAnAddress:
    """`198.51.100.50` or `203.0.113.0/24`; a range of one address is that address."""
    plain = text.strip()
    if not _IPV4.fullmatch(plain):
        return _refused(plain)
    try:
        network = ipaddress.IPv4Network(plain, strict=False)
    except ValueError:
        return _refused(plain)
    if str(network.network_address) != plain.partition("/")[0]:
        message = f'"{plain}" is not the start of a range: the address has bits beyond /{network.prefixlen}'
        return NotAnAddress("allowed-ip-host-bits", message, f"write {network}, or the single address without a slash")
    return str(network.network_address) if network.prefixlen == 32 else str(network)


def _refused(plain: str) -> NotAnAddress:
    shown = plain if len(plain) <= 60 and plain.isprintable() else ascii(plain[:57])[1:-1] + "..."
    try:
        ipaddress.IPv6Network(plain, strict=False)
    except ValueError:
        hint = "write an address such as 198.51.100.50 or a range such as 203.0.113.0/24"
        return NotAnAddress("allowed-ip-invalid", f'"{shown}" is not an IPv4 address or CIDR range', hint)
    return NotAnAddress(
        "allowed-ip-v6", f'"{shown}" is an IPv6 address', "Databricks takes IPv4 addresses and ranges only"
    )
