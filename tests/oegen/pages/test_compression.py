"""What a browser loads is compressed, and its length gives no secret away."""

import gzip

import pytest
from django.urls import reverse

from pipelines.models import PipelineFacility
from tests.support.builders import make_facility, make_pipeline

GZIP = {"Accept-Encoding": "gzip, br"}


@pytest.fixture
def places(db):
    pipeline = make_pipeline("Gannet Swell")
    for number in range(5):
        facility = make_facility(f"Place {number}", latitude="52.5", longitude="-1.9")
        PipelineFacility.objects.create(pipeline=pipeline, facility=facility)


@pytest.mark.parametrize(
    ("name", "query"), [("facilities", ""), ("facilities", "?download=csv"), ("map-data", "")]
)
def test_pages_and_data_are_compressed(as_manager, places, name, query):
    address = reverse(name) + query
    plain = as_manager.get(address)
    compressed = as_manager.get(address, headers=GZIP)
    assert "Content-Encoding" not in plain
    assert compressed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in compressed["Vary"]
    assert b"Place 4" in gzip.decompress(compressed.getvalue())


def test_a_workbook_is_not_compressed_twice(as_manager, places):
    answer = as_manager.get(reverse("facilities") + "?download=xlsx", headers=GZIP)
    assert "spreadsheetml" in answer["Content-Type"]
    assert "Content-Encoding" not in answer


def test_equal_answers_differ_in_length(as_manager, places):
    answers = [as_manager.get(reverse("map-data"), headers=GZIP) for _ in range(8)]
    assert len({gzip.decompress(answer.content) for answer in answers}) == 1
    assert len({len(answer.content) for answer in answers}) > 1
