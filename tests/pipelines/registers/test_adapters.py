"""What the adapters make of rows: the traps of each register, in small invented files."""

from datetime import date
from decimal import Decimal

import pytest

from oegen.imports.tables.reading import UnreadableFileError
from pipelines.registers.adapters.base import PRIVATE_INDIVIDUAL, Unreadable
from pipelines.registers.adapters.declared import read_declared
from pipelines.registers.adapters.links import named_day
from pipelines.registers.adapters.mastr import MASTR
from pipelines.registers.adapters.operators import (
    ShownOperator,
    company_key,
    shown_operator,
    split_operators,
)
from pipelines.registers.adapters.people import may_be_person
from pipelines.registers.adapters.repd import REPD
from pipelines.registers.adapters.tec import TEC
from tests.support.registers import REPD_HEADINGS, repd_rows, write_table

ON = date(2025, 1, 31)


def repd(tmp_path, *changes, **how):
    path = write_table(tmp_path / "repd.csv", repd_rows(*changes), **how)
    return list(REPD.read(path, ON))


def one(tmp_path, **changes):
    [entry] = repd(tmp_path, {name.replace("_", " "): text for name, text in changes.items()})
    return entry


def test_usual_row_of_repd(tmp_path):
    entry = one(tmp_path)
    assert (entry.key, entry.name, entry.operator) == (
        "101",
        "Kestrel Moor Solar Farm",
        "Larch Energy Ltd",
    )
    assert (entry.technology, entry.capacity_mw, entry.basis) == ("solar", 40, "ac")
    assert (entry.stage, entry.outcome, entry.country) == ("design", "active", "GB")
    assert (round(entry.latitude, 2), round(entry.longitude, 2)) == (
        Decimal("53.90"),
        Decimal("-1.70"),
    )
    assert entry.dates == {"submitted": date(2023, 3, 14)}
    assert entry.remarks == ()


@pytest.mark.parametrize(
    ("status", "expires", "stage", "outcome"),
    [
        ("application SUBMITTED", "", "design", "active"),
        ("Awaiting Construction", "31/01/2025", "procurement", "active"),
        ("Awaiting Construction", "30/01/2025", "procurement", "on-hold"),
        ("Awaiting Construction", "PANR", "procurement", "active"),
        ("Operational", "", "completed", "built"),
        ("Decommissioned", "", "", "gone"),
        ("Appeal Refused", "", "", "refused"),
        ("Revised", "", "", "superseded"),
    ],
)
def test_status_of_repd_gives_stage_and_outcome(tmp_path, status, expires, stage, outcome):
    [entry] = repd(
        tmp_path,
        {"Development Status (short)": status, "Planning Permission Expired": expires},
    )
    assert (entry.stage, entry.outcome, entry.raw_status) == (stage, outcome, status)
    assert entry.remarks == ()


def test_unknown_status_is_kept_and_remarked(tmp_path):
    [entry] = repd(tmp_path, {"Development Status (short)": "On the moon"})
    assert (entry.raw_status, entry.stage, entry.outcome) == ("On the moon", "", "active")
    assert "“On the moon” is not known here" in entry.remarks[0]


@pytest.mark.parametrize(
    ("x", "y"),
    [("\t420000", "445000\u00a0"), ("420000\ufffd", " 445,000"), ("53.902", "-1.697")],
)
def test_point_is_found_through_stray_signs_and_swapped_degrees(tmp_path, x, y):
    [entry] = repd(tmp_path, {"X-coordinate": x, "Y-coordinate": y})
    assert (round(entry.latitude, 1), round(entry.longitude, 1)) == (
        Decimal("53.9"),
        Decimal("-1.7"),
    )


@pytest.mark.parametrize(("x", "y"), [("", ""), ("0", "0"), ("420000", ""), ("99999999", "1")])
def test_point_that_is_none_stays_empty(tmp_path, x, y):
    [entry] = repd(tmp_path, {"X-coordinate": x, "Y-coordinate": y})
    assert (entry.latitude, entry.longitude) == (None, None)


