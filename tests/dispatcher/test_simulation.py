"""All rules of delivery together: dispatches by the ten thousand, faults, and a clock that jumps.

What must hold after every step is asserted inside the simulated world (`tests/shared/simulation`):
caps and shares, order of starts, no try while an endpoint is open or paused, nothing before its
time, and commit metadata within its limit. `make chaos` runs the million.
"""

import secrets
import time

import pytest
from simulation import World


def run(seed, dispatches, faults):
    world = World(seed, dispatches)
    began = time.perf_counter()
    world.run(faults)
    seconds = time.perf_counter() - began
    print(
        f"\nseed {seed}: {dispatches:,} dispatches, {world.steps:,} steps in {seconds:.0f} s,"
        f" {world.now / 60e6:.0f} simulated minutes\n"
        f"  faults {dict(world.faults)}\n  tries {dict(world.tries)}\n  sent round"
        f" {dict(world.moves)}\n  endpoints {dict(world.changes)}\n"
        f"  lost {len(world.lost())}, kept with the dead {sum(world.dead):,},"
        f" delivered twice {world.twice():,} (allowed {world.allowed_twice:,}),"
        f" longest commit metadata {world.longest_metadata}"
    )
    return world


@pytest.mark.parametrize("seed", [1, 2, None], ids=["1", "2", "another"])
def test_nothing_is_lost_and_little_is_repeated_whatever_happens(seed):
    world = run(secrets.randbelow(10**6) if seed is None else seed, 10_000, faults=8)
    assert world.lost() == []
    assert world.twice() <= world.allowed_twice


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_of_a_million_none_is_lost():
    world = run(secrets.randbelow(10**6), 1_000_000, faults=200)
    assert world.lost() == []
    assert world.twice() <= world.allowed_twice
