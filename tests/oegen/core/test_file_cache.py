"""The cache in files."""

import time

import pytest

from oegen.core import file_cache
from oegen.core.file_cache import FileCache


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(file_cache, "WRITES_PER_CULL", 1)
    return FileCache(str(tmp_path), {"OPTIONS": {"MAX_ENTRIES": 6}})


def test_what_is_read_often_is_not_lost_to_what_is_written_often(cache):
    cache.set("sums", "of all pipelines")
    for number in range(40):
        cache.set(f"page-{number}", number)
        time.sleep(0.01)  # File systems know no shorter times.
        assert cache.get("sums") == "of all pipelines"
    assert cache.get("page-39") == 39
    assert cache.get("page-0", "gone") == "gone"


def test_nothing_found_is_the_default(cache):
    cache.set("nothing", None)
    assert cache.get("nothing", "default") is None
    assert cache.get("unknown", "default") == "default"
