"""A seeded history is played forward day by day. What each page and metric showed at the end of a
day is kept, and asked for again when all is over: it must be the same."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from dashboard import metrics
from oegen.asof import as_of
from pipelines.models import (
    Pipeline,
)
from tests.support.player import FIRST_DAY, Clock, Player

pytestmark = pytest.mark.django_db

DAYS = 21
LISTS = ("pipelines", "facilities", "counterparties", "contacts", "infopoints")


@pytest.fixture
def see(client, portfolio_manager):
    """All that the site shows at this moment, or of a day."""

    def see(query: str = "") -> dict:
        client.force_login(portfolio_manager)
        seen = {}
        joint = f"?{query}&" if query else "?"
        for name in LISTS:
            answer = client.get(f"{reverse(name)}{joint}download=csv")
            # The headings say what day the file was made from.
            _, _, rows = b"".join(answer.streaming_content).partition(b"\r\n")
            seen[f"{name}, downloaded"] = rows
        for address in (f"{reverse('pipelines')}{joint}q=kestrel&status=open", reverse("board")):
            html = client.get(address if "?" in address else f"{address}{joint}").text
            seen[address.split("?")[0]] = re.findall(r"/pipelines/[0-9a-f-]{36}/", html)
        return seen

    return see


def numbers() -> dict:
    with metrics.portfolio(Pipeline.objects.all) as everything:
        heat = metrics.by_technology_and_status(everything)
        return {
            "headline": metrics.headline(everything),
            "status": metrics.by_status(everything),
            "rag": metrics.by_rag(everything),
            "technology": [
                (group.technology and (group.technology.pk, group.technology.name), group.total)
                for group in metrics.by_technology(everything)
            ],
            "heat": [(technology.name, cells) for technology, cells in heat.rows],
            "years": metrics.by_rtb_year(everything),
            "holdings": metrics.by_counterparty(everything),
            "exposures": [(str(one.point), one.total) for one in metrics.most_exposing(everything)],
            "stages": metrics.stages(everything),
            "attention": metrics.attention(everything, limit=500),
            "growth": [(str(one.technology), one.reached) for one in metrics.growth(everything)],
            "names": sorted(Pipeline.objects.values_list("project_name", flat=True)),
        }


@pytest.mark.parametrize("seed", [1])
def test_every_day_is_shown_again_as_it_was(seed, monkeypatch, see, portfolio_manager):
    clock = Clock(monkeypatch)
    player = Player(seed, portfolio_manager)
    shown, counted = {}, {}
    for number in range(DAYS):
        day = FIRST_DAY + timedelta(days=number)
        clock.begin(day)
        for _ in range(player.rng.randint(0, 6)):
            player.write()
            clock.tick()
        # Late in the evening of London.
        clock.moment = datetime(day.year, day.month, day.day, 22, 30, tzinfo=UTC)
        counted[day] = numbers()
        if number % 3 == 0:
            shown[day] = see()
    clock.begin(FIRST_DAY + timedelta(days=DAYS + 30))

    for day, then in counted.items():
        with as_of(day):
            assert numbers() == then, day
    for day, then in shown.items():
        again = see(f"as_of={day}")
        for what, seen in then.items():
            assert again[what] == seen, (day, what)
    assert len({repr(one) for one in counted.values()}) > DAYS / 2
