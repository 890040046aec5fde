"""The bell: what people find on the site, with an e-mail address or without."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oegen import audit
from oegen.models import AlertPreference, AlertRule, Comment, Notice
from pipelines.models import Pipeline
from tests.support.builders import make_pipeline
from tests.support.readers import parsed

pytestmark = pytest.mark.django_db


@pytest.fixture
def larch():
    return make_pipeline("Larch", rag_status="green")


def mention(pipeline, author, text="@morgan, please look") -> Comment:
    with audit.change_set(person=author):
        return Comment.objects.create(subject=pipeline, author=author, text=text)


def test_a_mention_reaches_the_bell_without_any_rule_or_address(
    client, larch, portfolio_manager, manager
):
    AlertRule.objects.update(is_active=False)
    AlertPreference.objects.create(user=manager, event="mentioned", is_wanted=False)

    comment = mention(larch, portfolio_manager, "@morgan and @priya, please look")

    (notice,) = Notice.objects.all()
    assert (notice.recipient, notice.event) == (manager, "mentioned")
    assert notice.url == f"{larch.get_absolute_url()}#comment-{comment.pk}"
    client.force_login(manager)
    assert "Priya Shah mentioned you on Larch" in parsed(client.get("/notices/")).text
    assert f'id="comment-{comment.pk}"' in client.get(larch.get_absolute_url()).text


def test_an_alert_reaches_the_bells_of_those_who_chose_it_but_not_of_who_did_it(
    larch, portfolio_manager, manager
):
    for person in (portfolio_manager, manager):
        AlertPreference.objects.create(user=person, event="rag-worsened", is_wanted=True)
    with audit.change_set(person=portfolio_manager, reason="Grid refused"):
        Pipeline.objects.filter(pk=larch.pk).update(rag_status="red")

    (notice,) = Notice.objects.all()

    assert (notice.recipient, notice.event) == (manager, "rag-worsened")
    assert (notice.payload["old"], notice.payload["new"]) == ("Green", "Red")


def test_many_at_once_are_one_notice(larch, portfolio_manager, manager):
    AlertPreference.objects.create(user=manager, event="rag-worsened", is_wanted=True)
    with audit.change_set(person=portfolio_manager):
        for number in range(12):
            make_pipeline(f"Rowan {number}", rag_status="red")

    (notice,) = Notice.objects.all()

    assert str(notice) == "Many changes at once: RAG worsened: 12"
    assert notice.url == f"/audit/{notice.change_set.number}/"


def test_every_page_counts_what_is_unread_until_it_is_marked_as_read(
    client, larch, portfolio_manager, manager
):
    for _ in range(3):
        mention(larch, portfolio_manager)
    client.force_login(manager)

    def count() -> str:
        return " ".join(parsed(client.get("/contacts/")).text.split())

    first, _, newest = Notice.objects.order_by("pk")
    assert "3 unread" in count()
    client.post("/notices/", {"notice": first.pk})
    assert "2 unread" in count()
    arrived = mention(larch, portfolio_manager)
    client.post("/notices/", {"up_to": newest.pk})
    assert "1 unread" in count()
    assert Notice.objects.unread().get().payload["anchor"] == f"comment-{arrived.pk}"


def test_nobody_marks_the_notices_of_others(client, larch, portfolio_manager, manager):
    mention(larch, portfolio_manager)
    client.force_login(portfolio_manager)

    client.post("/notices/", {"notice": Notice.objects.get().pk})

    assert Notice.objects.unread().count() == 1


def test_the_count_reads_an_index_of_what_is_unread(manager):
    with CaptureQueriesContext(connection) as captured:
        manager.notices.unread()[:100].count()
    with connection.cursor() as cursor:
        sql = captured[0]["sql"]
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            assert "notice_unread" in str(cursor.fetchall())
