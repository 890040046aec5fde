"""The review queue: pairs side by side, decided by those who may, and taken back."""

import re
from datetime import date

import pytest

from oegen.models import ChangeSet
from pipelines.registers.models import Match, Proposal, RegisterProject
from pipelines.registers.proposing.running import propose_all
from tests.pipelines.registers.test_proposals import OTHERS, make_site
from tests.support.builders import make_counterparty
from tests.support.readers import words
from tests.support.registers import ingest_repd

URL = "/registers/review/"
LATE = date(2025, 1, 31)


@pytest.fixture
def pairs(db):
    """Two projects that need a person: the larger one first."""
    second = {
        "Ref ID": "102",
        "Site Name": "Otter Hill Solar Farm",
        "Installed Capacity (MWelec)": "4",
        "X-coordinate": "430000",
    }
    ingest_repd(LATE, {}, second, *OTHERS)
    make_site(capacity_mw=90, latitude="53.95", technology="wind")
    make_site("Otter Hill", capacity_mw=9, longitude="-1.6")
    propose_all()
    found = Proposal.objects.undecided().by_doubt()
    assert {one.project.key for one in found} == {"101", "102"}
    return [f"{one.project_id}.{one.object_id}" for one in found]


def post(client, action: str, pair: str = "", **values):
    answer = client.post(URL, {"action": action, "pair": pair, **values})
    assert answer.status_code == 302
    return client.get(answer["Location"])


def test_pair_is_shown_side_by_side_with_what_differs(as_manager, pairs):
    key = f"{RegisterProject.objects.get(key='101').pk}"
    pair = next(one for one in pairs if one.startswith(key))
    page = as_manager.get(URL, {"pair": pair})
    html, text = page.content.decode(), words(page)
    assert "Kestrel Moor Solar Farm" in text and "Larch Energy Ltd" in text
    heads = re.findall(r'<th scope="row">([^<]+)(.*?)</th>', html)
    rows = {label.strip(): "differs" in rest for label, rest in heads}
    assert rows["Capacity"] and rows["Technology"] and rows["Point"]
    assert not rows["Country"]
    assert "km apart" in text
    assert "Open Government Licence" in text
    assert 'value="same"' not in html
    assert '"is_hollow": true' in html


def test_decision_leads_to_the_next_pair_and_is_undone_there(as_editor, pairs):
    first, second = pairs
    page = post(as_editor, "same", first, next=second)
    match = Match.objects.get()
    assert (f"{match.project_id}.{match.object_id}", match.state) == (first, "accepted")
    assert f'name="pair" value="{second}"' in page.content.decode()
    change_set = ChangeSet.objects.latest("number")
    assert re.fullmatch(r".+ and .+ are the same", change_set.reason)
    assert change_set.person.username == "priya"
    page = post(as_editor, "undo", change_set=str(change_set.number))
    assert not Match.objects.exists()
    assert "are the same." in words(page)
    assert f'name="pair" value="{first}"' in page.content.decode()


def test_other_pair_stays_refused_and_is_listed_among_the_decided(as_editor, pairs):
    post(as_editor, "another", pairs[0])
    propose_all()
    assert [one.pk for one in Proposal.objects.undecided()] == [Proposal.objects.get().pk]
    text = words(as_editor.get(URL, {"tab": "decided"}))
    assert "Another" in text and "Priya" in text


def test_pair_that_was_put_off_comes_last_for_that_person(as_editor, as_manager, pairs):
    first, second = pairs
    page = post(as_editor, "later", first)
    assert f'name="pair" value="{second}"' in page.content.decode()
    assert not Match.objects.exists()
    assert "1 of 2" in words(as_manager.get(URL, {"pair": first}))


def test_pair_that_waits_no_more_is_said_to(as_editor, pairs):
    post(as_editor, "same", pairs[0])
    page = post(as_editor, "another", pairs[0])
    assert "waits no more" in words(page)
    assert Match.objects.get().state == "accepted"


def test_sure_companies_are_accepted_together(as_editor, db):
    rows = [{"Operator (or Applicant)": f"{name} Power Ltd", "Ref ID": name} for name in "ABC"]
    ingest_repd(LATE, *rows)
    for name in "ABC":
        make_counterparty(f"{name} Power Ltd")
    propose_all()
    page = as_editor.get(URL, {"tab": "companies"})
    assert "3 sure pairs, each of a counterparty" in words(page)
    keys = re.findall(r'type="checkbox" name="pair" value="([^"]+)"', page.content.decode())
    before = ChangeSet.objects.count()
    answer = as_editor.post(
        f"{URL}?tab=companies", {"action": "together", "pair": keys[:2]}, follow=True
    )
    assert "2 pairs accepted" in words(answer)
    assert (Match.objects.count(), ChangeSet.objects.count()) == (2, before + 1)


@pytest.mark.parametrize("query", ["pair=x", "pair=" + "a" * 73, "band=x&register=x&tab=x"])
def test_junk_in_the_address_shows_the_queue(as_manager, pairs, query):
    assert as_manager.get(f"{URL}?{query}").status_code == 200


def test_past_day_has_no_queue(as_manager, pairs):
    assert as_manager.get(URL, {"as_of": "2024-01-01"}).status_code == 400
