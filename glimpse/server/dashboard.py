"""What one viewer gets: the page, or a plain sentence why not."""

from __future__ import annotations

from ipaddress import ip_address

import panel as pn

from glimpse.server import served


def show_dashboard() -> None:
    """Show the dashboard to the viewer whose request runs this script."""
    glimpse = served.glimpse
    pn.pane.HTML(f"<h1>{glimpse and glimpse.status()}</h1>").servable()
