"""What is cached is computed once, however many threads ask for it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore

import pytest

from oegen.core import caching

#: In seconds; a test that waits so long has failed.
PATIENCE = 30


@pytest.mark.parametrize("cached", [caching.keep, caching.hold])
def test_threads_that_ask_for_the_same_compute_it_once(monkeypatch, cached):
    asked, computed = Semaphore(0), []
    computing = caching.computing

    def ask(key):
        asked.release()
        return computing(key)

    def compute():
        computed.append(1)
        for _ in range(2):
            assert asked.acquire(timeout=PATIENCE)  # The other thread has asked meanwhile.
        return "result"

    monkeypatch.setattr(caching, "computing", ask)
    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(cached, compute, "asked twice", cached.__name__) for _ in range(2)]
        assert [one.result(PATIENCE) for one in found] == ["result", "result"]
    assert len(computed) == 1


def test_after_an_error_the_next_computes():
    def fail():
        raise ValueError

    with pytest.raises(ValueError):
        caching.keep(fail, "fails at first")
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(caching.keep, lambda: "result", "fails at first")
        assert found.result(PATIENCE) == "result"


def test_without_the_cache_every_thread_computes():
    with caching.uncached(), caching.computing("key"), ThreadPoolExecutor(1) as pool:
        found = pool.submit(caching.keep, lambda: "result", "not waited for")
        assert found.result(PATIENCE) == "result"
        assert caching.keep(lambda: "anew", "not waited for") == "anew"
