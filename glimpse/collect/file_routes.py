"""The files that come with Glimpse, behind Tornado."""

from __future__ import annotations

from glimpse.collect.answers import Answer, with_headers
from glimpse.collect.endpoints import preflight
from glimpse.collect.files import FOR_EVERY_SITE, demo_answer, sdk_answer
from glimpse.collect.parts import Handler


class FileHandler(Handler):
    """Sends files."""

    def compute_etag(self) -> None:
        """Leave the validator to `files`."""

    def send(self, answer: Answer) -> None:
        """Send an answer as it is."""
        self.set_status(answer.status)
        self.set_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.finish(answer.body or None)

    def head(self, *names: str) -> None:
        """Answer as for GET; Tornado leaves the body out."""
        self.get(*names)


class SdkHandler(FileHandler):
    """`GET /sdk/…`: the tracker, for pages of any site."""

    def get(self, name: str) -> None:
        """Send the tracker."""
        self.send(sdk_answer(name, self.request.headers))

    def options(self, _name: str) -> None:
        """Allow pages of any site to fetch it: a module is asked for so where a page or its network is another's."""
        self.send(with_headers(preflight(self.request.headers, ("GET", "HEAD")), FOR_EVERY_SITE))


class DemoHandler(FileHandler):
    """`GET /demo…`: a small made-up shop."""

    def get(self, name: str | None = None) -> None:
        """Send a file of the shop, or its page."""
        self.send(demo_answer(name, self.parts.root, self.parts.dashboard_path, self.request.headers))
