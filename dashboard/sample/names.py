"""Invented names of projects, companies and people."""

from __future__ import annotations

from random import Random

from dashboard.sample.places import Place

#: Two parts that make a site's name, for each style of place.
_SITES = {
    "english": (
        (
            "Ash Hollin Bracken Thorn Elder Hazel Larch Rowan Kestrel Heron Lapwing Curlew Raven "
            "Otter Mill Chalk Gorse Fallow Withy Sallow Barley Clover Tansy Sorrel Linnet Plover"
        ),
        "moor field down combe wick holt ley ridge croft mere fold bourne hurst stead",
    ),
    "scots": (
        "Cairn Drum Blair Auchen Craig Torr Knock Meikle Dun Glas Bal Loan",
        "dorran fearnie mallow garth beath hallie moss rigg torrin shiel lochan burnie",
    ),
    "welsh": (
        "Bryn Cefn Llwyn Mynydd Pant Esgair Coed Garn Waun Nant",
        " Eithin| Hebog| Grug| Onnen| Llwyd| Gwernen| Barcud| Rhedyn| Derwen| Ehedydd",
    ),
    "irish": (
        "Bally Clon Drum Knock Kil Derry Lis Rath Cool Tully",
        "nahone farran dowane macree gorteen shallan brackagh tubber lemon curra",
    ),
    "spanish": (
        "Cerro Dehesa Loma Llano Valle Cañada Vega Alto",
        (
            " de la Encina| de la Retama| del Jaral| del Tomillar| de la Alondra| de la Cigüeña| "
            "del Almendro| del Romero| de la Avutarda| del Espliego"
        ),
    ),
    "italian": (
        "Poggio Colle Masseria Serra Piano Cascina Contrada Valle",
        " Allodola| Ginestra| Gheppio| Olivastro| Rondine| Quercia| Papavero| Mirto| Falco| Salice",
    ),
    "german": (
        "Heide Lerchen Birken Kiefern Hasel Wacholder Falken Reiher Mühlen Ginster Eichen Weiden",
        "feld bruch höhe grund horst rain koppel anger heck born",
    ),
    "polish": (
        "Brzozowe Lipowe Sosnowe Dębowe Bocianie Czajcze Wrzosowe Jałowcowe Orle Żurawie",
        " Pole| Wzgórze| Łąki| Błonie| Bory| Doły| Niwy| Pagórki",
    ),
    "dutch": (
        "Berken Kievit Heide Reiger Wilgen Linden Valken Brem Zwaluw Hazel",
        "veld kamp broek dijk hoek made weide akker",
    ),
    "swedish": (
        "Björk Tall Ljung Ek Trana Falk Hassel Al Sten Orr",
        "hult åsen mossen berget kullen dalen hagen näs",
    ),
    "norwegian": (
        "Bjørk Furu Lyng Tran Falk Hassel Gran Stein Orre Rype",
        "åsen haugen myra lia heia dalen moen kollen",
    ),
    "danish": (
        "Birke Lyng Lærke Trane Falke Hassel Ege Vibe Ene Pile",
        "høj mose bakke mark lund hede toft eng",
    ),
    "finnish": (
        "Koivu Mänty Kanerva Kurki Haukka Teeri Pihla Kivi Suo Honka",
        "mäki neva harju kangas lahti korpi niitty vaara",
    ),
    "sea": (
        (
            "Petrel Gannet Kittiwake Fulmar Skua Tern Shearwater Razorbill Guillemot Cormorant "
            "Herring Mackerel Porpoise Eider"
        ),
        " Bank| Deep| Reach| Rise| Shoal| Ground| Swell| Ridge",
    ),
}


def _parts(text: str) -> list[str]:
    return text.split("|") if "|" in text else text.split()


SITES = {style: tuple(map(_parts, pair)) for style, pair in _SITES.items()}

