import re
from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from counterparties.models import Counterparty
from oegen import audit
from oegen.audit.narrative import news
from oegen.models import AccountRecord, Acknowledgement, GroupRecord
from pipelines.models import Stage
from tests.support.builders import make_counterparty, make_pipeline, make_user

pytestmark = pytest.mark.django_db


def test_changes_are_described_in_words_by_day(as_manager, portfolio_manager):
    with audit.change_set(recorded_at=datetime(2026, 3, 1, 12, tzinfo=UTC)):
        pipeline = make_pipeline("Kestrel Moor", stage="design")
    with audit.change_set(
        person=portfolio_manager,
        reason="Consent granted",
        recorded_at=datetime(2026, 3, 14, 12, tzinfo=UTC),
    ):
        pipeline.stage = Stage.objects.get(code="procurement")
        pipeline.save()
    html = as_manager.get(reverse("latest-changes")).content.decode()
    assert "Saturday 14 March 2026" in html
    assert "moved from Design to Procurement" in html
    assert "Consent granted" in html
    assert "Priya Shah" in html


def test_pages_of_changes_list_each_change_once(as_manager):
    moment = datetime(2026, 3, 14, 12, tzinfo=UTC)
    for number in range(60):
        with audit.change_set(recorded_at=moment):
            make_counterparty(f"Company {number}")
    reported = []
    address = reverse("latest-changes")
    while address:
        html = as_manager.get(address).content.decode()
        reported += re.findall(r"<bdi>(Company \d+)</bdi>", html)
        following = re.search(r'href="(\?before=[^"]+)"', html)
        address = reverse("latest-changes") + following[1] if following else None
    assert sorted(reported) == sorted(f"Company {number}" for number in range(60))


def test_set_up_is_no_news(as_manager):
    assert "Nothing has changed yet" in as_manager.get(reverse("latest-changes")).content.decode()


def test_accounts_are_no_news_but_what_changed_with_them_is(as_manager):
    first = make_user()
    Group.objects.create(name="Guests")
    first.groups.set(Group.objects.all())
    assert AccountRecord.history.exists()
    assert GroupRecord.history.exists()
    assert news.latest() == []
    with audit.change_set():
        first.delete()
        make_counterparty("Larch Power")
    [reported] = news.latest()
    assert [entry.subject for entry in reported.entries] == ["Larch Power"]
    assert set(reported.change_set.contents) == {
        AccountRecord.history.model._meta.label_lower,
        Counterparty.history.model._meta.label_lower,
    }


def test_models_outside_the_feed_are_listed_where_nothing_else_changed(as_manager):
    move = make_pipeline("Kestrel Moor", stage="construction").transitions.get()
    [reported] = news.latest()
    assert [entry.subject for entry in reported.entries] == ["Kestrel Moor"]
    move.effective_on = date(2026, 3, 14)
    move.save()
    Acknowledgement.objects.create(
        fingerprint="f" * 64, finding="Change set 3 is missing", reason="Restored from a copy"
    )
    acknowledged, corrected = (batch.entries for batch in news.latest(limit=2))
    assert [(entry.subject, entry.phrase) for entry in acknowledged] == [
        ("Change set 3 is missing", "added as an acknowledged finding")
    ]
    [entry] = corrected
    assert entry.subject == "Kestrel Moor"
    assert re.fullmatch(
        "the move to Construction: Effective on from .* to 14 Mar 2026", entry.phrase
    )
    html = as_manager.get(reverse("latest-changes")).content.decode()
    assert "Effective on from" in html
    assert "added as an acknowledged finding" in html


@pytest.mark.parametrize("wrong", ["x", "00000000-0000-4000-8000-000000000000", "1' OR 1=1 --"])
def test_a_place_in_the_changes_that_is_none_is_not_found(as_manager, wrong):
    assert as_manager.get(reverse("latest-changes"), {"before": wrong}).status_code == 404


def test_changes_need_a_sign_in(client):
    assert client.get(reverse("latest-changes")).url.startswith(reverse("login"))
