"""Briefs: every sentence has its figures, and these are those of the lookups."""

from datetime import date

import pytest

from dashboard.ask.answers import answer_to
from dashboard.ask.briefs import asks_for_brief, brief_of, has_brief
from dashboard.ask.events import GRAMMAR, Sentence
from dashboard.ask.findings import PLACEHOLDER, Findings
from dashboard.ask.lookups import Asker, LookupRefusedError, run
from dashboard.ask.rendering import as_text
from pipelines.models import Pipeline, PipelineCounterparty
from tests.support.fake_openai import FakeOpenAI, says
from tests.support.portfolios import analyze_tables


def told(brief) -> list[str]:
    return [
        as_text(one, brief.findings.items)
        for section in brief.sections()
        for one in section.sentences
    ]


@pytest.fixture(scope="module")
def pages(asker):
    # PostgreSQL may have counted the tables while they were empty.
    analyze_tables()
    pipelines = Pipeline.objects.order_by("project_name")
    lead = PipelineCounterparty.objects.filter(role__code="lead-developer").first()
    return [
        "/",
        "/?technology=solar&compare=2025-01-31",
        "/pipelines/?country=DE&rag=red",
        *(one.get_absolute_url() for one in pipelines),
        lead.counterparty.get_absolute_url(),
    ]


def test_every_sentence_names_what_was_looked_up(asker, pages):
    for page in pages:
        brief = brief_of(Asker(asker.person, page=page))
        sections = list(brief.sections())
        titles = [section.title for section in sections]
        assert titles == ["What changed", "What needs attention", "What comes next"]
        for section in sections:
            for sentence in section.sentences:
                refs = PLACEHOLDER.findall(sentence)
                assert refs, (page, sentence)
                assert set(refs) <= set(brief.findings.items), (page, sentence)


def test_it_tells_what_changed_and_what_comes(asker):
    gannet = Pipeline.objects.get(project_name="Gannet Swell Offshore Wind")
    sentences = told(brief_of(Asker(asker.person, page=gannet.get_absolute_url())))

    assert "Its rating went from Amber to Red since 15 Jun 2025." in sentences
    assert "Its RTB date moved from 30 Jun 2027 to 30 Nov 2027 since 15 Jun 2025." in sentences
    assert any("needs attention: red" in one for one in sentences)
    assert any("153 days later than the first one, 30 Jun 2027" in one for one in sentences)


def test_its_figures_are_those_of_the_page_and_of_its_day(asker):
    day = date(2025, 3, 31)
    then = Asker(asker.person, as_of=day, page="/?technology=solar")
    brief = brief_of(then)
    arguments = {"name": "open-capacity", "filters": "technology=solar"}
    found = run("metric", arguments, then, Findings())

    assert told(brief)[0].startswith(f"Open capacity is {found.figures[0].text}")
    for one in brief.findings:
        link = getattr(one, "link", "")
        assert not link or "as_of=" in link or link.startswith("/changes/"), link


def test_a_comment_is_no_placeholder(asker, db):
    gannet = Pipeline.objects.get(project_name="Gannet Swell Offshore Wind")
    gannet.rag_comment = "See {f1} and {r9}"
    gannet.next_step, gannet.next_step_on = "Ask {c1}", date(2025, 9, 1)
    gannet.save()
    sentences = told(brief_of(Asker(asker.person, page=gannet.get_absolute_url())))

    assert any("See (f1) and (r9)." in one for one in sentences)
    assert "Next step: Ask (c1). It is due on 1 Sep 2025." in sentences


def test_pages_without_figures_have_none(asker):
    nowhere = Asker(asker.person, page="/audit/")

    assert not has_brief(nowhere)
    with pytest.raises(LookupRefusedError, match="There is no brief of this page"):
        brief_of(nowhere)
    assert asks_for_brief("Brief me!")
    assert not asks_for_brief("brief me on Hollinley")


def test_with_a_key_it_is_retold_under_the_same_check(asker, db, settings):
    """What leaves a reference out, or invents, is not taken: the sentences stay as they are."""
    who = Asker(asker.person, page="/?technology=solar")
    with FakeOpenAI() as server:
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "key", server.url
        server.plays(says("Open capacity doubled to 999 MW. All is well with {f1}."))
        events = list(answer_to("Brief me", who, None, None))

    shown = [event.text for event in events if isinstance(event, Sentence)]
    own = [one for section in brief_of(who).sections() for one in section.sentences]
    assert len(server.requests) == 3
    assert shown == own
    assert events[-1].answered_by == GRAMMAR
