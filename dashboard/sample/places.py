"""Real places to put invented projects near: inland towns well away from coasts and land borders,
and open-sea areas. Degrees north and east."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    name: str
    region: str
    country: str
    style: str
    latitude: float
    longitude: float


def _places(country: str, style: str, table: str) -> list[Place]:
    """``table`` has a line "name; region; latitude; longitude" for each place."""
    places = []
    for line in table.strip().splitlines():
        name, region, latitude, longitude = (part.strip() for part in line.split(";"))
        places.append(Place(name, region, country, style, float(latitude), float(longitude)))
    return places


ENGLAND = _places(
    "GB",
    "english",
    """
    Grantham; Lincolnshire; 52.912; -0.642
    Newark; Nottinghamshire; 53.077; -0.809
    Retford; Nottinghamshire; 53.322; -0.943
    Oakham; Rutland; 52.670; -0.730
    Melton Mowbray; Leicestershire; 52.764; -0.886
    Kettering; Northamptonshire; 52.396; -0.730
    Daventry; Northamptonshire; 52.257; -1.161
    Banbury; Oxfordshire; 52.063; -1.340
    Bicester; Oxfordshire; 51.900; -1.154
    Wantage; Oxfordshire; 51.589; -1.426
    Swindon; Wiltshire; 51.558; -1.782
    Devizes; Wiltshire; 51.352; -1.994
    Warminster; Wiltshire; 51.204; -2.181
    Shaftesbury; Dorset; 51.005; -2.193
    Yeovil; Somerset; 50.942; -2.633
    Tiverton; Devon; 50.903; -3.489
    Okehampton; Devon; 50.739; -4.004
    Evesham; Worcestershire; 52.093; -1.947
    Ludlow; Shropshire; 52.368; -2.718
    Oswestry; Shropshire; 52.830; -2.950
    Leominster; Herefordshire; 52.227; -2.739
    Stafford; Staffordshire; 52.806; -2.117
    Uttoxeter; Staffordshire; 52.898; -1.866
    Nantwich; Cheshire; 53.069; -2.522
    Skipton; North Yorkshire; 53.963; -2.017
    Thirsk; North Yorkshire; 54.233; -1.342
    Malton; North Yorkshire; 54.135; -0.797
    Selby; North Yorkshire; 53.783; -1.067
    Penrith; Cumbria; 54.664; -2.752
    Hexham; Northumberland; 54.971; -2.101
    Bishop Auckland; County Durham; 54.656; -1.677
    Ely; Cambridgeshire; 52.399; 0.262
    Thetford; Norfolk; 52.413; 0.749
    Dereham; Norfolk; 52.681; 0.940
    Stowmarket; Suffolk; 52.187; 0.997
    Braintree; Essex; 51.878; 0.550
    Saffron Walden; Essex; 52.022; 0.243
    Royston; Hertfordshire; 52.048; -0.024
    Bedford; Bedfordshire; 52.136; -0.467
    Tonbridge; Kent; 51.195; 0.274
    Horsham; West Sussex; 51.063; -0.327
    Alton; Hampshire; 51.149; -0.976
    """,
)
SCOTLAND = _places(
    "GB",
    "scots",
    """
    Peebles; Scottish Borders; 55.651; -3.189
    Hawick; Scottish Borders; 55.422; -2.787
    Sanquhar; Dumfries and Galloway; 55.368; -3.926
    Moffat; Dumfries and Galloway; 55.333; -3.443
    Lanark; South Lanarkshire; 55.674; -3.777
    Cumnock; East Ayrshire; 55.453; -4.265
    Crieff; Perth and Kinross; 56.372; -3.840
    Pitlochry; Perth and Kinross; 56.704; -3.732
    Huntly; Aberdeenshire; 57.447; -2.787
    Alford; Aberdeenshire; 57.233; -2.701
    Grantown-on-Spey; Highland; 57.330; -3.610
    Kingussie; Highland; 57.081; -4.052
    Lairg; Highland; 58.024; -4.402
    """,
)
WALES = _places(
    "GB",
    "welsh",
    """
    Brecon; Powys; 51.948; -3.391
    Builth Wells; Powys; 52.150; -3.404
    Llandrindod Wells; Powys; 52.241; -3.378
    Welshpool; Powys; 52.660; -3.147
    Bala; Gwynedd; 52.911; -3.597
    Merthyr Tydfil; Merthyr Tydfil; 51.748; -3.378
    """,
)
NORTHERN_IRELAND = _places(
    "GB",
    "irish",
    """
    Omagh; County Tyrone; 54.600; -7.300
    Dungannon; County Tyrone; 54.503; -6.770
    Ballymena; County Antrim; 54.864; -6.276
    """,
)
IRELAND = _places(
    "IE",
    "irish",
    """
    Athlone; Westmeath; 53.423; -7.941
    Tullamore; Offaly; 53.274; -7.489
    Longford; Longford; 53.727; -7.793
    Portlaoise; Laois; 53.034; -7.299
    Thurles; Tipperary; 52.682; -7.802
    Mallow; Cork; 52.135; -8.645
    Roscommon; Roscommon; 53.628; -8.189
    Carlow; Carlow; 52.841; -6.926
    """,
)
SPAIN = _places(
    "ES",
    "spanish",
    """
    Ciudad Real; Castilla-La Mancha; 38.986; -3.927
    Albacete; Castilla-La Mancha; 38.994; -1.858
    Cuenca; Castilla-La Mancha; 40.070; -2.137
    Mérida; Extremadura; 38.916; -6.344
    Cáceres; Extremadura; 39.476; -6.372
    Zaragoza; Aragón; 41.649; -0.889
    Teruel; Aragón; 40.345; -1.106
    Huesca; Aragón; 42.136; -0.409
    Soria; Castilla y León; 41.766; -2.479
    Burgos; Castilla y León; 42.344; -3.697
    Palencia; Castilla y León; 42.010; -4.531
    Zamora; Castilla y León; 41.503; -5.744
    Écija; Andalucía; 37.541; -5.083
    Úbeda; Andalucía; 38.013; -3.371
    Antequera; Andalucía; 37.019; -4.560
    Lleida; Cataluña; 41.618; 0.620
    Lugo; Galicia; 43.012; -7.556
    """,
)
ITALY = _places(
    "IT",
    "italian",
    """
    Foggia; Puglia; 41.462; 15.545
    Altamura; Puglia; 40.828; 16.553
    Potenza; Basilicata; 40.640; 15.805
    Benevento; Campania; 41.130; 14.782
    Caltanissetta; Sicilia; 37.490; 14.062
    Enna; Sicilia; 37.567; 14.279
    Nuoro; Sardegna; 40.321; 9.330
    Viterbo; Lazio; 42.418; 12.105
    L'Aquila; Abruzzo; 42.350; 13.399
    Siena; Toscana; 43.319; 11.331
    Cremona; Lombardia; 45.133; 10.022
    Alessandria; Piemonte; 44.913; 8.615
    """,
)
GERMANY = _places(
    "DE",
    "german",
    """
    Neuruppin; Brandenburg; 52.924; 12.803
    Cottbus; Brandenburg; 51.756; 14.333
    Stendal; Sachsen-Anhalt; 52.606; 11.859
    Magdeburg; Sachsen-Anhalt; 52.121; 11.628
    Güstrow; Mecklenburg-Vorpommern; 53.794; 12.175
    Uelzen; Niedersachsen; 52.965; 10.561
    Celle; Niedersachsen; 52.625; 10.082
    Paderborn; Nordrhein-Westfalen; 51.719; 8.757
    Fulda; Hessen; 50.555; 9.680
    Regensburg; Bayern; 49.013; 12.101
    Ansbach; Bayern; 49.300; 10.572
    Ulm; Baden-Württemberg; 48.401; 9.987
    Simmern; Rheinland-Pfalz; 49.983; 7.517
    """,
)
POLAND = _places(
    "PL",
    "polish",
    """
    Piła; Wielkopolskie; 53.151; 16.738
    Konin; Wielkopolskie; 52.223; 18.251
    Łowicz; Łódzkie; 52.107; 19.945
    Płock; Mazowieckie; 52.546; 19.706
    Olsztyn; Warmińsko-mazurskie; 53.778; 20.480
    Opole; Opolskie; 50.675; 17.921
    Legnica; Dolnośląskie; 51.207; 16.155
    Szczecinek; Zachodniopomorskie; 53.708; 16.699
    """,
)
NETHERLANDS = _places(
    "NL",
    "dutch",
    """
    Assen; Drenthe; 52.993; 6.562
    Zwolle; Overijssel; 52.517; 6.083
    Ede; Gelderland; 52.040; 5.665
    Tilburg; Noord-Brabant; 51.560; 5.091
    """,
)
NORDICS = [
    *_places(
        "SE",
        "swedish",
        """
        Växjö; Kronoberg; 56.879; 14.806
        Jönköping; Jönköping; 57.783; 14.162
        Linköping; Östergötland; 58.411; 15.621
        Falun; Dalarna; 60.606; 15.626
        Östersund; Jämtland; 63.177; 14.636
        """,
    ),
    *_places(
        "NO",
        "norwegian",
        """
        Hamar; Innlandet; 60.795; 11.068
        Lillehammer; Innlandet; 61.115; 10.466
        Kongsberg; Buskerud; 59.669; 9.650
        """,
    ),
    *_places(
        "DK",
        "danish",
        """
        Viborg; Midtjylland; 56.453; 9.402
        Herning; Midtjylland; 56.136; 8.976
        """,
    ),
    *_places(
        "FI",
        "finnish",
        """
        Jyväskylä; Keski-Suomi; 62.243; 25.747
        Seinäjoki; Etelä-Pohjanmaa; 62.790; 22.840
        Kajaani; Kainuu; 64.227; 27.728
        """,
    ),
]

SEA = [
    *_places(
        "GB",
        "sea",
        """
        Dogger Bank; North Sea; 54.850; 1.950
        Outer Silver Pit; North Sea; 54.050; 2.000
        Norfolk Banks; North Sea; 53.250; 2.350
        Outer Thames Estuary; North Sea; 51.800; 2.000
        Outer Moray Firth; North Sea; 58.150; -2.450
        Outer Firth of Forth; North Sea; 56.350; -1.550
        Morecambe Bay approaches; Irish Sea; 53.950; -3.850
        Pembroke approaches; Celtic Sea; 51.250; -5.900
        """,
    ),
    *_places("IE", "sea", "Waterford approaches; Celtic Sea; 51.750; -7.200"),
    *_places("NL", "sea", "Broad Fourteens; North Sea; 52.800; 3.700"),
    *_places(
        "DE",
        "sea",
        """
        German Bight; North Sea; 54.350; 6.500
        Arkona Basin; Baltic Sea; 54.850; 13.900
        """,
    ),
    *_places("PL", "sea", "Słupsk Furrow; Baltic Sea; 55.050; 17.000"),
    *_places("DK", "sea", "Horns Reef; North Sea; 55.550; 7.200"),
    *_places("NO", "sea", "Utsira Height; North Sea; 59.250; 4.450"),
    *_places("SE", "sea", "Southern Gotland; Baltic Sea; 56.500; 18.400"),
]

LAND = [
    *ENGLAND,
    *SCOTLAND,
    *WALES,
    *NORTHERN_IRELAND,
    *IRELAND,
    *SPAIN,
    *ITALY,
    *GERMANY,
    *POLAND,
    *NETHERLANDS,
    *NORDICS,
]

#: Where each technology is looked for, with a weight for each group of places.
SEARCH_AREAS = {
    "solar": [(ENGLAND, 9), (WALES, 1), (IRELAND, 1), (SPAIN, 5), (ITALY, 3), (GERMANY, 2),
              (POLAND, 2), (NETHERLANDS, 1)],
    "onshore-wind": [(SCOTLAND, 7), (WALES, 2), (NORTHERN_IRELAND, 1), (IRELAND, 2), (SPAIN, 2),
                     (GERMANY, 2), (POLAND, 1), (NORDICS, 4)],
    "offshore-wind": [(SEA, 1)],
    "bess": [(ENGLAND, 8), (SCOTLAND, 3), (WALES, 1), (IRELAND, 1), (ITALY, 2), (GERMANY, 3),
             (NETHERLANDS, 1), (NORDICS, 1)],
}  # fmt: skip
