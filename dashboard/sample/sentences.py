"""What a development team writes beside a change. ``{place}`` and such are filled in."""

from __future__ import annotations

from dataclasses import dataclass

SOLAR, WIND, SEA, BESS = "solar", "onshore-wind", "offshore-wind", "bess"
EARLY, BUILDING = range(3), range(3, 5)
DISCOVERY, DESIGN, PROCUREMENT, CONSTRUCTION, COMMISSIONING, COMPLETED = range(6)


@dataclass(frozen=True)
class Issue:
    """A trouble, from its first sign to its end, as RAG comments; ``cause`` is the reason given
    for a later date. ``stages`` are numbers from 0, Discovery; no technologies means all."""

    topic: str
    stages: range
    amber: str
    red: str
    easing: str
    resolved: str
    cause: str
    technologies: tuple[str, ...] = ()


ISSUES = [
    Issue(
        "Grid connection", EARLY,
        "Network operator has put the connection date under review.",
        "Connection offer now three years later than we need; no interim capacity on offer.",
        "Non-firm connection offered as a bridge; terms being checked.",
        "Revised connection offer signed, date fits the programme.",
        "Grid connection date moved in the revised offer",
    ),
    Issue(
        "Planning", range(1, 2),
        "Planning officer asks for a second ecology season before determination.",
        "Officer's report recommends refusal on landscape grounds.",
        "Revised layout submitted, officer's informal view is positive.",
        "Consent granted, judicial review period over.",
        "Determination deferred to a later planning committee",
        (SOLAR, WIND, BESS),
    ),
    Issue(
        "Land", EARLY,
        "One of three landowners has not signed the option extension.",
        "Key landowner in talks with a competing developer; access track at risk.",
        "Heads of terms agreed with the last landowner.",
        "All options and the easement for the cable route are signed.",
        "Cable easement still open with one landowner",
        (SOLAR, WIND, BESS),
    ),
    Issue(
        "Ecology", range(2),
        "Breeding bird survey found nesting lapwing in the eastern field.",
        "Survey licence refused, a full season is lost.",
        "Mitigation plan accepted in principle by the ecologist.",
        "Ecology chapter complete, no outstanding objections.",
        "A further survey season is needed",
        (SOLAR, WIND),
    ),
    Issue(
        "Aviation", range(2),
        "Radar operator has lodged a holding objection.",
        "Radar objection stands; no mitigation slot before the connection date.",
        "Radar mitigation agreement drafted.",
        "Radar objection withdrawn against a funded mitigation scheme.",
        "Radar mitigation is not ready in time",
        (WIND, SEA),
    ),
    Issue(
        "Seabed survey", range(2),
        "Geotechnical campaign lost six weeks to weather.",
        "Boulder fields found along half of the export route; rerouting needed.",
        "Alternative export route looks feasible on desk study.",
        "Geophysical and geotechnical data accepted by the designer.",
        "Survey vessel lost its weather window",
        (SEA,),
    ),
    Issue(
        "Turbine supply", range(2, 5),
        "Preferred turbine supplier's lead time has gone to 26 months.",
        "Turbine supplier has withdrawn the model we have consent for.",
        "Second supplier confirms a machine inside the consented envelope.",
        "Turbine supply agreement signed with fixed delivery dates.",
        "Turbine delivery slot moved by the supplier",
        (WIND, SEA),
    ),
    Issue(
        "Transformer delivery", range(2, 5),
        "Main transformer quoted at 30 months, programme allows 24.",
        "Transformer slot lost; next factory slot is a year away.",
        "Reserved slot found through the framework agreement.",
        "Transformer ordered, factory test date confirmed.",
        "Transformer delivery is later than planned",
    ),
    Issue(
        "Battery supply", range(1, 3),
        "Cell supplier wants to reopen the price after the tariff change.",
        "Supplier failed the safety certification our insurer asks for.",
        "Alternative supplier short-listed, certification in order.",
        "Battery supply contract signed, long-duration cells confirmed.",
        "Battery tender had to be repeated",
        (BESS,),
    ),
    Issue(
        "Fire safety", range(2),
        "Fire service asks for wider spacing and a second access.",
        "Council objects until the fire safety plan is redesigned.",
        "Redesigned layout meets the fire service's spacing.",
        "Fire safety management plan approved.",
        "Layout redrawn for the fire service",
        (BESS,),
    ),
    Issue(
        "Route to market", range(1, 3),
        "Offtaker's credit committee has asked for a lower floor price.",
        "Offtaker walked away; no bankable revenue at present.",
        "Two short-listed offtakers have returned marked-up term sheets.",
        "Power purchase agreement signed for ten years.",
        "Financing waits for the offtake contract",
    ),
    Issue(
        "Cost", range(1, 3),
        "Contractor's price is 9% above the budget.",
        "Returns below the hurdle at the present build cost.",
        "Value engineering has found two thirds of the gap.",
        "Contract price agreed within budget.",
        "Tender repeated after prices came in above budget",
    ),
    Issue(
        "Civil work", BUILDING,
        "Wet winter has held up the access tracks by five weeks.",
        "Contractor in dispute over ground conditions; works stopped.",
        "Contractor back on site with a recovery programme.",
        "Civil works complete.",
        "Ground works behind programme",
    ),
    Issue(
        "Energisation", BUILDING,
        "Protection settings rejected twice by the network operator.",
        "Outage cancelled; the next one is in spring.",
        "New outage window confirmed by the network operator.",
        "Energised, export test passed.",
        "Energisation outage moved",
    ),
]  # fmt: skip

