"""100,000 mutated answers to the transports, on sockets; the short run is in test_fuzz.py."""

import pytest
from fuzz import long

SEED = 99
"""Always the same, so that only a change of ours can break it. Hunt with others by
`python tests/shared/fuzz.py --seed …`: once in 50,000 cases the transports differ for a reason that
nobody has written down yet."""


@pytest.mark.chaos
@pytest.mark.timeout(7200)
def test_a_hundred_thousand_mutated_answers_do_no_harm():
    print(f"\nseed {SEED}; one case again: python tests/shared/fuzz.py --seed {SEED} --case NUMBER")
    report = long(SEED, 0, 100_000, "uvloop", print)
    print(*report.lines(), sep="\n")
    assert not report.broken