def test_days_of_excel_and_words_among_days(tmp_path):
    [entry] = repd(
        tmp_path,
        {
            "Planning Permission Granted": "45000",
            "Appeal Granted": "01/01/1900",
            "Under Construction": "Implemented",
            "Operational": "NA",
        },
    )
    assert entry.dates == {"submitted": date(2023, 3, 14), "consented": date(2023, 3, 15)}
    assert entry.remarks == ("“01/01/1900” in Appeal Granted can't be meant.",)


def test_shifted_columns_are_left_out_and_remarked(tmp_path):
    [entry] = repd(tmp_path, {"Heat Network Ref": "16/11/2017", "Storage Type": "15908"})
    assert len(entry.remarks) == 2
    assert not {"Heat Network Ref", "Storage Type"} & entry.raw.keys()


def test_odd_rows_are_kept(tmp_path):
    nameless, formula, empty = repd(
        tmp_path,
        {"Site Name": " ", "Address": "Old Mill\nOtley"},
        {"Ref ID": "102", "Site Name": "Application Submitted+W10183:X10183"},
        {"Ref ID": "103", "Installed Capacity (MWelec)": "  "},
    )
    assert nameless.name == "Old Mill"
    assert formula.remarks == ("The name is a formula of a spreadsheet.",)
    assert empty.capacity_mw is None


def test_repeated_reference_gets_a_key_of_its_own(tmp_path):
    first, second = repd(tmp_path, {}, {"Site Name": "Another"})
    assert (first.key, second.key) == ("101", "101#2")
    assert second.remarks == ("Another row of the edition has the reference 101, too.",)


def test_row_without_reference_or_with_too_few_cells_is_rejected_with_its_reason(tmp_path):
    path = write_table(tmp_path / "repd.csv", repd_rows({"Ref ID": ""}, {}))
    with path.open("a") as file:
        file.write("1,2\n")
    missing, entry, short = REPD.read(path, ON)
    assert isinstance(missing, Unreadable)
    assert "no Ref ID" in missing.reason
    assert entry.key == "101"
    assert "The row has 2 cells" in short.reason


def test_headings_drift_and_encodings_differ_without_changing_an_entry(tmp_path):
    rows = repd_rows({"Site Name": "Muir Mhòr"})
    usual = list(REPD.read(write_table(tmp_path / "one.csv", rows), ON))
    names = {"Installed Capacity (MWelec)": "Installed  capacity", "Ref ID": "REF ID "}
    headings = [names.get(name, name) for name in reversed(REPD_HEADINGS)] + [""] * 3
    renamed = [{names.get(name, name): text for name, text in row.items()} for row in rows]
    other = write_table(
        tmp_path / "two.csv", renamed, headings, encoding="cp1252", end="\r\n", delimiter=";"
    )
    assert list(REPD.read(other, ON)) == usual


def test_lost_letters_and_bytes_of_another_encoding_are_kept_and_remarked(tmp_path):
    [entry] = repd(tmp_path, {"Site Name": "Muir M\ufffdr"})
    assert entry.name == "Muir M\ufffdr"
    assert entry.remarks == ("A letter of Site Name was lost when the file was made.",)
    path = write_table(tmp_path / "repd.csv", repd_rows({"Site Name": "Caf\u00e9 Elm"}))
    path.write_bytes(path.read_bytes().replace(b"Elm", b"\x8dlm"))
    [entry] = REPD.read(path, ON)
    assert entry.name == "Caf\u00e9 \ufffdlm"


def test_carriage_return_inside_an_unquoted_cell_ends_no_row(tmp_path):
    first, second = repd(tmp_path, {"Operator (or Applicant)": "Larch\r"}, {"Ref ID": "102"})
    assert (first.operator, second.key) == ("Larch", "102")


def test_file_of_something_else_is_refused(tmp_path):
    path = write_table(tmp_path / "other.csv", [{"a": "1", "b": "2"}], ("a", "b"))
    with pytest.raises(UnreadableFileError, match="no column “Operator"):
        list(REPD.read(path, ON))