GREEN = {
    DISCOVERY: [
        "Desk study clean, landowner keen.",
        "Grid application in, screening opinion positive.",
    ],
    DESIGN: [
        "Surveys on programme, no objections so far.",
        "Layout frozen, planning application being drafted.",
        "Grid and planning both on track.",
    ],
    PROCUREMENT: ["Tenders in, prices within budget.", "Contracts in final form, on programme."],
    CONSTRUCTION: ["On programme and within budget.", "Works a week ahead of programme."],
    COMMISSIONING: ["Tests on schedule.", "Grid code tests under way, nothing open."],
    COMPLETED: ["Operating.", "Handed over to operations, no open defects."],
}

MOVES = {
    DESIGN: [
        "Land secured, go-ahead for design",
        "Investment committee released the design budget",
        "Grid offer accepted, design starts",
    ],
    PROCUREMENT: [
        "Planning consent granted",
        "Consent in hand, tenders go out",
        "Design freeze signed off, tender launched",
    ],
    CONSTRUCTION: [
        "Financial close reached, ready to build on {rtb}",
        "Notice to proceed given to the contractor",
        "All conditions discharged, site handed to the contractor",
    ],
    COMMISSIONING: ["Mechanically complete, grid code tests begin", "Energised for testing"],
    COMPLETED: ["Taken over from the contractor", "Final certificate issued, plant is operating"],
}

HOLDS = [
    "Waiting for the grid queue reform's results",
    "Paused until the next auction's terms are known",
    "Landowner family dispute, nothing moves before it is settled",
    "Budget moved to nearer-term projects this year",
    "Partner is reviewing its commitment to {country}",
]
RELEASES = [
    "Grid position confirmed, work resumes",
    "Auction terms published and workable",
    "Landowners agree again, work resumes",
    "Budget released for the second half of the year",
    "Partner has recommitted",
]

ENDINGS = {
    "withdrawn": [
        "Connection cost makes it uneconomic, we hand back the offer",
        "Landowner withdrew, no alternative site",
        "Yield study too low for our hurdle",
    ],
    "refused": [
        "Application refused on landscape grounds, no appeal",
        "Appeal dismissed",
    ],
    "sold": [
        "Sold at ready to build to {buyer}",
        "Portfolio sale closed with {buyer}",
    ],
}

CAPACITY_DOWN = [
    "Southern field taken out after the flood risk assessment",
    "Layout reduced to keep the distance to the listed farmhouse",
    "Export capacity in the grid offer is lower than applied for",
]
CAPACITY_UP = [
    "Higher rated equipment fits the same layout",
    "Neighbouring parcel added under the option",
    "Network operator can take more after the reinforcement",
]

SLIP_EARLIER = [
    "Conditions discharged sooner than planned",
    "Earlier connection slot accepted",
]
SLIP_ON_HOLD = "Date moved on while the project is on hold"

CREATIONS = {
    True: "Taken over from the old project tracker",
    False: "New opportunity approved by origination",
}

JOINS = {
    "offtaker": "Offtake term sheet signed",
    "epc": "Preferred contractor selected",
    "o-and-m": "Operations contract awarded",
    "investor": "Investor joined at heads of terms",
    "landowner": "Option agreement signed",
    "grid-operator": "Connection application accepted",
}

OWNERSHIP = "Share sold down to a co-investor to free up capital"

PROBABILITY = [
    ("Connection date is firm and land is signed, better than others at this stage", (70, 90)),
    ("Strong local opposition, worse than others at this stage", (15, 35)),
    ("Sole bidder in exclusivity, terms nearly final", (75, 95)),
    ("Depends on one auction round", (40, 60)),
]

COMMENTS = [
    "Spoke to the landowner's agent, they will come back after harvest.",
    "Site visit done near {place}. Access from the east is better than on the drawing.",
    "Insurer wants the flood report before the next meeting.",
    "Parish council meeting was calmer than expected, about thirty people came.",
    "Network operator's engineer confirmed the point of connection by phone, letter to follow.",
    "Yield report v2 is in the data room, P50 about 2% below v1.",
    "Agreed with the lawyers to run the easement and the lease in parallel.",
    "Please keep the old layout on file, the lender may ask for it.",
    "Cost estimate is from last spring, needs an update before committee.",
    "Archaeology trial trenching finished, nothing significant.",
    "Council's tree officer wants a larger hedge along the footpath.",
    "Model updated with the new price curve; returns hold.",
    "Invoice for the grid application fee approved.",
    "Neighbouring scheme near {place} was consented last week, useful precedent.",
    "Next steering meeting: decide on the second survey season.",
    "Draft community benefit agreement sent to the parish.",
]
