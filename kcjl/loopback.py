"""Whether a host is this machine: plain HTTP is spoken with nobody else unasked.

Promises: no name is looked up, so an answer of a name server opens nothing.
Called by the settings of both sides' adapters.
"""

from ipaddress import ip_address

__all__ = ["PORT_MAX", "is_loopback"]

PORT_MAX = 65_535
"""TCP's."""


def is_loopback(host: str) -> bool:
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
