"""`glimpse project` from a shell: with no server, beside a running one, and with a Redis of one's own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from serving import CHECKOUT, Served, an_event
from waiting import wait_until

from glimpse.cli import main
from glimpse.settings import Settings
from glimpse.valkey import EmbeddedValkey

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
WHO = {"userId": "user-4711", "anonymousId": "anon-0815", "traits": {"email": "ada@example.test"}}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run a command in an empty folder; returns its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["project", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def listed(out: str) -> dict[str, list[str]]:
    table = out.partition("\n\n")[0]
    return {line.split()[0]: line.split()[1:] for line in table.splitlines()[1:]}


def test_with_no_server_projects_are_kept_and_the_embedded_valkey_is_left_as_it_was_found(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    assert run("list")[1].startswith("No project is registered")
    assert run("show", "shop")[0] == 2
    assert not list(tmp_path.iterdir())  # looking makes no folder
    code, out, _ = run("add", "shop", "origins=https://shop.example", "rate-limit=50")
    assert code == 0
    assert "It is the first" in out
    assert "with your server's address in place of http://localhost:5006" in out
    assert '<script defer src="http://localhost:5006/sdk/glimpse.js" data-project="shop"></script>' in out
    assert not (tmp_path / ".glimpse" / "valkey.sock").exists()
    monkeypatch.setenv("GLIMPSE_PUBLIC_URL", "https://shop.example/stats/")
    tag = '<script defer src="https://shop.example/stats/sdk/glimpse.js" data-project="blog"></script>'
    assert f"Put this into the <head> of its pages:\n\n    {tag}\n" in run("add", "blog")[1]
    assert listed(run("list")[1]) == {
        "blog": ["-", "-", "drop", "drop", "-"],
        "shop": ["-", "https://shop.example", "drop", "drop", "50"],
    }
    assert run("set", "shop", "origins=", "identity=keep")[0] == 0
    assert listed(run("list")[1])["shop"] == ["-", "-", "keep", "drop", "50"]
    assert run("rm", "blog")[0] == 0
    assert "It was the last" in run("rm", "shop")[1]
    assert run("list")[1].startswith("No project is registered")


def test_a_valkey_that_somebody_uses_goes_on(run, tmp_path: Path):
    valkey = EmbeddedValkey(Settings(data_dir=tmp_path / ".glimpse"))
    valkey.start()
    try:
        pid = valkey.pid
        assert run("add", "shop")[0] == 0
        assert (valkey.pid, valkey.socket.exists()) == (pid, True)
    finally:
        valkey.stop()


def test_a_redis_of_ones_own_is_used_and_nothing_is_started(
    run, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("GLIMPSE_REDIS_URL", redis_url)
    assert run("add", "shop", "name=The shop")[0] == 0
    assert "The shop" in run("show", "shop")[1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["add", "a b"], "'a b' is no project id: it must be 1 to 64 of"),
        (["add", "shop:bots"], "set bots=keep for 'shop'"),
        (["add", "shop", "identity=hide"], "identity='hide' is not allowed: use drop or keep"),
        (["add", "shop", "colour=red"], "'colour' is no setting; write SETTING=VALUE, with one of name, origins"),
        (["add", "shop", "name"], "'name' is no setting; write SETTING=VALUE"),
        (["set", "shop", "bots=keep"], "'shop' is not registered; registered are: none"),
        (["rm", "shop"], "'shop' is not registered"),
    ],
)
def test_what_can_not_be_done_is_one_line_that_says_what_can(run, tmp_path: Path, arguments: list[str], told: str):
    code, out, err = run(*arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert told in err
    assert not list(tmp_path.iterdir())


def test_a_redis_that_is_not_there_is_one_line(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GLIMPSE_REDIS_URL", f"unix://{tmp_path}/none.sock")
    code, _, err = run("list")
    assert (code, len(err.splitlines())) == (2, 1)


@pytest.mark.parametrize("step", ["add", "set", "show", "list", "rm"])
def test_every_step_explains_itself(step: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["project", step, "--help"])
    assert ended.value.code == 0
    assert f"usage: glimpse project {step}" in capsys.readouterr().out


@pytest.mark.server
def test_a_running_server_keeps_to_what_is_set_within_a_second(tmp_path: Path):
    with Served(tmp_path / "data", GLIMPSE_FLUSH_INTERVAL_S="0.2") as served:

        def project(*arguments: str) -> None:
            command = [sys.executable, "-m", "glimpse.cli", "project", *arguments]
            subprocess.run(command, env=served.environment, cwd=CHECKOUT, check=True, timeout=30, capture_output=True)

        def answer(project: str, **headers: str) -> str:
            status, told, _ = served.ask("POST", "/event", an_event_bytes(project), **headers)
            return told.get("x-glimpse-dropped") or told.get("x-glimpse-layer") or str(status)

        assert answer("shop") == "200"
        project("add", "shop")
        project("add", "kept", "identity=keep", "bots=keep", "origins=https://kept.example")
        # Until it knows, that is a bot as any other.
        wait_until(lambda: answer("kept", User_Agent=GOOGLEBOT) == "bots", what="the server knows", timeout_s=5)
        assert answer("kept", Sec_GPC="1") == "gpc"
        assert answer("blog") == "unknown_project"
        assert answer("shop", Sec_GPC="1") == "gpc"
        assert answer("shop", User_Agent=GOOGLEBOT) == "bot"
        assert answer("kept", Origin="https://copy.test") == "403"
        assert answer("kept", Origin="https://kept.example") == "200"
        wait_until(lambda: len(served.stored("kept")) == 1, what="it is stored")
        (row,) = served.stored("kept")
        assert {name: row[name] for name in ("user_id", "anonymous_id", "traits")} == {
            "user_id": "user-4711",
            "anonymous_id": "anon-0815",
            "traits": {"email": "kept@example.test"},
        }
        (plain,) = served.stored("shop")
        assert (plain["user_id"], plain["anonymous_id"], plain["traits"]) == (None, None, None)
        assert [row["project"] for row in served.stored("kept:bots")] == ["kept:bots"]
        assert {row["project"] for row in served.stored("*")} == {"shop", "kept"}
        assert served.ledger("kept:bots")["difference"] == 0
        assert served.ledger("shop")["dropped"] == {"gpc": 1, "bot": 1}
        metrics = served.ask("GET", "/metrics")[2].decode()
        assert 'glimpse_events_dropped_total{reason="gpc"} 2.0' in metrics
        assert 'glimpse_events_rejected_total{reason="origin_not_allowed"} 1.0' in metrics
    on_disk = b"".join(path.read_bytes() for path in served.data_dir.rglob("*") if path.is_file())
    assert b"kept@example.test" in on_disk  # the search would find it
    assert b"shop@example.test" not in on_disk


def an_event_bytes(project: str) -> bytes:
    return json.dumps(an_event(project, **WHO | {"traits": {"email": f"{project}@example.test"}})).encode()
