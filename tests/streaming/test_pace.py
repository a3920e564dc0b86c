"""How long batches are gathered."""

import pytest

from streaming.pace import GATHER, Pace


class Clocks:
    """A process that uses a share of a core and takes a batch every millisecond."""

    def __init__(self):
        self.now, self.used = 100.0, 7.0
        self.pace = Pace(lambda: self.used, lambda: self.now)

    def after(self, milliseconds, use):
        """What the pace says after so long at that use."""
        for _ in range(milliseconds):
            self.now += 0.001
            self.used += 0.001 * use
            gather = self.pace.gather()
        return gather


@pytest.fixture
def process():
    return Clocks()


@pytest.mark.parametrize("use", [0, 0.1, 0.49])
def test_an_idle_process_gathers_nothing(process, use):
    assert process.after(2000, use) == 0


@pytest.mark.parametrize("use", [0.81, 1.0, 3.5])
def test_a_busy_one_gathers_for_five_milliseconds(process, use):
    assert process.after(2000, use) == pytest.approx(GATHER, rel=0.01)


def test_between_them_it_grows_with_the_use(process):
    assert process.after(2000, 0.65) == pytest.approx(GATHER / 2, rel=0.01)


def test_it_becomes_busy_and_idle_again_within_half_a_second(process):
    busy, idle = process.after(500, 0.9), process.after(500, 0.1)
    assert (busy, idle) == (
        pytest.approx(GATHER, rel=0.05),
        pytest.approx(0, abs=0.05 * GATHER),
    )


def test_a_few_busy_milliseconds_are_no_load(process):
    assert max(process.after(ms, use) for ms, use in [(100, 0.1), (5, 1), (100, 0.1)] * 5) == 0


def test_one_busy_stretch_moves_it_only_a_little(process):
    process.after(500, 0.1)
    assert process.after(51, 1.0) < GATHER / 2


def test_a_pause_makes_a_busy_process_idle(process):
    process.after(2000, 1.0)
    process.now += 60
    assert process.pace.gather() == pytest.approx(0, abs=1e-9)