@pytest.mark.parametrize(
    "operator", ["Mrs A Birch", "Private Developer", "R V Astley", "John Larch", "W Elm & Sons"]
)
def test_private_individual_is_never_kept_by_name_or_place(tmp_path, operator):
    [entry] = repd(tmp_path, {"Operator (or Applicant)": operator, "Address": "7 Mill Lane"})
    assert (entry.operator, entry.is_private) == (PRIVATE_INDIVIDUAL, True)
    assert entry.place == "West Yorkshire"
    assert entry.latitude == round(entry.latitude, 2)
    kept = repr(entry)
    assert operator not in kept
    assert "Mill Lane" not in kept
    assert "LS21" not in kept


def test_rejected_row_of_a_private_individual_is_kept_without_name_and_place(tmp_path):
    [row] = repd(tmp_path, {"Ref ID": "", "Operator (or Applicant)": "Mrs A Birch"})
    assert "Birch" not in row.text
    assert "Kestrel" not in row.text
    assert "Solar Photovoltaics" in row.text


def test_private_individual_beside_a_company_is_left_out_of_the_operator(tmp_path):
    [entry] = repd(tmp_path, {"Operator (or Applicant)": "Larch Energy Ltd / John Birch"})
    assert (entry.operator, entry.is_private) == (f"Larch Energy Ltd / {PRIVATE_INDIVIDUAL}", False)
    assert "Birch" not in repr(entry)


@pytest.mark.parametrize(
    "name",
    [
        *("MS Power Projects Ltd", "J Pointon & Sons Ltd", "Lady Heyes Caravan Site", "RES", "EDF"),
        *("Grimbacher WP Brandberg GbR", "Windkraft Gerstner Gbr", "GbR Gittermast Schonach"),
    ],
)
def test_company_is_no_person(name):
    assert not may_be_person(name)


@pytest.mark.parametrize(
    "name",
    [
        *("Reinhard und Ulrike Birch GbR", "Ash/ Elm GbR", "Larch GbR", "Ulrich Larch UHNS e.K."),
        "GbR Hans-Peter und Ulrike von der Birch",
    ],
)
def test_partnership_of_persons_and_merchant_are_private_individuals(name):
    assert shown_operator(name) == ShownOperator(PRIVATE_INDIVIDUAL, is_private=True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Larch Sonne GmbH & Co. KG Herrn Florian Birch", "Larch Sonne GmbH & Co. KG"),
        ("Larch GmbH, z. Hd. Frau Birch / Elm AG", "Larch GmbH / Elm AG"),
        ("Larch Ltd c/o Birch Services Ltd", "Larch Ltd"),
        ("Larch (formerly Elm LLP c/o Birch)", "Larch (formerly Elm LLP)"),
        ("Hof Frau Holle Energie GmbH", "Hof Frau Holle Energie GmbH"),
    ],
)
def test_company_is_kept_without_whom_letters_go_to(text, shown):
    assert shown_operator(text).text == shown


def test_operators_are_split_with_their_former_names():
    text = "SSE/Equinor (formerly Statoil, formerly Forewind) / Larch T/A Birch Ltd"
    assert [(one.name, one.aliases) for one in split_operators(text)] == [
        ("SSE", ()),
        ("Equinor", ("Statoil", "Forewind")),
        ("Larch T/A Birch Ltd", ()),
    ]
    assert company_key("LARCH Energy, Limited") == company_key("Larch Energy Ltd.")


def test_tec_adds_what_is_connected_and_what_comes(tmp_path):
    headings = (
        *("Project Name", "Customer Name", "Connection Site", "Stage", "MW Connected"),
        *("MW Increase / Decrease", "Cumulative Total Capacity (MW)", "MW Effective From"),
        *("Project Status", "Plant Type", "Project ID"),
    )
    usual = {
        "Project Name": "Larch BESS",
        "Customer Name": "Larch Ltd",
        "Project ID": "a0",
        "MW Connected": "10",
        "MW Increase / Decrease": "20",
        "MW Effective From": "2033/10/31",
        "Cumulative Total Capacity (MW)": "30",
        "Project Status": "Scoping",
        "Plant Type": "Demand;Energy Storage System;PV Array (Photo Voltaic/solar)",
    }
    rows = [
        usual,
        {**usual, "Stage": "1", "Project Status": "Built", "Plant Type": "Energy Storage System"},
        {**usual, "Stage": "1", "MW Effective From": "2033-10-31"},
    ]
    first, built, again = TEC.read(write_table(tmp_path / "tec.csv", rows, headings), ON)
    assert (first.key, first.capacity_mw, first.technology) == ("a0", 30, "solar")
    assert (first.stage, first.dates) == ("discovery", {"grid": date(2033, 10, 31)})
    assert (built.key, built.outcome, built.technology) == ("a0/1/Built", "built", "bess")
    assert (again.key, again.dates) == ("a0/1/Scoping", first.dates)