_ENGLISH_PATTERNS = ("{} Solar Farm", "{} Wind Farm", "{} Battery", "{} Energy Park")
#: Names of a solar, wind, battery and mixed project, for each style.
PATTERNS = {
    "english": _ENGLISH_PATTERNS,
    "scots": _ENGLISH_PATTERNS,
    "welsh": _ENGLISH_PATTERNS,
    "irish": _ENGLISH_PATTERNS,
    "spanish": ("Parque Solar {}", "Parque Eólico {}", "Almacenamiento {}", "Parque Híbrido {}"),
    "italian": ("Parco Solare {}", "Parco Eolico {}", "Accumulo {}", "Parco Ibrido {}"),
    "german": ("Solarpark {}", "Windpark {}", "Speicher {}", "Energiepark {}"),
    "polish": ("Farma Solarna {}", "Farma Wiatrowa {}", "Magazyn Energii {}", "Park Energii {}"),
    "dutch": ("Zonnepark {}", "Windpark {}", "Batterij {}", "Energiepark {}"),
    "swedish": ("Solpark {}", "Vindpark {}", "Batteripark {}", "Energipark {}"),
    "norwegian": ("Solpark {}", "Vindpark {}", "Batteripark {}", "Energipark {}"),
    "danish": ("Solpark {}", "Vindpark {}", "Batteripark {}", "Energipark {}"),
    "finnish": ("Aurinkopuisto {}", "Tuulipuisto {}", "Akkuvarasto {}", "Energiapuisto {}"),
    "sea": ("{}", "{} Offshore Wind", "{}", "{}"),
}
_PATTERN_OF = {"solar": 0, "onshore-wind": 1, "offshore-wind": 1, "bess": 2, "mixed": 3}


def site_name(rng: Random, place: Place) -> str:
    first, second = SITES[place.style]
    return rng.choice(first) + rng.choice(second)


def plant_name(site: str, place: Place, technology: str) -> str:
    """The name of a plant or project; ``technology`` is a code, or "mixed"."""
    return PATTERNS[place.style][_PATTERN_OF[technology]].format(site)


class Unrepeated:
    """Makes names unique: with the place's name at the second use, a number from the third on."""

    def __init__(self):
        self._uses: dict[str, int] = {}

    def __call__(self, name: str, detail: str) -> str:
        if self._count(name) == 1:
            return name
        name = f"{name}, {detail}"
        uses = self._count(name)
        return name if uses == 1 else f"{name} {uses}"

    def _count(self, name: str) -> int:
        key = name.casefold()
        self._uses[key] = self._uses.get(key, 0) + 1
        return self._uses[key]


COMPANY_SUFFIX = {
    "GB": "Ltd",
    "IE": "DAC",
    "ES": "S.L.",
    "IT": "S.r.l.",
    "DE": "GmbH",
    "PL": "sp. z o.o.",
    "NL": "B.V.",
    "SE": "AB",
    "NO": "AS",
    "DK": "A/S",
    "FI": "Oy",
}
COMPANY_COUNTRIES = ["GB"] * 12 + ["ES", "ES", "IT", "IT", "DE", "DE", "DE", "IE", "IE", "NL",
                                   "PL", "SE", "NO", "DK", "FI"]  # fmt: skip

#: What a company does, with how many of each there are among 25 and what they call themselves.
COMPANY_KINDS = {
    "developer": (10, ["Renewables", "Energy", "Developments", "Green Power", "Generation"]),
    "investor": (4, ["Capital Partners", "Infrastructure", "Asset Management"]),
    "offtaker": (3, ["Foods", "Data Centres", "Retail", "Steelworks"]),
    "builder": (3, ["Engineering", "Construction", "Power Systems"]),
    "operator": (2, ["Asset Services", "Plant Care"]),
    "landowner": (1, ["Estates", "Land Holdings"]),
    "grid": (2, ["Networks", "Grid"]),
}
#: Two parts that make a company's root, for countries that sound alike.
_COMPANY_ROOTS = {
    ("GB", "IE"): (
        "Harrow Tolva Merro Calder Penhal Strathor Duncair Quarra Brisla Oster Lumme Corran",
        "dene moss lock wick mere stow rin vane",
    ),
    ("ES", "IT"): (
        "Encina Monteva Valdor Collemi Pratolu Velma Sierro Alborve",
        "mar dora rica lume vela luz",
    ),
    ("DE", "NL", "PL"): ("Heidra Nordwal Elbtal Zielmo Lerchwa Osthel Brenka", "tal rath beck ow"),
    ("SE", "NO", "DK", "FI"): ("Fjelldra Hvalstro Skovla Isbre Torrvi Lyngha", "sund vik dal nes"),
}
_ROOTS_OF = {
    country: (_parts(first), _parts(second))
    for countries, (first, second) in _COMPANY_ROOTS.items()
    for country in countries
}

