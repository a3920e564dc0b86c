import pytest

from bench.stats import fit, growth, quantile, ranged, ratios, rotated, slope
from bench.subjects import cap_for
from dispatcher.lanes import Lanes


def test_a_line_through_points_on_a_line_is_that_line():
    intercept, slope = fit([(x, 10 + 8 * x) for x in (1, 5, 20, 50)])
    assert intercept == pytest.approx(10)
    assert slope == pytest.approx(8)


def test_a_point_counts_by_its_relative_error():
    points = [(1, 18.0), (5, 50.0), (20, 170.0), (50, 410.0 * 1.05)]  # the last is 5 % off
    intercept, slope = fit(points)
    assert intercept == pytest.approx(10, rel=0.1)
    assert slope == pytest.approx(8, rel=0.05)


def test_a_line_needs_two_places():
    with pytest.raises(ValueError, match="two places"):
        fit([(5, 1.0), (5, 2.0)])


@pytest.mark.parametrize("wanted", [3, 4, 16, 64, 100, 1500, 15_000])
def test_the_cap_leaves_first_attempts_exactly_what_is_wanted(wanted):
    assert Lanes(cap_for(wanted), 16, lambda *_: True).shares[0] == wanted


def test_ratios_are_of_the_same_round():
    assert ratios([4.0, 9.0], [2.0, 3.0]) == [2.0, 3.0]


def test_a_round_that_one_of_two_lacks_has_no_ratio():
    assert ratios([4.0], [2.0, 3.0]) == [2.0]


def test_a_median_is_shown_with_its_range():
    assert ranged([3.0, 1.0, 2.0]) == "2.0 (1.0 to 3.0)"


def test_a_single_value_has_no_range():
    assert ranged([1234.5], 0) == "1,234"


def test_nothing_measured_is_shown_as_a_dash():
    assert ranged([]) == "-"


def test_each_goes_first_in_turn():
    assert [rotated("abc", number)[0] for number in range(4)] == ["a", "b", "c", "a"]


def test_a_quantile_is_one_of_the_values():
    assert [quantile(range(100), share) for share in (0.0, 0.5, 0.99, 1.0)] == [0, 50, 99, 99]
    assert quantile([], 0.5) == 0


def test_a_slope_is_per_unit_of_x():
    assert slope([(0, 5), (2, 9), (4, 13)]) == pytest.approx(2)


def test_what_fills_up_and_stays_does_not_grow():
    assert growth([(x, min(x, 20.0)) for x in range(100)]) == (1, 0)


def test_what_grows_is_told_by_its_halves_and_its_slope():
    grown, rate = growth([(x, 100.0 + x) for x in range(100)])
    assert grown > 1.2
    assert rate == pytest.approx(1)