MASTR_HEADINGS = (
    *("MaStR-Nr. der Einheit", "Anzeige-Name der Einheit", "Betriebs-Status", "Energieträger"),
    *("Bruttoleistung der Einheit", "Nettonennleistung der Einheit", "Lage der Einheit"),
    *("Registrierungsdatum der Einheit", "Bundesland", "Gemeinde", "Straße", "Hausnummer"),
    *("Flurstück", "Koordinate: Breitengrad (WGS84)", "Koordinate: Längengrad (WGS84)"),
    *("Name des Windparks", "Name des Anlagenbetreibers (nur Org.)"),
    *("\tMaStR-Nr. des Anlagenbetreibers", "MaStR-Nr. der Genehmigung"),
    "Datum der geplanten Inbetriebnahme",
)
TURBINE = {
    "MaStR-Nr. der Einheit": "SEE1",
    "Anzeige-Name der Einheit": "WEA 1",
    "Betriebs-Status": "In Planung",
    "Energieträger": "Wind",
    "Bruttoleistung der Einheit": "5700",
    "Nettonennleistung der Einheit": "5600,5",
    "Lage der Einheit": "Windkraft an Land",
    "Registrierungsdatum der Einheit": "1.2.2019",
    "Bundesland": "Baden-Württemberg",
    "Gemeinde": "Blumberg",
    "Flurstück": "1490/1",
    "Koordinate: Breitengrad (WGS84)": "47,88",
    "Koordinate: Längengrad (WGS84)": "8,59",
    "Name des Windparks": "Windpark Länge",
    "MaStR-Nr. der Genehmigung": "SGE1",
    "Name des Anlagenbetreibers (nur Org.)": "Lärche GmbH & Co. KG",
    "\tMaStR-Nr. des Anlagenbetreibers": "ABR1",
    "Datum der geplanten Inbetriebnahme": "1.10.2026",
}


def mastr(tmp_path, *changes):
    rows = [{**TURBINE, **change} for change in changes]
    path = write_table(
        tmp_path / "mastr.csv", rows, MASTR_HEADINGS, delimiter=";", encoding="utf-8-sig"
    )
    return list(MASTR.read(path, ON))


def test_nothing_that_is_kept_of_a_unit_names_whom_letters_go_to(tmp_path):
    operator = "Larch Solar GmbH Herrn Florian Birch"
    [project] = mastr(tmp_path, {"Name des Anlagenbetreibers (nur Org.)": operator})
    assert project.operator == "Larch Solar GmbH"
    assert "Birch" not in repr(project)


def test_turbines_of_a_park_are_one_project_across_operators_and_spellings(tmp_path):
    [project] = mastr(
        tmp_path,
        {},
        {
            "MaStR-Nr. der Einheit": "SEE0",
            "Registrierungsdatum der Einheit": "2.2.2019",
            "Name des Windparks": "WP_Länge",
            "\tMaStR-Nr. des Anlagenbetreibers": "ABR2",
            "Name des Anlagenbetreibers (nur Org.)": "Birke GmbH",
            "Koordinate: Breitengrad (WGS84)": "47,90",
            "Nettonennleistung der Einheit": "1",
        },
    )
    assert (project.key, project.name) == ("SEE1", "WP_Länge")
    assert project.operator == "Lärche GmbH & Co. KG / Birke GmbH"
    assert project.identifiers == {"units": "SEE0 SEE1", "operator_number": "ABR1 ABR2"}
    assert (project.capacity_mw, project.basis) == (Decimal("5.6015"), "ac")
    assert (project.stage, project.technology) == ("procurement", "onshore-wind")
    assert project.latitude == Decimal("47.89")
    assert project.dates == {"expected": date(2026, 10, 1)}


