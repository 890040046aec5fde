"""Questions about a facility's coordinates that are probably wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from oegen.audit.questions import Question
from oegen.core.fields import country_name
from pipelines.country_boxes import BOXES

if TYPE_CHECKING:
    from pipelines.models import Facility

NO_PLACE, SWAPPED = "no-place", "swapped-coordinates"

#: Margin in degrees around a country's land for offshore sites: a little more than the 200 nautical
#: miles of its economic zone.
OFFSHORE_MARGIN = 4


def is_near(country: str, latitude: Decimal, longitude: Decimal) -> bool:
    """Whether the point is in a box around the country's land, or offshore near it."""
    return any(
        south - OFFSHORE_MARGIN <= latitude <= north + OFFSHORE_MARGIN
        and west - OFFSHORE_MARGIN <= longitude <= east + OFFSHORE_MARGIN
        for south, west, north, east in BOXES[country]
    )


def questions_about_place(facility: Facility) -> list[Question]:
    """Coordinates 0/0, and coordinates that fit the facility's country only when swapped."""
    latitude, longitude, country = facility.latitude, facility.longitude, facility.country
    if latitude is None or longitude is None:
        return []
    fields = ("latitude", "longitude", "country")
    if latitude == longitude == 0:
        text = (
            "Latitude 0, longitude 0 lies in the sea off West Africa, and files often have it "
            "where the place is not known. Is it there?"
        )
        return [Question(NO_PLACE, fields[:2], text)]
    if (
        country not in BOXES
        or is_near(country, latitude, longitude)
        or not is_near(country, longitude, latitude)
    ):
        return []
    name, north, east = country_name(country), _degrees(latitude), _degrees(longitude)
    text = (
        f"Latitude {north}, longitude {east} is not in or near {name}; latitude {east}, longitude "
        f"{north} would be. Are the two the right way round?"
    )
    return [Question(SWAPPED, fields, text)]


def _degrees(value: Decimal) -> str:
    return f"{value.normalize():f}".replace("-", "−")
