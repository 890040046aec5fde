"""Which entry of a register a record of ours is: names, numbers, places and doubts."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pipelines.registers.adapters.base import Entry
from pipelines.registers.matching.blocking import Index, distance_km
from pipelines.registers.matching.companies import parse_operators
from pipelines.registers.matching.deciding import Band, propose
from pipelines.registers.matching.normalising import parse_name
from pipelines.registers.matching.reasons import reasons
from pipelines.registers.matching.subjects import Ours, subject_of_entry, subject_of_ours

PARENTS = {"onshore-wind": "wind", "offshore-wind": "wind"}

ENTRY = Entry(
    key="1",
    name="Harrowden Grange Solar Farm",
    operator="Birch Energy Limited",
    technology="solar",
    capacity_mw=Decimal("20"),
    basis="ac",
    latitude=Decimal("52.30"),
    longitude=Decimal("-0.70"),
    country="GB",
    raw_status="Operational",
)

OURS = Ours(
    kind="facility",
    id=7,
    name="Harrowden Grange",
    technologies=frozenset(["solar"]),
    capacity_mw=Decimal("21"),
    latitude=Decimal("52.31"),
    longitude=Decimal("-0.71"),
    country="GB",
)


def others(number: int = 300) -> list[Entry]:
    """Entries of other names, all over the country."""
    return [
        replace(
            ENTRY,
            key=f"other-{one}",
            name=f"Moor{chr(97 + one % 26)}{chr(97 + one // 26)} End Solar Farm",
            operator=f"Company {one} Limited",
            latitude=Decimal(50) + Decimal(one) / 50,
            longitude=Decimal(one % 17) / 4 - 3,
            capacity_mw=Decimal(5 + one % 40),
        )
        for one in range(number)
    ]


def proposals(ours: Ours, *entries: Entry, **options):
    index = Index([subject_of_entry(one) for one in (*entries, *others())], PARENTS)
    return propose([subject_of_ours(ours)], index, **options)[ours.kind, ours.id]


def test_the_entry_of_one_name_near_by_is_sure():
    first = proposals(OURS, ENTRY)[0]
    assert (first.entry.key, first.band) == ("1", Band.SURE)


@pytest.mark.parametrize(
    "name",
    [
        "Grange Harrowden",
        "Harrowdne Grange",
        "Harowden Grange PV",
        "Solar Park at Harrowden Grange",
    ],
)
def test_fillers_order_and_a_typing_error_do_not_hide_the_entry(name):
    assert proposals(replace(OURS, name=name), ENTRY)[0].entry.key == "1"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Harrowden Grange SPV 154", "Harrowden Grange SPV 175"),
        ("Harrowden Grange II", "Harrowden Grange III"),
        ("Harrowden Grange Phase 2", "Harrowden Grange"),
        ("Harrowden Grange Extension", "Harrowden Grange"),
        ("Harrowden Grange Extesnion", "Harrowden Grange"),
        ("Harrowden Grange North", "Harrowden Grange South"),
        ("Harrowden Grange B", "Harrowden Grange A"),
    ],
)
def test_names_with_other_numbers_or_phases_are_never_accepted_alone(ours, theirs):
    found = proposals(replace(OURS, name=ours), replace(ENTRY, name=theirs))
    assert all(one.band is not Band.SURE for one in found)


def test_numerals_and_digits_are_the_same_number():
    assert parse_name("Mooshof II").numbers == parse_name("Mooshof 2").numbers == {"2"}
    assert parse_name("Speichersdorf 17,5 MWp").numbers == frozenset()


def test_umlauts_and_spaces_are_spelt_in_any_way():
    assert parse_name("Süd-Höhe").key == parse_name("Sued Hoehe").key
    found = proposals(replace(OURS, name="Betty Hill"), replace(ENTRY, name="Bettyhill Wind Farm"))
    assert found[0].entry.key == "1"


def test_of_two_entries_that_are_as_good_none_is_accepted():
    found = proposals(OURS, ENTRY, replace(ENTRY, key="2"))
    assert {one.entry.key for one in found} == {"1", "2"}
    assert all(one.band is not Band.SURE for one in found)


def test_one_entry_is_sure_for_one_record_only():
    index = Index([subject_of_entry(one) for one in (ENTRY, *others())], PARENTS)
    both = [subject_of_ours(OURS), subject_of_ours(replace(OURS, id=8))]
    found = propose(both, index)
    assert [found["facility", one][0].band for one in (7, 8)] == [Band.LIKELY, Band.LIKELY]


def test_a_battery_beside_a_solar_park_is_another_facility():
    found = proposals(OURS, replace(ENTRY, technology="bess", name="Harrowden Grange"))
    assert all(one.band is not Band.SURE for one in found)


def test_wind_agrees_with_onshore_wind_but_onshore_not_with_offshore():
    entry = replace(ENTRY, technology="onshore-wind")
    for code, agrees in (("wind", True), ("onshore-wind", True), ("offshore-wind", False)):
        found = proposals(replace(OURS, technologies=frozenset([code])), entry)
        weight = found[0].weights.technology if found else -1
        assert (weight > 0) is agrees


def test_a_refused_pair_is_not_proposed_again():
    assert proposals(OURS, ENTRY, refused={("facility", 7): {"1"}}) == []


def test_equal_fields_are_paired_without_scores():
    twin = replace(OURS, name=ENTRY.name, latitude=ENTRY.latitude, longitude=ENTRY.longitude)
    first = proposals(replace(twin, capacity_mw=ENTRY.capacity_mw), ENTRY)[0]
    assert first.is_exact and first.band is Band.SURE


def test_an_entry_of_another_country_is_no_candidate():
    assert proposals(replace(OURS, country="IE"), ENTRY) == []


@pytest.mark.parametrize("capacity", [None, Decimal(0), Decimal("-40")])
def test_a_capacity_that_is_no_size_is_not_compared(capacity):
    found = proposals(OURS, replace(ENTRY, capacity_mw=capacity))[0]
    assert found.entry.key == "1" and found.weights.capacity == 0


def test_a_private_individual_is_no_operator():
    entry = replace(ENTRY, operator="Private individual", is_private=True)
    assert subject_of_entry(entry).operators == ()


def test_former_names_and_several_companies_of_a_cell_are_told_apart():
    found = parse_operators("Alder Power Ltd (formerly Elm Wind Limited) / Oak GmbH")
    assert [one.key for one in found] == ["alder power", "elm wind", "oak"]
    assert parse_operators("Private Developer") == ()


def test_reasons_are_five_at_most_and_the_heaviest_first():
    found = reasons(proposals(replace(OURS, counterparties=("Birch Energy",)), ENTRY)[0])
    weights = [abs(one.weight) for one in found]
    assert len(found) <= 5 and weights == sorted(weights, reverse=True)
    assert "The names have the same words." in [one.text for one in found]


def test_distance_is_along_the_ground():
    assert distance_km((52.0, 0.0), (53.0, 0.0)) == pytest.approx(111.2, abs=0.1)