def test_far_or_otherwise_numbered_parks_and_gone_units_are_apart(tmp_path):
    far, second, rest = mastr(
        tmp_path,
        {"Koordinate: Breitengrad (WGS84)": "48,50"},
        {"MaStR-Nr. der Einheit": "SEE2", "Name des Windparks": "Windpark Länge II"},
        {
            "MaStR-Nr. der Einheit": "SEE3",
            "Name des Windparks": "",
            "Betriebs-Status": "In Betrieb",
        },
        {
            "MaStR-Nr. der Einheit": "SEE4",
            "Name des Windparks": "",
            "Betriebs-Status": "Endgültig stillgelegt",
        },
    )
    assert (far.key, second.key, rest.key) == ("SEE1", "SEE2", "SEE3")
    assert (rest.capacity_mw, rest.outcome) == (Decimal("5.6005"), "built")
    assert rest.remarks == ("2 units: 1 In Betrieb, 1 Endgültig stillgelegt.",)


def test_unit_without_organisation_is_a_private_individuals(tmp_path):
    [project] = mastr(
        tmp_path,
        {
            "Name des Anlagenbetreibers (nur Org.)": "",
            "Name des Windparks": "",
            "Anzeige-Name der Einheit": "Windrad Müller",
            "Straße": "Dorfstraße",
            "Hausnummer": "17",
            "Koordinate: Breitengrad (WGS84)": "47,881949",
        },
    )
    assert (project.operator, project.is_private) == (PRIVATE_INDIVIDUAL, True)
    assert project.latitude == Decimal("47.88")
    for text in ("Müller", "Dorfstraße", "1490/1", "47,88", "ABR1"):
        assert text not in repr(project)


def test_declared_register_needs_a_mapping_and_no_code(tmp_path, db):
    headings = ("Nr", "Proyecto", "Titular", "Tecnología", "Potencia", "Estado", "Fecha", "Otro")
    rows = [
        {
            "Nr": "7",
            "Proyecto": "Alcor",
            "Titular": "Solaria SA",
            "Tecnología": "Fotovoltaica",
            "Potencia": "49.900",
            "Estado": "Autorizado",
            "Fecha": "3/5/2024",
            "Otro": "x",
        },
        {"Nr": "7", "Proyecto": "Alcor"},
        {"Proyecto": "Mizar"},
    ]
    columns = {
        "Nr": ("reference", {}, {}),
        "Proyecto": ("name", {}, {}),
        "Titular": ("operator", {}, {}),
        "Tecnología": ("technology", {}, {"Fotovoltaica": "solar"}),
        "Potencia": ("capacity_mw", {"decimal": ",", "unit": "kW"}, {}),
        "Estado": ("status", {}, {"Autorizado": "consented"}),
        "Fecha": ("consented", {"order": "dmy"}, {}),
    }
    mapping = {
        "columns": [
            {"heading": heading, "field": field, "reading": reading, "values": values}
            for heading, (field, reading, values) in columns.items()
        ]
    }
    path = write_table(tmp_path / "register.csv", rows, headings, delimiter=";")
    entry, repeated, keyless = read_declared(path, ON, mapping, "ES")
    assert next(read_declared(path, ON, {**mapping, "source": ""}, "ES")) == entry
    assert (entry.key, entry.technology, entry.capacity_mw) == ("7", "solar", Decimal("49.9"))
    assert (entry.stage, entry.raw_status, entry.country) == ("procurement", "Autorizado", "ES")
    assert entry.dates == {"consented": date(2024, 5, 3)}
    assert "Otro" not in entry.raw
    assert "stands in line 2 already" in repeated.reason
    assert "no Nr" in keyless.reason
    with pytest.raises(UnreadableFileError, match="external reference"):
        list(read_declared(path, ON, {"columns": mapping["columns"][1:]}, "ES"))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("REPD: January 2025", date(2025, 1, 31)),
        ("repd-q4-2024.csv", date(2024, 12, 31)),
        ("repd-2024-07.csv", date(2024, 7, 31)),
        ("TEC 20241011", date(2024, 10, 11)),
        ("Register of 2024-02-30", None),
        ("register.csv", None),
    ],
)
def test_day_that_a_name_says(text, day):
    assert named_day(text) == day
