"""The API against its own document: Schemathesis asks a server for what is described, and for what is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from serving import Served, an_event
from waiting import wait_until

pytestmark = pytest.mark.server

# A schema can't say what the language of filters is, so what it calls right may still be a mistake, told as 400.
_NOT_SAID = "positive_data_acceptance"
_RUN = ("--phases", "coverage,fuzzing", "--max-examples", "2", "--generation-deterministic", "--no-color")

# That what is too large is refused with its own status is nothing that Schemathesis knows of.
_CONFIG = """
[checks.negative_data_rejection]
expected-statuses = [400, 404, 405, 406, 413]
"""

_NEVER_ENDS = "/api/v1/stream"  # which has tests of its own


@pytest.mark.timeout(200)
def test_whatever_is_asked_is_answered_as_the_document_says(tmp_path: Path):
    with Served(tmp_path / "data", GLIMPSE_FLUSH_INTERVAL_S="0.1") as served:
        served.post([an_event(properties={"plan": "pro"}), an_event(name="buy")])
        wait_until(lambda: len(served.stored("shop")) == 2, timeout_s=10, what="the events are stored")
        (tmp_path / "schemathesis.toml").write_text(_CONFIG)
        document = f"{served.url}/api/v1/openapi.json"
        schemathesis = str(Path(sys.executable).with_name("schemathesis"))
        run = subprocess.run(
            [schemathesis, "run", document, *_RUN, "--exclude-checks", _NOT_SAID, "--exclude-path", _NEVER_ENDS],
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
            cwd=tmp_path,
        )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    assert "Tested: 25" in run.stdout, run.stdout[-3000:]
