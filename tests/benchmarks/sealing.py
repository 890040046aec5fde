"""What sealing adds to a save: ``python -m tests.benchmarks.sealing [--rounds 30]``.

Writes with the real seals and with ones that number and write the change set but hash, tally and
lock nothing, in turns in one run, so that a busy machine slows both alike. Run against a database
of its own (DATABASE_URL) that ``migrate`` has made: it stays behind with what was written.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager

import django


@contextmanager
def unsealed():
    """Change sets are numbered and written; nothing is hashed, tallied or locked."""
    from django.utils import timezone

    from oegen.audit import seals

    def number_only(model, change_sets, tables):
        newest = model._base_manager.order_by("-number").values_list("number", flat=True).first()
        for number, change_set in enumerate(change_sets, (newest or 0) + 1):
            change_set.number, change_set.sealed_at = number, timezone.now()
            change_set.contents, change_set.seal = {}, ""
        model._base_manager.bulk_create(change_sets)

    real = seals.close, seals.digest_of
    seals.close, seals.digest_of = number_only, lambda row: ""
    try:
        yield
    finally:
        seals.close, seals.digest_of = real


def timed(work) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def compare(name: str, rounds: int, work) -> None:
    """The medians of both ways and of the differences of their pairs, each way first in turn."""
    sealed, bare = [], []
    for turn in range(rounds + 1):
        for is_sealed in (turn % 2 == 0, turn % 2 == 1):
            if is_sealed:
                sealed.append(timed(work))
            else:
                with unsealed():
                    bare.append(timed(work))
    sealed, bare = sealed[1:], bare[1:]  # The first of each warms up.
    with_seal, without = statistics.median(sealed), statistics.median(bare)
    added = statistics.median(one - other for one, other in zip(sealed, bare, strict=True))
    say(name, with_seal, without, added / with_seal)


def say(name: str, with_seal: float, without: float, share: float) -> None:
    sys.stdout.write(
        f"{name:<36}{with_seal:>9.2f} ms sealed{without:>9.2f} ms unsealed"
        f"{share:>8.1%} of it is sealing\n"
    )
    sys.stdout.flush()


def one_save():
    from pipelines.models import Pipeline

    pipeline = Pipeline.objects.order_by("pk")[0]

    def save():
        pipeline.rag_comment = f"{time.time_ns()}"
        pipeline.save()

    return save


def bulk_update():
    from pipelines.models import Pipeline

    keys = list(Pipeline.objects.order_by("pk").values_list("pk", flat=True)[:1000])
    return lambda: Pipeline.objects.filter(pk__in=keys).update(rag_comment=f"{time.time_ns()}")


def save_for(seconds: float, number: int) -> int:
    """Save a pipeline of its own for so long; returns how often."""
    from pipelines.models import Pipeline

    pipeline = Pipeline.objects.order_by("pk")[number]
    done, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        pipeline.rag_comment = f"{done}"
        pipeline.save()
        done += 1
    return done


def writers(number: int, seconds: float) -> None:
    """Saves a second of so many processes at once, with the seals."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.sealing", "--save", str(one), str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for one in range(number)
    ]
    done = sum(int(process.communicate()[0]) for process in processes)
    sys.stdout.write(f"{number} writers at once: {done / seconds:,.0f} saves a second\n")


def fill() -> None:
    from pipelines.models import Pipeline, Stage

    missing = 1000 - Pipeline.objects.count()
    design = Stage.objects.get(code="design")
    Pipeline.objects.bulk_create(
        Pipeline(project_name=f"Benchmark {number}", stage=design) for number in range(missing)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200, help="saves of each kind (200)")
    parser.add_argument("--seconds", type=float, default=5, help="of writing at once (5)")
    parser.add_argument("--save", nargs=2, metavar=("NUMBER", "SECONDS"), help=argparse.SUPPRESS)
    options = parser.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oegen.settings")
    django.setup()
    if options.save:
        number, seconds = options.save
        sys.stdout.write(str(save_for(float(seconds), int(number))))
        return
    fill()
    compare("save a pipeline", options.rounds, one_save())
    compare("bulk update of 1,000 pipelines", max(options.rounds // 15, 5), bulk_update())
    writers(1, options.seconds)
    writers(8, options.seconds)


if __name__ == "__main__":
    main()