FIRST_NAMES = {
    "GB": "Alice Callum Priti Gareth Imogen Kwame Morag Rhys Saoirse Theo Yasmin Edmund",
    "IE": "Aoife Ciarán Niamh Oisín Róisín Declan Gráinne Eoin",
    "ES": "Lucía Álvaro Inés Gonzalo Marta Rubén Pilar Íñigo",
    "IT": "Chiara Matteo Giulia Davide Elena Pietro Silvia Luca",
    "DE": "Annika Jonas Katrin Moritz Lena Henrik Sabine Tobias",
    "PL": "Agnieszka Paweł Kinga Marcin Zofia Krzysztof Ewa Bartosz",
    "NL": "Sanne Daan Femke Joost Lotte Ruben Marijke Thijs",
    "SE": "Elsa Nils Karin Oskar Maja Gustav",
    "NO": "Ingrid Sindre Solveig Håkon Tuva Eirik",
    "DK": "Freja Mads Signe Rasmus Astrid Jeppe",
    "FI": "Aino Eero Helmi Mikko Saara Otso",
}
LAST_NAMES = {
    "GB": "Ashworth Bevan Chowdhury Drummond Ellery Farquhar Goddard Holroyd Iqbal Jessop "
    "Kettlewell Lockhart Mensah Nairn Ogilvy Pargeter Quayle Rendell",
    "IE": "Brannigan Considine Dunphy Fallon Gilhooly Hanrahan Keaveney Tuohy",
    "ES": "Aldecoa Barreda Cifuentes Echeverría Fuenmayor Larrañaga Olmedo Sotomayor",
    "IT": "Bellandi Carraro Ferrante Locatelli Morandini Paternò Sabatini Tedeschi",
    "DE": "Ahlers Brandhorst Dierksen Eickhoff Kranich Lohmann Petersmeier Wiesner",
    "PL": "Adamczyk Borkowska Dąbek Gajewski Jaworska Mroczek Sobczak Wilk",
    "NL": "van Aalst Brouwer de Groote Hoekstra Kuiper Meijerink Terpstra Verhagen",
    "SE": "Almqvist Bergström Dahlgren Ekdahl Hedlund Norling",
    "NO": "Aasen Brekke Drangsholt Fossum Haugland Moen",
    "DK": "Bagge Dalsgaard Frandsen Holm Kjær Toft",
    "FI": "Aalto Heiskanen Kallio Laaksonen Nurmi Ruotsala",
}
_FIRST_NAMES = {country: names.split() for country, names in FIRST_NAMES.items()}
#: Two-word family names start with a small particle, which belongs to the word after it.
_LAST_NAMES = {
    country: names.replace("van ", "van\xa0").replace("de ", "de\xa0").split(" ")
    for country, names in LAST_NAMES.items()
}

JOB_TITLES = {
    "ceo": ["Chief executive", "Managing director"],
    "strategy-lead": ["Head of strategy", "Strategy director"],
    "platform-lead": ["Head of development platform", "Development director"],
    "deal-lead": ["Head of transactions", "Origination manager"],
    "finance-lead": ["Finance director", "Head of project finance"],
}


def company_name(rng: Random, kind: str, country: str, taken: set[str]) -> str:
    """A name that is not among ``taken`` (case-folded), to which it is added."""
    first, second = _ROOTS_OF[country]
    root = rng.choice(first) + rng.choice(second)
    trade = rng.choice(COMPANY_KINDS[kind][1])
    name = f"{root} {trade} {COMPANY_SUFFIX[country]}"
    while name.casefold() in taken:
        root += rng.choice(second)
        name = f"{root} {trade} {COMPANY_SUFFIX[country]}"
    taken.add(name.casefold())
    return name


def person_name(rng: Random, country: str) -> tuple[str, str]:
    first, last = rng.choice(_FIRST_NAMES[country]), rng.choice(_LAST_NAMES[country])
    return first, last.replace("\xa0", " ")
