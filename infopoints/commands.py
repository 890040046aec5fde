"""What the palette offers of information points."""

from infopoints.models import InformationPoint
from oegen.pages.commands import add, go_to, register

register(
    go_to("Information points", "infopoints", "bulb", "risks market", section=6),
    add(InformationPoint),
)
