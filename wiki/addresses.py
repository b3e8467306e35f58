"""Connections to addresses of the web that somebody else has named: not to what only this machine
can reach, unless that is allowed."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

import urllib3

from wiki.errors import WikiError

#: All addresses that are given out for the public internet; those outside of it may be another
#: writing of an IPv4 address, a private one too, as those of 6to4 may.
_UNICAST, _SIX_TO_FOUR = ipaddress.ip_network("2000::/3"), ipaddress.ip_network("2002::/16")


class PrivateAddress(WikiError):
    """The host is not an address of the public internet."""


def open_pool(url: str, timeout: urllib3.Timeout, allow_private: bool
              ) -> urllib3.HTTPConnectionPool:
    """Connections to the very address that was looked at, whatever the name means next.

    Raises PrivateAddress, OSError where the name is unknown, or ValueError for a bad port.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address = _resolve(host, port, allow_private)
    if parts.scheme == "https":
        return urllib3.HTTPSConnectionPool(address, port, timeout=timeout, server_hostname=host,
                                           assert_hostname=host)
    return urllib3.HTTPConnectionPool(address, port, timeout=timeout)


def _resolve(host: str, port: int, allow_private: bool) -> str:
    """An address of the host, all of which must be for all the world."""
    found = [str(entry[4][0]) for entry in
             socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not allow_private and not all(_public(address) for address in found):
        raise PrivateAddress(f"{host} is not an address of the public internet")
    return found[0]


def _public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    if parsed.version == 6 and (parsed not in _UNICAST or parsed in _SIX_TO_FOUR):
        return False
    return parsed.is_global and not parsed.is_multicast
