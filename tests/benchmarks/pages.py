"""How long the server takes for each page: ``python -m tests.benchmarks.pages``.

Run against a database that holds a portfolio (DATABASE_URL; ``manage.py load_sample --pipelines
10000``, which also writes 145,000 history rows over two years). What it writes is taken back, and
nobody is signed in afterwards. Figures that are kept until somebody writes are measured both ways:
"after an edit" is the first visit after a pipeline's RAG comment was saved.
"""

import argparse
import os
import statistics
import sys
import time
from datetime import timedelta

import django
from django.conf import settings

SEARCHES = ("solar", "a", "grid offer late", "no such words")

#: How far back the pages of the past look.
AGO = timedelta(days=30)


def addresses() -> dict[str, str]:
    """Each page's address by what it is; record pages of the record with the most links."""
    from django.db.models import Count
    from django.urls import reverse
    from django.utils import timezone

    from counterparties.models import Contact, Counterparty
    from infopoints.models import InformationPoint
    from pipelines.models import Facility, Pipeline

    lists = ("pipelines", "facilities", "counterparties", "contacts", "infopoints")
    found = {name: reverse(name) for name in ("dashboard", "board", "map", "map-data", *lists)}
    found |= {name: reverse(name) for name in ("changes", "latest-changes")}
    for text in SEARCHES:
        found[f"search “{text}”"] = f"{reverse('search')}?q={text.replace(' ', '+')}"
    found["pipelines, filtered"] = f"{reverse('pipelines')}?q=solar&status=open&sort=-capacity_mw"
    for model, links in (
        (Pipeline, "counterparty_links"),
        (Facility, "pipeline_links"),
        (Counterparty, "pipeline_links"),
        (Contact, "counterparty_links"),
        (InformationPoint, "pipeline_links"),
    ):
        record = model.objects.annotate(number=Count(links)).order_by("-number").first()
        if record:
            found[model._meta.model_name] = record.get_absolute_url()
    day = timezone.localdate() - AGO
    for name in ("dashboard", "pipelines", "pipelines, filtered", "search “solar”", "pipeline"):
        if name in found:
            joint = "&" if "?" in found[name] else "?"
            found[f"{name}, past"] = f"{found[name]}{joint}as_of={day}"
    return found


def edit_a_pipeline() -> None:
    from pipelines.models import Pipeline

    pipeline = Pipeline.objects.order_by("pk").first()
    pipeline.rag_comment += "."
    pipeline.save()


def median_ms(client, address: str, runs: int, before=lambda: None) -> tuple[float, float, int]:
    """The median time of an answer, that of its processor time, and its size in bytes; the first
    answer is not counted, nor what is done ``before`` each. On a busy machine the processor time
    is the truer one."""
    size, times, busy = 0, [], []
    for run in range(runs + 1):
        before()
        start, cpu_start = time.perf_counter(), time.process_time()
        response = client.get(address, headers={"host": settings.ALLOWED_HOSTS[0]})
        if getattr(response, "streaming", False):
            size = sum(len(part) for part in response.streaming_content)
        else:
            size = len(response.content)
        if response.status_code != 200:
            raise SystemExit(f"{address} answered {response.status_code}.")
        if run:
            times.append((time.perf_counter() - start) * 1000)
            busy.append((time.process_time() - cpu_start) * 1000)
    return statistics.median(times), statistics.median(busy), size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=9, help="visits of each page (9)")
    parser.add_argument("--limit", type=float, default=100, help="milliseconds to mark (100)")
    options = parser.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oegen.settings")
    django.setup()
    from django.db import transaction
    from django.test import Client

    from oegen.models import User

    reader = User.objects.filter(is_active=True).order_by("pk").first()
    if reader is None:
        raise SystemExit("The database holds nobody who could sign in: load the sample first.")
    with transaction.atomic():
        client = Client()
        client.force_login(reader)
        pages = addresses()
        visits = [(name, address, lambda: None) for name, address in pages.items()]
        visits += [
            (f"{name}, after an edit", pages[name], edit_a_pipeline)
            for name in ("dashboard", "dashboard, past")
        ]
        for name, address, before in visits:
            ms, cpu_ms, size = median_ms(client, address, options.runs, before)
            mark = " over" if ms > options.limit else ""
            sys.stdout.write(
                f"{name:<32}{ms:>8.1f} ms{cpu_ms:>8.1f} ms CPU{size / 1000:>9.1f} kB{mark}\n"
            )
        transaction.set_rollback(True)


if __name__ == "__main__":
    main()
