"""What Glimpse takes for granted inside Panel and Bokeh, one test each. Run it on each version that is allowed."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import inspect
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import bokeh.server.server
import panel.auth
import panel.command.serve
import panel.io.document
import panel.io.reload
import panel.io.resources
import panel.io.server
import pytest
from bokeh.application import Application
from bokeh.document import Document
from bokeh.server.connection import ServerConnection
from bokeh.server.server import BaseServer, Server
from bokeh.server.session import ServerSession
from bokeh.server.views.ws import WSHandler
from panel.custom import ReactiveESM
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.locks import Lock
from tornado.routing import Matcher, Rule
from tornado.web import RequestHandler

from glimpse import panel_hook
from glimpse.views.kpis import Tiles


@pytest.fixture
def server() -> Iterator[Server]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    made = Server({"/page": Application()}, port=0, prefix="/x", io_loop=IOLoop.current())
    yield made
    made._http.stop()
    loop.run_until_complete(made._http.close_all_connections())
    loop.close()
    asyncio.set_event_loop(None)


def in_a_fresh_process(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    ).stdout.strip()


def calls_of(function: object) -> list[str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))  # type: ignore[arg-type]
    return [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_a_parts_text_is_written_into_its_model_by_the_method_that_we_extend_and_not_taken_for_the_browsers():
    given = list(inspect.signature(ReactiveESM._update_model).parameters)
    assert given == ["self", "events", "msg", "root", "model", "doc", "comm"]
    part, heard = Tiles(), list[dict[str, object]]()
    part.server_doc(Document())
    part._process_events = heard.append  # type: ignore[method-assign]
    ((model, _),) = part._models.values()
    part.state = "[]"
    assert (model.data.state, heard) == ("[]", [])
    model.data.state = "[1]"
    assert heard == [{"state": "[1]"}]  # the control: this was taken for the browser's


def test_a_parts_script_is_not_translated_by_the_browser_as_it_is_known_by_a_hash():
    part = Tiles()
    part.server_doc(Document())
    ((model, _),) = part._models.values()
    assert model.bundle == hashlib.sha256(model.esm.encode()).hexdigest()
    compiled = (Path(panel.__file__).parent / "models" / "reactive_esm.ts").read_text("utf-8")
    assert "if (this.bundle != null) {\n      return this.esm" in compiled


def test_the_page_is_written_at_once_by_the_handler_that_we_extend():
    written = calls_of(panel.io.server.DocHandler.get)
    assert written.count("self.write") in {2, 3}  # the page, or that one may not see it, or in 1.10 not administer
    assert "self.flush" not in written
    assert panel.io.server.per_app_patterns[-1][1] is panel.io.server.DocHandler


def test_our_entry_point_is_registered_in_the_group_that_panel_loads():
    (ours,) = [entry for entry in entry_points(group="panel.auth") if entry.name == "glimpse"]
    assert ours.value == "glimpse.panel_hook:NO_PROVIDER"
    assert "glimpse" in panel.auth.AUTH_PROVIDERS


def test_panel_serve_loads_the_entry_points_before_any_server_is_made():
    said = in_a_fresh_process("""
        import sys
        import panel.command  # what the `panel` program imports first
        print("glimpse.panel_hook" in sys.modules)
    """)
    assert said == "True"


def test_our_entry_is_no_choice_of_the_command_line_and_is_looked_up_only_by_name():
    assert panel.auth.AUTH_PROVIDERS["glimpse"] is None
    source = inspect.getsource(panel.auth)
    assert source.count("AUTH_PROVIDERS[") == 2  # the entry is put there; the chosen one is taken from there
    choices = dict(panel.command.serve.Serve.args)["--oauth-provider"]
    assert "glimpse" not in repr(choices)


def test_the_server_binds_its_port_and_forks_before_it_starts():
    made = calls_of(panel.io.server.Server.__mro__[1].__init__)
    assert made.index("bind_sockets") < made.index("http_server.start") < made.index("http_server.add_sockets")
    assert "BaseServer.start" not in made
    assert "self.start" not in made


def test_a_served_process_starts_its_server_while_its_loop_stands_still():
    made = calls_of(BaseServer.run_until_shutdown)
    assert made.index("self.start") < made.index("self._loop.start")
    assert "self.stop" in made


def test_panels_server_goes_through_the_start_and_stop_that_we_extend():
    assert issubclass(panel.io.server.Server, BaseServer)
    assert bokeh.server.server.Server is panel.io.server.Server
    assert "super().start" in calls_of(panel.io.server.Server.start)
    assert "super().stop" in calls_of(panel.io.server.Server.stop)
    assert list(inspect.signature(BaseServer.start).parameters) == ["self"]
    assert list(inspect.signature(BaseServer.stop).parameters) == ["self", "wait"]


def test_the_servers_parts_are_where_we_look(server: Server):
    assert server._http._sockets
    assert server._tornado.prefix == server.prefix == "/x"
    assert f"localhost:{server.port}" in server._tornado.websocket_origins
    assert isinstance(server._tornado.websocket_origins, set)
    assert server._tornado.websocket_origins is server._tornado.websocket_origins
    assert isinstance(server.io_loop.asyncio_loop, asyncio.AbstractEventLoop)  # type: ignore[attr-defined]
    assert isinstance(server._tornado.settings, dict)


class Ours(RequestHandler):
    def get(self) -> None:
        self.write("ours")


class Never(Matcher):
    def match(self, request: object) -> None:
        return None


def test_routes_added_to_a_server_that_is_there_come_before_its_own(server: Server):
    server._tornado.add_handlers(r".*", [("/x/", Ours), ("/x/page", Ours)])
    server._tornado.add_handlers(r".*", [Rule(Never(), Ours)])
    assert {fetch(server, "/x/"), fetch(server, "/x/page")} == {"ours"}
    assert "ours" not in fetch(server, "/x/page/metadata")


def test_connections_wait_in_the_kernel_while_listeners_are_set_aside(server: Server):
    for listener in server._http._sockets.values():
        server.io_loop.remove_handler(listener)

    async def ask() -> str:
        question = asyncio.create_task(get(server.port, "/x/page"))
        await asyncio.sleep(0)
        done, _ = await asyncio.wait([question], timeout=0.2)
        assert not done
        server._http.add_sockets(list(server._http._sockets.values()))
        return await question

    assert server.io_loop.asyncio_loop.run_until_complete(ask()).startswith("HTTP/1.1 200")  # type: ignore[attr-defined]


def test_scripts_of_extensions_are_served_from_a_table_of_folders():
    from bokeh.embed.bundle import extension_dirs
    from bokeh.server.urls import toplevel_patterns

    (given,) = [rest[0]["root"] for pattern, _, *rest in toplevel_patterns if "extensions" in pattern]
    assert given is extension_dirs


def test_style_sheets_are_pointed_at_the_server_only_where_a_page_is_rendered():
    assert "patch_model_css" in calls_of(panel.io.server.server_html_page_for_session)
    assert list(inspect.signature(panel.io.resources.patch_model_css).parameters) == ["root", "dist_url"]


def test_the_parent_of_several_processes_only_waits_and_ends_with_0():
    import tornado.process

    made = calls_of(tornado.process.fork_processes)
    assert "os.wait" in made
    assert "sys.exit" in made


def test_a_reload_forgets_only_modules_that_came_while_it_was_recording():
    said = in_a_fresh_process("""
        import sys, types
        from panel.io.reload import record_modules, _modules, _local_modules, _reload
        import json
        sys.argv = ["x"]
        with record_modules():
            import wave
        print("json" in _modules | _local_modules, bool(_modules | _local_modules))
    """)
    assert said.startswith("False")
    assert "os.execv" not in inspect.getsource(panel.io.reload)


def test_the_hook_stays_out_of_every_other_command():
    for argv in (["panel"], ["panel", "convert", "glimpse_app.py"], ["bokeh", "serve", "glimpse_app.py"], ["pytest"]):
        assert panel_hook.served_files(argv) == []
    assert panel_hook.served_files(["/usr/bin/panel", "serve", "a.py", "--port", "5", "--args", "b.py"]) == [
        "a.py",
        "5",
    ]


def fetch(server: Server, path: str) -> str:
    loop = server.io_loop.asyncio_loop  # type: ignore[attr-defined]
    return loop.run_until_complete(get(server.port, path)).partition("\r\n\r\n")[2]


async def get(port: int | None, path: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.decode()


def test_what_a_browser_has_not_read_can_be_counted():
    assert "self._subscribed_connections" in inspect.getsource(ServerSession.__init__)
    assert "self._socket" in inspect.getsource(ServerConnection.__init__)
    assert "self.write_lock" in inspect.getsource(WSHandler)
    assert len(Lock()._block._waiters) == 0
    assert "_write_tasks.setdefault(doc, [])" in inspect.getsource(panel.io.document._dispatch_write_task)

    async def unread() -> int:
        with socket.socket() as one:
            return len(IOStream(one)._write_buffer)

    assert asyncio.run(unread()) == 0
