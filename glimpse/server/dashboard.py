"""What one viewer gets. Panel runs the app's script, which calls this, for each page that is opened."""

from __future__ import annotations

import panel as pn
from panel.io.resources import LOCAL_DIST, patch_model_css

from glimpse.server import served

_NOT_YET = """<meta http-equiv="refresh" content="1"><p style="font:16px system-ui;margin:15vh auto;max-width:34em">
Glimpse is not running in this server yet. If this stays, it was started by something else than
<code>panel serve</code>.</p>"""


def show_dashboard() -> None:
    """Show the dashboard of what this process serves."""
    glimpse = served.glimpse
    if glimpse is None:  # with --dev and --warm Panel runs the script once before there is a server
        pn.pane.HTML(_NOT_YET).servable(title="Glimpse")
        return
    from glimpse.views.dashboard import Dashboard  # noqa: PLC0415 - imported by the first page, or before it at leisure
    from glimpse.views.page import asked_project, asked_theme, page  # noqa: PLC0415

    dashboard = Dashboard(
        glimpse.window,
        project=asked_project(glimpse.window),
        theme=asked_theme(),
        status=glimpse.status,
        projects=glimpse.projects,
    )
    page(dashboard).servable(title="Glimpse")
    _take_styles_from_here()


def _take_styles_from_here() -> None:
    """Point the parts' style sheets at this server.

    Panel does so where it renders the page. With `--num-procs` the page's WebSocket may reach another process, which
    makes the parts anew without rendering anything, and would send the browser to a CDN.
    """
    document = pn.state.curdoc
    if document is None:
        return
    own = f"{pn.state.rel_path}/{LOCAL_DIST}" if pn.state.rel_path else LOCAL_DIST
    document.template_variables["dist_url"] = own
    for root in document.roots:
        patch_model_css(root, own)
