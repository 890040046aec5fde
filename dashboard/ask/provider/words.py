"""The words that a model may use by itself, and those that it never may.

Prose is checked against a closed list: a word that is neither here nor in what was looked up may
be the name of something that does not exist. So this list has no name, number, direction, rank or
comparison, nothing that denies, and no reason or forecast.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words without a claim of their own.
PLAIN = _words(
    """
    standing a an the this that these those it its they their them there here i we us our ours
    you your yours who whom whose which what when where how of in on at by for from to with
    within into onto since until across between during through per via as and or while also is
    are was were be been being am has have had having do does did stands stand stood amounts
    amount amounted comes come came shows show shown showed counts count counted includes
    include included including contains contain contained comprises comprise comprised covers
    cover covered consists consist lies lie sits sit gives give given gave sees see seen find
    finds found look looks looking looked ask asks asked answer answers question questions
    regarding about needs need needed calls call called named name names lists list listed
    listing follows following follow namely among such example please note summary brief
    capacity capacities pipeline pipelines project projects facility facilities site sites
    portfolio figure figures value values number numbers total totals sum overall whole entire
    combined together share shares group groups set sets item items entry entries record records
    table tables row rows chart charts page pages view filter filters company companies
    counterparty counterparties holder holders country countries region regions place places
    market markets technology technologies stage stages status rating ratings date dates day
    days time information point points milestone milestones rated unit units megawatt megawatts
    basis definition meaning word term terms detail details state current currently today now
    present end ends own itself breakdown split overview highlight highlights account accounts
    represent represents represented report reports reported recorded measured spread located
    location locations based type types kind kinds result results side
    """
)

#: Plain words that make a clause of a figure.
BINDING = _words("is are was were has have had capacity stands stood amounts amounted totals comes")

#: Units. One that follows a figure must be its own.
UNITS = _words("mw mwh mwp gw gwh gwp kw kwh kwp tw twh percent pct")

#: Counted things: one that follows a figure repeats its unit.
COUNTED_WORDS = _words(
    """
    pipeline pipelines project projects facility facilities counterparty counterparties contact
    contacts milestone milestones change changes entry entries stay stays day days week weeks
    month months year years point points hour hours company companies
    """
)

#: What is true of today alone.
PRESENT = frozenset({"current", "currently", "today", "now", "present", "presently"})

#: Never, unless a looked-up label has the whole phrase.
FORBIDDEN = _words(
    """
    zero nil nought none no nothing nobody neither nor not never without cannot cant dont doesnt
    isnt arent wasnt werent hasnt havent wont didnt except excluding excludes exclude lacks lack
    lacking missing absent fails fail failed one two three four five six seven eight nine ten
    eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty
    forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million millions
    billion billions trillion dozen dozens score scores couple pair both single double doubled
    doubles doubling triple tripled treble trebled quadruple quadrupled twice thrice once half
    halves halved halving third thirds quarter quarters fifth fifths sixth seventh eighth ninth
    tenth tenths fold twofold threefold fourfold tenfold multiple multiples several few many
    much some any all every each everyone everything majority minority most mostly least plenty
    lots lot handful only just merely solely alone almost nearly roughly approximately approx
    around circa exactly precisely over under above beneath beyond past upwards plus minus times
    versus vs first second last next former latter top bottom leading lead leads led leader
    foremost main mainly primary primarily chief chiefly principal principally rank ranks ranked
    ranking runner champion best worst better worse good bad well poor poorly strong strongly
    weak weakly large larger largest big bigger biggest huge great greater greatest small
    smaller smallest little less lesser more fewer fewest high higher highest low lower lowest
    long longer longest short shorter shortest early earlier earliest late later latest old
    older oldest new newer newest fast faster fastest slow slower slowest near nearer nearest
    far farther furthest major minor significant significantly substantial substantially
    considerable considerably sharp sharply steep steeply slight slightly modest modestly
    dramatic dramatically rose rise rises rising risen raise raised fall falls fell falling
    fallen grow grows grew growing grown growth gain gains gained gaining increase increases
    increased increasing decrease decreases decreased decreasing decline declines declined
    declining drop drops dropped dropping climb climbs climbed climbing jump jumps jumped
    jumping surge surges surged surging soar soars soared plunge plunges plunged sink sinks sank
    slump slumps slumped shrink shrinks shrank shrunk expand expands expanded expanding
    expansion contract contracted reduce reduces reduced reducing reduction improve improves
    improved improving improvement worsen worsens worsened worsening deteriorate deteriorates
    deteriorated recover recovers recovered recovery up down upward downward ahead behind exceed
    exceeds exceeded exceeding outweigh outweighs outpace outpaces surpass surpasses surpassed
    overtake overtakes dominate dominates dominated dominant lag lags lagged trail trails
    trailed differ differs differed difference different same equal equals equally similar
    similarly identical alike like unlike than compared compare compares comparison relative
    relatively remain remains remained remaining unchanged constant stable steady steadily flat
    still already yet again always often rarely will would shall should may might must could can
    likely unlikely probably possibly perhaps expected expect expects forecasted predict
    predicts predicted soon because due thanks hence therefore thereby cause causes caused
    reason reasons driven drive drives despite although though however but instead
    """
)

#: Superlatives that the list does not have end like this; these words do not count.
_LIKE_SUPERLATIVES = _words("west southwest northwest forest interest request test invest east")


def stem(word: str) -> str:
    """The word without its usual endings, for comparing."""
    word = word.casefold()
    for ending, instead in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) > 2:
            return (word[: -len(ending)] + instead).rstrip("e")
    return word.rstrip("e") if len(word) > 3 else word


def words_of(text: str) -> list[str]:
    """The words of a text; apostrophes do not part them, hyphens do."""
    return re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", text)


def is_forbidden(word: str) -> bool:
    word = re.sub(r"['’]", "", word.casefold())
    if word in FORBIDDEN:
        return True
    if word.endswith("est") and len(word) > 4:
        return word not in _LIKE_SUPERLATIVES
    return word.endswith("fold") and len(word) > 5


def is_plain(word: str) -> bool:
    word = word.casefold()
    return word in PLAIN or re.sub(r"['’]s$", "", word) in PLAIN
