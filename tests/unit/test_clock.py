from __future__ import annotations

from itertools import pairwise

import pytest

from glimpse.clock import SteadyClock

NOON = 1_790_000_000_000
HOUR = 3_600_000


class Machine:
    """A machine whose clock can be set, and whose uptime can't."""

    def __init__(self) -> None:
        self.uptime = 50_000
        self.ahead = NOON - self.uptime
        self.clock = SteadyClock(lambda: self.uptime + self.ahead, lambda: self.uptime)

    def pass_time(self, seconds: float) -> list[int]:
        """Ask for the time ten times a second, as a busy server does."""
        told: list[int] = []
        for _ in range(int(seconds * 10)):
            self.uptime += 100
            told.append(self.clock())
        return told


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_it_says_what_the_machine_says_while_nobody_sets_it(machine: Machine):
    assert machine.pass_time(60)[-1] == NOON + 60_000
    assert machine.clock.off_ms == 0


@pytest.mark.parametrize("by_ms", [HOUR, -HOUR])
def test_an_hour_is_taken_up_at_a_twentieth(machine: Machine, by_ms: int):
    machine.pass_time(1)
    machine.ahead += by_ms
    assert machine.pass_time(300)[-1] == NOON + 301_000 + (15_000 if by_ms > 0 else -15_000)
    machine.pass_time(20 * 3600)
    assert machine.clock.off_ms == 0


def test_it_never_goes_back_and_never_jumps(machine: Machine):
    told = machine.pass_time(5)
    for by_ms in (-HOUR, 400, HOUR, -2_000, -30 * HOUR):
        machine.ahead += by_ms
        told += machine.pass_time(5)
    steps = [after - before for before, after in pairwise(told)]
    assert min(steps) >= 95
    assert max(steps) <= 105


def test_between_two_looks_it_does_not_go_back_either(machine: Machine):
    machine.ahead -= HOUR
    told: list[int] = []
    for _ in range(1_000):
        machine.uptime += 7
        told.append(machine.clock())
    assert told == sorted(told)


def test_a_machine_that_stood_still_for_a_night_is_believed_at_once(machine: Machine):
    machine.pass_time(1)
    machine.ahead += 9 * HOUR
    assert machine.pass_time(0.1) == [NOON + 1_100 + 9 * HOUR]


def test_a_set_clock_is_told_once(machine: Machine, caplog: pytest.LogCaptureFixture):
    machine.ahead += HOUR
    machine.pass_time(60)
    machine.ahead -= HOUR
    machine.pass_time(60)
    said = [record.getMessage() for record in caplog.records]
    assert ["forward by 3600 s" in said[0], "back by 3600 s" in said[1], len(said)] == [True, True, 2]
