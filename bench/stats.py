"""The arithmetic of measurements: medians with ranges, ratios, quantiles, straight lines."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def median(values: Sequence[float]) -> float:
    """Of at least one value."""
    return statistics.median(values)


def ranged(values: Sequence[float], digits: int = 1) -> str:
    """`24.1 (23.0 to 25.2)`: the median, and least and greatest; a dash without any."""
    if not values:
        return "-"
    middle = f"{median(values):,.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """Round by round; rounds that only one of the two has are left out."""
    return [a / b for a, b in zip(numerators, denominators, strict=False) if b]


def fit(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Intercept and slope of the straight line with the least squares of *relative* errors.

    What is measured is off by a share of itself, so every point has to count alike: with absolute
    errors the greatest would decide alone. Needs positive values at two places at least.
    """
    weights = [1 / y**2 for _, y in points]
    total = sum(weights)
    mean_x = sum(w * x for w, (x, _) in zip(weights, points, strict=True)) / total
    mean_y = sum(w * y for w, (_, y) in zip(weights, points, strict=True)) / total
    spread = sum(w * (x - mean_x) ** 2 for w, (x, _) in zip(weights, points, strict=True))
    if not spread:
        raise ValueError("a line needs points at two places at least")
    slope = (
        sum(w * (x - mean_x) * (y - mean_y) for w, (x, y) in zip(weights, points, strict=True))
        / spread
    )
    return mean_y - slope * mean_x, slope


def quantile(ordered: Sequence[float], share: float) -> float:
    """Of sorted values; 0 without any."""
    return float(ordered[min(len(ordered) - 1, int(len(ordered) * share))]) if ordered else 0.0


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line with the least squares, y per x."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def growth(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Whether something stays flat over time: its mean in the second half in times of that in the
    first, and its slope in the second half, per unit of x. The first fifth is left out: what is
    kept up to some limit fills up to it."""
    settled = points[len(points) // 5 :]
    half = len(settled) // 2
    first, second = settled[:half], settled[half:]
    if not first:
        raise ValueError("growth needs points in both halves")
    mean = sum(y for _, y in first) / len(first)
    return sum(y for _, y in second) / len(second) / mean, slope(second)


def rotated(items: Sequence[T], by: int) -> list[T]:
    """Another one goes first in each round: a machine may get slower or quicker meanwhile."""
    at = by % len(items) if items else 0
    return [*items[at:], *items[:at]]
