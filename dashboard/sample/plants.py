"""Sizes and positions of plants."""

from __future__ import annotations

from decimal import Decimal
from math import cos, pi, radians, sqrt
from random import Random

from dashboard.sample.places import Place

#: MW (solar: MWp) from and to; most plants are nearer the lower end.
SIZES = {
    "solar": (5, 400),
    "onshore-wind": (10, 250),
    "offshore-wind": (200, 1500),
    "bess": (10, 500),
}
#: Rated power of one turbine, of which a wind farm has a whole number.
TURBINES_MW = {
    "onshore-wind": (Decimal("4.2"), Decimal("5.6"), Decimal("6.6")),
    "offshore-wind": (Decimal("12"), Decimal("15")),
}
STORAGE_HOURS = (2, 2, 2, 3, 4, 4)

#: Days from ready to build to commercial operation.
BUILD_DAYS = {
    "solar": (240, 400),
    "onshore-wind": (420, 600),
    "offshore-wind": (850, 1150),
    "bess": (240, 420),
}

KM_PER_DEGREE = 111.32
LAND_RADIUS_KM, SEA_RADIUS_KM = 8, 14


def size_mw(rng: Random, technology: str) -> Decimal:
    low, high = SIZES[technology]
    wanted = low * (high / low) ** (rng.random() ** 0.9)
    if turbine := TURBINES_MW.get(technology):
        each = rng.choice(turbine)
        count = max(int(low / each) + 1, min(int(Decimal(wanted) / each), int(high / each)))
        return each * count
    step = Decimal("0.1") if technology == "solar" and wanted < 100 else Decimal(1)
    return Decimal(wanted).quantize(step)


def size_of_battery_beside(rng: Random, plant_mw: Decimal) -> Decimal:
    """A battery behind the same connection as a solar or wind plant."""
    low, high = SIZES["bess"]
    share = Decimal(rng.choice(("0.3", "0.5", "0.7")))
    return min(Decimal(high), max(Decimal(low), (plant_mw * share).quantize(Decimal(1))))


def resized_mw(rng: Random, technology: str, now: Decimal, up: bool) -> Decimal:
    """A size some way up or down from the present one, inside the technology's range."""
    factor = Decimal(rng.choice(("1.05", "1.1", "1.15") if up else ("0.82", "0.88", "0.92")))
    low, high = SIZES[technology]
    return min(Decimal(high), max(Decimal(low), (now * factor).quantize(Decimal("0.1"))))


def export_limit_mw(rng: Random, technology: str, capacity_mw: Decimal) -> Decimal:
    """Solar is built bigger than its connection; the others are not."""
    if technology != "solar":
        return capacity_mw
    return (capacity_mw * Decimal(rng.choice(("0.65", "0.7", "0.75", "0.8")))).quantize(
        Decimal("0.1")
    )


def position_near(rng: Random, place: Place) -> tuple[Decimal, Decimal]:
    """Latitude and longitude somewhere in the circle around the place."""
    radius = SEA_RADIUS_KM if place.style == "sea" else LAND_RADIUS_KM
    distance, bearing = radius * sqrt(rng.random()), 2 * pi * rng.random()
    north = distance * cos(bearing) / KM_PER_DEGREE
    east = distance * cos(bearing - pi / 2) / (KM_PER_DEGREE * cos(radians(place.latitude)))
    return Decimal(f"{place.latitude + north:.5f}"), Decimal(f"{place.longitude + east:.5f}")
