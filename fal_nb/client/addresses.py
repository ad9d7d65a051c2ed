"""Which network addresses a URL that came from a server may lead to: public ones only."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult

__all__ = ["PrivateAddressError", "PublicResolver", "is_public_address", "names_private_host"]

_PRIVATE_NAMES = ("localhost", "local", "internal", "home.arpa")
_PRIVATE_ENDINGS = tuple(f".{name}" for name in _PRIVATE_NAMES)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddressError(OSError):
    """A host's name leads to an address that is not public."""


class PublicResolver(AbstractResolver):
    """Resolves names, refusing any that leads to a loopback, private, link-local or otherwise special address.

    It stands where the connection takes its address from, so a name cannot change between check and use.
    """

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of `host`.

        Raises
        ------
        PrivateAddressError
            Where one of them is not public.
        """
        found = await self._inner.resolve(host, port, family)
        if not all(is_public_address(entry["host"]) for entry in found):
            raise PrivateAddressError(f"{host} leads to an address that is not public")
        return found

    async def close(self) -> None:
        """Give the inner resolver back."""
        await self._inner.close()


def is_public_address(text: str) -> bool:
    """Return whether an IP address, with or without a zone, can be reached by anybody on the internet."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if address in _NAT64:
            inside = ipaddress.IPv4Address(address.packed[-4:])
        if inside:
            address = inside
    return address.is_global and not address.is_multicast


def names_private_host(host: str) -> bool:
    """Return whether a URL's host is, by its text alone, an address or a name that is not public."""
    host = host.strip("[]").rstrip(".").lower()
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host.endswith(_PRIVATE_ENDINGS) or host in _PRIVATE_NAMES or _is_old_spelling(host)
    return not is_public_address(host)


def _is_old_spelling(host: str) -> bool:
    """Return whether the host is an address as ``127.1`` is: older aiohttp connects to it without a look-up."""
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True
