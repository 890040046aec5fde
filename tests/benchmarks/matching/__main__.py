"""Measure matching on editions whose answer is known, with a fixed seed.

(a) two editions of REPD with the reference hidden, beside an exact join; (b) an edition distorted,
with half of the partners removed; (c) the pairs of another list whose names differ, by name, fuel
and capacity alone; (d) TEC against REPD as a CSV of proposals to be judged; and how units of MaStR
are grouped where the names of parks are hidden.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from pathlib import Path

import django


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="the folder with the files of the registers")
    parser.add_argument("--only", default="abcdm", help="letters of what is measured; m is MaStR")
    parser.add_argument("--seed", type=int, default=2025, help="of the distortion and the samples")
    parser.add_argument("--judge", type=Path, default=Path("proposals.csv"), help="the CSV of (d)")
    options = parser.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oegen.settings")
    django.setup()
    from tests.benchmarks.matching import measuring

    steps = {
        "a": lambda: measuring.editions(options.folder),
        "b": lambda: measuring.distorted(options.folder, options.seed),
        "c": lambda: measuring.other_list(options.folder),
        "d": lambda: measuring.to_judge(options.folder, options.judge, options.seed),
        "m": lambda: measuring.units(options.folder),
    }
    for letter, step in steps.items():
        if letter in options.only:
            start = time.perf_counter()
            for line in step():
                say(line)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            took = time.perf_counter() - start
            say(f"    {took:.1f} s with reading, at most {memory:.0f} MB so far\n")


if __name__ == "__main__":
    main()
