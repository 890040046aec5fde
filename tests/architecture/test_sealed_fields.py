"""What old seals cover has to stay as it is, or nobody can verify them: labels, tables, fields and
columns of every history table, the triggers that protect them, and the stored words that they use.

``sealed_fields.json`` keeps them as data. What is in it is never renamed or dropped.

A new model or field makes the test fail until it is added there: a model with its fields as
``fields``, a field of a model that is there as ``added``. Empty values are left out of a digest, so
only a nullable column, or a text that may be blank, each without a default, leaves old digests as
they are.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from django.apps import apps
from django.db import models

from oegen import audit
from oegen.audit import seals
from oegen.models import ChangeSet, Comment
from pipelines.models import Facility

KEPT = json.loads((Path(__file__).parent / "sealed_fields.json").read_text())

MODELS = {model._meta.label_lower: model for model in audit.tracked_models()}
HISTORIES = {
    history._meta.label_lower: history for history in map(audit.history_model, MODELS.values())
}


def columns_of(model) -> dict[str, str]:
    """What a digest of the model's rows covers: each attribute with its column."""
    return {field.attname: field.column for field in seals.sealed_fields(model)}


def facts_of(history) -> dict:
    return {
        "table": history._meta.db_table,
        "records": history.instance_type._meta.db_table,
        "fields": columns_of(history),
        "added": {},
    }


def test_every_history_table_is_in_the_file():
    missing = {
        label: facts_of(history) for label, history in HISTORIES.items() if label not in KEPT
    }
    assert not missing, f"Add to sealed_fields.json: {json.dumps(missing, indent=2)}"


@pytest.mark.parametrize("label", sorted(set(KEPT) - {"oegen.changeset", "stored"}))
def test_what_old_digests_cover_is_as_it_was(label):
    history = apps.get_model(label)
    kept, now = KEPT[label], facts_of(history)
    assert (now["table"], now["records"]) == (kept["table"], kept["records"])
    columns = kept["fields"] | kept["added"]
    assert {name: now["fields"].get(name) for name in columns} == columns, (
        f"{label}: a field or column that old seals cover was renamed or dropped. Put it back."
    )
    new = now["fields"].keys() - columns
    assert not new, f"{label}: add {sorted(new)} to “added” in sealed_fields.json."
    for name in kept["added"]:
        field = next(one for one in history._meta.concrete_fields if one.attname == name)
        is_text = isinstance(field, models.CharField | models.TextField)
        assert (field.null or (is_text and field.blank)) and not field.has_default(), (
            f"{label}.{name} is newer than digests that have no such value: let it be nullable, "
            "or a text that may be blank, without a default."
        )


def test_the_change_set_has_what_its_seal_covers():
    columns = {field.attname: field.column for field in ChangeSet._meta.concrete_fields}
    kept = KEPT["oegen.changeset"]
    assert ChangeSet._meta.db_table == kept["table"]
    known = kept["fields"] | kept["added"]
    assert {name: columns.get(name) for name in known} == known


def test_stored_words_stay():
    """A digest holds the stored value, so a value that is no longer a choice stays one."""
    assert set(KEPT["stored"]["source"]) <= set(audit.Source.values)
    assert set(KEPT["stored"]["history_type"]) == {audit.CREATED, audit.CHANGED, audit.REMOVED}
    for label, values in KEPT["stored"]["choices"].items():
        model_label, _, name = label.rpartition(".")
        field = apps.get_model(model_label)._meta.get_field(name)
        gone = set(values) - {str(value) for value, _ in field.flatchoices}
        assert not gone, f"{label} no longer knows {sorted(gone)}, which old entries hold."


WHEN = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
ROW = {
    "id": UUID(int=7),
    "created_at": WHEN,
    "modified_at": WHEN,
    "change_set_id": UUID(int=1),
    "history_date": WHEN,
}


def test_seals_of_the_first_format_are_what_they_were():
    """The digests were made before there was a second format."""
    comment = Comment.history.model(
        **ROW,
        version=2,
        object_id=UUID(int=9),
        text="Said",
        author_id=3,
        content_type_id=11,
        history_change_reason="",
        history_type="~",
        history_user_id=3,
    )
    facility = Facility.history.model(
        **ROW,
        version=1,
        name="Plant",
        technology_id=UUID(int=4),
        capacity_mw=Decimal("12.5"),
        history_change_reason="Why",
        history_type="+",
    )
    change_set = ChangeSet(
        id=UUID(int=1),
        person_id=3,
        reason="Why",
        source="form",
        recorded_at=WHEN,
        number=5,
        sealed_at=WHEN,
        contents={"oegen.historicalcomment": [1, "ab"]},
    )
    assert [seals.digest_of(row, 1) for row in (comment, facility)] == [
        "4112d23745f3217cbce9e781ef65165f8546dedad22793865e12d86ae7d87095",
        "acb16036b239721dc0a5fce10c5549e6923d093d197cb9b38c6f23d97a31de3b",
    ]
    assert seals.seal_of(change_set, seals.START) == (
        "f64f56660166c4d11e9e0b69f2913d4336ebe30beb004cd8d9fbaa1f43bb2274"
    )


def test_seals_of_the_second_format_are_what_they_were():
    """The seal was made before change sets had a token."""
    change_set = ChangeSet(
        id=UUID(int=1),
        person_id=3,
        reason="Why",
        source="form",
        recorded_at=WHEN,
        number=5,
        sealed_at=WHEN,
        contents={"oegen.historicalcomment": [1, "ab"]},
        details={"merged": {"a": "b"}},
        seal_format=2,
        person_username="priya",
        person_name="Priya Shah",
    )
    assert (
        seals.seal_of(change_set, seals.START)
        == "c41afa0f0a60cb9538b8850385bc95d013625f8938c7e297ac2c989f9ed3b274"
    )
