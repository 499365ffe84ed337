"""What one viewer gets. Panel runs the app's script, which calls this, for each page that is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import panel as pn
from panel.io.resources import LOCAL_DIST, patch_model_css

from glimpse.collect.access import may_change
from glimpse.server import served
from glimpse.server.garbage import drop_what_a_page_left
from glimpse.server.silent_viewers import behind

if TYPE_CHECKING:
    from glimpse.filters import Filter
    from glimpse.server.composition import Glimpse
    from glimpse.views.ask import Ask
    from glimpse.views.backstage import Backstage
    from glimpse.views.scope import Scope
    from glimpse.views.segment_menu import Saved

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
    from glimpse.views.page import asked, page  # noqa: PLC0415

    dashboard = Dashboard(
        glimpse.window,
        **asked(glimpse.window),
        status=glimpse.status,
        projects=glimpse.projects,
        sdk_url=_sdk_url(glimpse),
        ask=_asked_of(glimpse),
        saved=_saved_of(glimpse),
        backstage=_backstage_of(glimpse),
        home=lambda project: _home_of(glimpse, project),
    )
    page(dashboard).servable(title="Glimpse")
    if pn.state.curdoc is not None:
        dashboard.pull.holds_back = behind(pn.state.curdoc)
    _take_styles_from_here()
    drop_what_a_page_left()


def _sdk_url(glimpse: Glimpse) -> str:
    """Return where tracked pages find the tracker; a viewer may see this page at an address that they can't reach."""
    where = glimpse.settings.public_url
    return f"{where}/sdk/glimpse.js" if where else ""


def _home_of(glimpse: Glimpse, project: str) -> tuple[float, float] | None:
    known = glimpse.registry.of(project)
    return (known.home if known else None) or glimpse.settings.home


def _asked_of(glimpse: Glimpse) -> Ask:
    """Return how views ask the store, whichever process has it at the time."""

    async def ask(question: str, scope: Scope, **arguments: Any) -> list[dict[str, Any]]:
        span: Any = {"project": scope.project, "since": scope.since, "until": scope.until, "where": scope.where}
        return await glimpse.queries.ask(question, **span, **arguments)

    return ask


def _saved_of(glimpse: Glimpse) -> Saved:
    """Return where this viewer's segments are kept, and whether it may change them: who may change what is set."""
    from glimpse.views.segment_menu import Saved  # noqa: PLC0415

    async def read(project: str) -> dict[str, dict[str, Any]]:
        return await glimpse.queries.segments(project)

    async def write(project: str, name: str, where: Filter | None) -> None:
        await glimpse.queries.save_segment(project, name, where)

    return Saved(read, write, _may_change(glimpse), changes=lambda: glimpse.queries.segment_changes)


def _may_change(glimpse: Glimpse) -> bool:
    context: Any = pn.state.curdoc.session_context if pn.state.curdoc else None
    request = context.request if context else None
    return request is not None and may_change(request, glimpse.settings)


def _backstage_of(glimpse: Glimpse) -> Backstage:
    """Return what this viewer is shown of the server, and whether it may change what is set.

    What it changes comes over its page's WebSocket, which Bokeh opens for pages of this server alone (by origin, and by
    a token that stands in the page), and `guard.py` for those who may look.
    """
    from glimpse.views.backstage import Backstage  # noqa: PLC0415

    return Backstage(
        registry=glimpse.registry,
        stored=lambda: glimpse.known_projects,
        health=glimpse.operations,
        may_change=_may_change(glimpse),
        sdk_url=f"{glimpse.settings.public_url}/sdk/glimpse.js" if glimpse.settings.public_url else "",
    )


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
