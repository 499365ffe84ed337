"""Looks at whose word on visitors' addresses counts."""

from __future__ import annotations

from ipaddress import ip_network

from glimpse.doctor.finding import Word, ok, wrong
from glimpse.settings import Settings

_WIDEST = {4: 8, 6: 7}  # 10.0.0.0/8, fc00::/7


async def proxies(settings: Settings) -> Word:
    """Tell whether more than proxies can be trusted."""
    wide = [text for text in settings.trusted_proxies if _is_too_wide(text)]
    if wide:
        kept = [text for text in settings.trusted_proxies if text not in wide] or list(Settings().trusted_proxies)
        return wrong(
            f"{', '.join(wide)} trusts strangers: each of them can choose its address, and so its place and its limits",
            f"GLIMPSE_TRUSTED_PROXIES={','.join([*kept, 'ADDRESS_OF_THE_PROXY'])}",
        )
    header = f"; only {settings.client_address_header} counts" if settings.client_address_header else ""
    return ok(f"are trusted at {', '.join(settings.trusted_proxies)}{header}")


def _is_too_wide(text: str) -> bool:
    network = ip_network(text)
    return network.prefixlen < _WIDEST[network.version]
