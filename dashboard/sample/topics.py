"""What the managers hear about the markets."""

from __future__ import annotations

from dataclasses import dataclass

#: By the first word of a market's name; any other market is all of Europe's.
_COUNTRIES = {
    "GB": "GB",
    "Lincolnshire": "GB",
    "Spain": "ES",
    "Italy": "IT",
    "Germany": "DE",
    "German": "DE",
    "Poland": "PL",
    "Netherlands": "NL",
    "Ireland": "IE",
    "Sweden": "SE",
    "Norway": "NO",
    "Finland": "FI",
    "Danish": "DK",
}


@dataclass(frozen=True)
class Topic:
    title: str
    description: str
    market: str
    technologies: tuple[str, ...]
    impact: int
    likelihood: int

    @property
    def countries(self) -> set[str]:
        first = self.market.split(" ", 1)[0]
        return {_COUNTRIES[first]} if first in _COUNTRIES else set(_COUNTRIES.values())


def _topics(table: str) -> list[Topic]:
    """``table`` has blocks of two lines: "title; market; technologies; impact; likelihood", and
    the description."""
    lines = [line.strip() for line in table.strip().splitlines() if line.strip()]
    topics = []
    for head, description in zip(lines[::2], lines[1::2], strict=True):
        title, market, technologies, impact, likelihood = head.split("; ")
        topics.append(
            Topic(
                title,
                description,
                market,
                tuple(technologies.split()),
                int(impact),
                int(likelihood),
            )
        )
    return topics


TOPICS = _topics(
    """
    Grid queue reform moves projects without land rights back; GB grid; solar bess onshore-wind; 85; 80
    Projects that show land and planning progress are promised earlier dates.
    Zonal pricing back on the agenda; GB wholesale market; onshore-wind offshore-wind; 80; 25
    A study asks for locational signals; northern wind would earn less.
    Next auction round raises the offshore budget; GB contracts for difference; offshore-wind; 75; 60
    Budget is expected to be half as large again as in the last round.
    Longer contract term for new wind and solar; GB contracts for difference; solar onshore-wind; 55; 70
    Twenty years instead of fifteen would lower the strike price we need.
    Transformer lead times above two years; Europe, supply chain; solar bess onshore-wind; 70; 85
    Two manufacturers have closed their order books for next year.
    Cell prices fall by a further tenth; Europe, supply chain; bess; 45; 65
    Overcapacity at cell makers; four-hour systems become the standard offer.
    Fire safety guidance for batteries to become binding; GB planning; bess; 50; 75
    Spacing of at least three metres between containers, and a second access.
    Frequency response revenue at new low; GB balancing services; bess; 60; 90
    Market is saturated; lenders now assume wholesale trading alone.
    Capacity market derating of two-hour batteries cut; GB capacity market; bess; 55; 70
    Four-hour systems lose less; our design choice should follow.
    Onshore wind applications welcome again in England; GB planning; onshore-wind; 65; 70
    National policy treats onshore wind as any other infrastructure.
    Solar on best farmland to be refused as a rule; GB planning; solar; 60; 35
    Ministerial statement announced; some county councils act on it already.
    County opposes all ground-mounted solar above 50 ha; Lincolnshire; solar; 45; 50
    New majority in the council; determinations are taking longer.
    Community benefit to be mandatory; GB planning; solar onshore-wind; 30; 60
    Consultation proposes a payment for each megawatt and year.
    Curtailment in the south rises to 6%; Spain wholesale market; solar; 65; 80
    Midday prices at zero on one day in four in spring.
    Capacity market for storage approved; Spain; bess; 60; 65
    First auction could be held within a year; rules favour hybrid plants.
    Grid access points for hybridisation released; Spain grid; solar bess onshore-wind; 55; 55
    A storage unit may share an existing connection without a new guarantee.
    Environmental permits delayed by three regions; Spain planning; onshore-wind; 50; 60
    Courts have suspended several wind permits until a higher court rules.
    Long-term storage auction announced; Italy; bess; 70; 70
    Fifteen-year capacity payment; the south and the islands first.
    Ban on ground-mounted solar on farmland stays; Italy planning; solar; 65; 75
    Only agrivoltaic schemes with raised panels are let through.
    Regions must name suitable areas by the spring; Italy planning; solar onshore-wind; 45; 55
    Sardinia has excluded nearly all of its territory; a challenge is under way.
    Construction grants for batteries oversubscribed; Germany grid; bess; 60; 85
    Applications for 200 GW; operators think of a first-ready, first-served rule.
    Two per cent of land for wind is being designated; Germany planning; onshore-wind; 55; 75
    Approvals are at a record; auction prices fall.
    Seabed auction drew no bids; German Bight; offshore-wind; 70; 55
    Uncapped negative bidding is blamed; the rules may be changed.
    Connection refusals by distribution operators; Poland grid; solar; 60; 80
    Nine in ten applications refused; cable pooling is the way round.
    Distance rule for wind relaxed to 500 m; Poland planning; onshore-wind; 60; 45
    Bill is in parliament; the president may veto it.
    Second phase of Baltic offshore auctions; Poland; offshore-wind; 55; 60
    Price cap raised; local supply is scored.
    Congestion: no new feed-in before 2030; Netherlands grid; solar bess; 70; 80
    Flexible contracts for batteries are the exception.
    Battery tariff discount of 65%; Netherlands grid; bess; 55; 60
    Discount for connections that can be interrupted.
    New grid connection policy in batches; Ireland grid; solar bess onshore-wind; 60; 70
    Two windows a year; planning permission first.
    Private wires to be allowed; Ireland; solar onshore-wind; 40; 60
    Data centres could contract with a plant next door.
    Community consent to be bought by a share in the tax; Sweden planning; onshore-wind; 50; 50
    Municipalities get part of the property tax; fewer vetoes expected.
    Defence objects to wind in the whole Baltic zone; Sweden; offshore-wind; 80; 70
    Thirteen applications were refused in one day.
    Local resource tax on wind kept; Norway; onshore-wind; 35; 80
    Rate at 25%; municipalities get half.
    Electricity tax on batteries lifted; Finland; bess; 30; 55
    Double taxation of stored power ends.
    Tender without subsidy failed; Danish North Sea; offshore-wind; 65; 60
    State support is back on the table for three sites.
    Lenders ask for floor prices on solar; Europe, finance; solar; 65; 75
    Capture rates fell faster than the base case of two years ago.
    Insurers raise deductibles for hail; Europe, finance; solar; 40; 65
    Stow strategies and thicker glass are asked for.
    Interest rates expected to fall by half a point; Europe, finance; solar onshore-wind bess; 50; 55
    Levelised cost would fall by about 3%.
    Corporate buyers want hourly matching; Europe, offtake; solar onshore-wind bess; 45; 50
    Two tenders asked for 80% matched by the hour.
    Cyber rules for foreign inverters; Europe; solar bess; 50; 45
    Some makers may be excluded from new connections.
    Vessel shortage for foundations; North Sea, supply chain; offshore-wind; 65; 60
    Charter rates have doubled; slots before 2029 are gone.
    Turbine maker stops selling its onshore range in small markets; Europe, supply chain; onshore-wind; 45; 40
    Consented envelopes may need a variation.
    """  # noqa: E501
)

COMMENTS = [
    "Heard the same from two lenders this week.",
    "Consultation closes next month, we answer through the trade body.",
    "Our base case already has half of this in it.",
    "Asked our advisers for a page on it.",
    "Affects the returns of the projects named here by about one point.",
]
HIGHER = ["Confirmed by a second source", "Draft rules published", "Competitor has said the same"]
LOWER = ["Minister has cooled on it", "Less severe than first reported", "Postponed by a year"]
REVIEWED = "Reviewed, stands as it is"
CLOSED = ["It has happened and is in our base case", "Off the table", "Superseded by the new rules"]
WATCHED = "Nothing to do now, keep an eye on it"
