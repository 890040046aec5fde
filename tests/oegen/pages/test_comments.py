"""Comments written on the record's own page."""

from urllib.parse import urlencode

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from oegen import audit
from oegen.models import Comment
from tests.support.builders import make_pipeline, make_user
from tests.support.desk import Desk
from tests.support.readers import HOSTILE, parsed


def comment_on(client, record, text: str):
    return client.post(record.get_absolute_url(), {"text": text})


def test_the_writer_learns_whom_a_mention_notified_and_how(
    client, portfolio_manager, manager, settings
):
    settings.SENDS_EMAIL = True
    pipeline = make_pipeline()
    client.force_login(portfolio_manager)
    address = pipeline.get_absolute_url()

    in_bell = client.post(address, {"text": "@morgan please look"}, follow=True)
    assert "Told: Morgan Reid in the bell." in in_bell.text

    manager.email = "morgan@oegen.example"
    manager.save()
    mailed = client.post(address, {"text": "@morgan and @priya, too"}, follow=True)
    assert "Told: Morgan Reid in the bell and by e-mail." in mailed.text, (
        "nor does one tell oneself"
    )

    assert client.get("/people/told/?name=morgan").json() == {
        "sentence": "Tells Morgan Reid in the bell and by e-mail."
    }
    page = client.get(address).text
    assert '<span class="mention-name" title="@morgan">@Morgan Reid</span> please look' in page


def test_a_comment_shows_whom_it_names_wherever_it_is_read(client, portfolio_manager, manager):
    pipeline = make_pipeline("Larch")
    client.force_login(portfolio_manager)
    desk = Desk(client)
    form = desk.url(pipeline)
    typed = desk.open(pipeline) | {"new_comment": "@morgan please look"}
    saved = client.post(form, typed, follow=True)
    assert "The comment is added. Told: Morgan Reid in the bell." in saved.text
    comment = Comment.objects.get()
    comment.text = "@morgan please look again"
    comment.save()

    name = '<span class="mention-name" title="@morgan">@Morgan Reid</span> please look'
    first = Comment.history.earliest()
    for address in (
        form,
        reverse("admin:oegen_comment_changelist"),
        reverse("history", args=["pipeline", pipeline.pk]),
        reverse("history", args=["comment", comment.pk]),
        reverse("history-entry", args=["comment", comment.pk, first.history_id]),
        reverse("audit"),
        reverse("latest-changes"),
    ):
        body = client.get(address).text.split("<body")[1]
        assert name in body, address
        assert "@morgan please" not in strip_tags(body), address
    comment.delete()
    assert name in client.get(reverse("removed-records")).text

    pipeline.rag_comment = "@morgan has it"
    pipeline.save()
    reported = strip_tags(client.get(reverse("audit")).text)
    assert "@morgan has it" in reported, "what is no comment tells nobody"


def test_a_mention_of_nobody_is_refused_at_the_box_with_who_was_meant(
    client, portfolio_manager, manager, record
):
    gone = make_user(None, "hanne", first_name="Hanne", last_name="Berg", is_active=False)
    client.force_login(portfolio_manager)

    response = comment_on(client, record, "@morgen and @Reid: ask @hanne, see site.example/@other")

    text = " ".join(parsed(response).text.split())
    assert "Nobody here is called @morgen: did you mean @morgan (Morgan Reid)?" in text
    assert "Nobody here is called @reid: did you mean @morgan (Morgan Reid)?" in text
    assert f"{gone} (@hanne) can no longer sign in" in text
    assert "called @other" not in text
    assert not Comment.objects.exists()


def test_a_comment_that_names_nobody_since_long_can_still_be_corrected(
    as_editor, portfolio_manager, record
):
    old = Comment.objects.create(subject=record, author=portfolio_manager, text="Ask @nobody")
    address = f"/comments/{old.pk}/change/"

    as_editor.post(address, {"version": 1, "text": "Do ask @nobody"})
    assert Comment.objects.get().text == "Do ask @nobody"

    refused = as_editor.post(address, {"version": 2, "text": "Ask @nobody and @someone"})
    assert "Nobody here is called @someone" in refused.text
    assert "called @nobody" not in refused.text


def test_people_are_suggested_by_the_words_of_their_names(as_editor, manager):
    make_user(None, "jm", first_name="José", last_name="Márquez")
    make_user(None, "josef", is_active=False)

    def found(typed: str) -> list[str]:
        people = as_editor.get("/people/names/", {"q": typed}).json()["people"]
        return [person["username"] for person in people]

    assert found("rei") == ["morgan"]
    assert found("jose") == ["jm"]
    assert found("jose mar") == ["jm"]
    assert found("eid") == []


def test_comment_is_kept_with_its_author_and_its_history(as_editor, portfolio_manager, record):
    response = comment_on(as_editor, record, "Spoke to the council.\nThey want a road.")

    assert response.status_code == 302
    comment = record.comments.get()
    assert comment.text == "Spoke to the council.\nThey want a road."
    assert comment.author == portfolio_manager
    row = comment.history.get()
    assert row.history_user == portfolio_manager
    assert row.change_set.source == audit.Source.PAGE
    page = parsed(as_editor.get(response.url))
    assert "Priya Shah commented" in " ".join(page.text.split())
    assert "They want a road." in page.text


@pytest.mark.parametrize("text", ["", "   \n\t"])
def test_empty_comment_is_refused_at_its_box(as_editor, record, text):
    response = comment_on(as_editor, record, text)

    assert response.status_code == 200
    assert "the comment is empty" in parsed(response).text
    assert 'aria-invalid="true"' in response.content.decode()
    assert not Comment.objects.exists()


def test_refused_comment_keeps_what_was_typed(as_editor, record):
    response = comment_on(as_editor, record, "Half of it\x00 was pasted")

    assert "Half of it\x00 was pasted" in response.content.decode()
    assert not Comment.objects.exists()


def test_manager_has_no_box_and_is_refused_at_the_address(as_manager, record):
    assert "Add a comment" not in parsed(as_manager.get(record.get_absolute_url())).text
    assert comment_on(as_manager, record, "Let me in").status_code == 403
    assert not Comment.objects.exists()


def test_comment_on_a_removed_record_is_a_404(as_editor, record):
    address = record.get_absolute_url()
    record.delete()

    assert as_editor.post(address, {"text": "Too late"}).status_code == 404
    assert not Comment.objects.exists()


def test_hostile_comment_comes_out_as_text(as_editor, record):
    text = HOSTILE + "=HYPERLINK(1) ' OR 1=1 --" + "W" * 9_000
    response = comment_on(as_editor, record, text)

    page = parsed(as_editor.get(response.url))

    assert page.forbidden == []
    assert page.tags.count("textarea") == 1
    assert text in page.text


def test_author_is_led_to_edit_and_remove_and_back(as_editor, portfolio_manager, record):
    comment = Comment.objects.create(subject=record, author=portfolio_manager, text="Said")

    html = as_editor.get(record.get_absolute_url()).content.decode()

    for action in ("change", "remove"):
        assert f'href="/comments/{comment.pk}/{action}/?next=%2F' in html


def test_nobody_is_led_to_edit_what_somebody_else_said(as_editor, record):
    Comment.objects.create(subject=record, author=make_user(), text="Said")

    assert "/comments/" not in as_editor.get(record.get_absolute_url()).content.decode()


def test_administrator_may_correct_everybody_s(client, administrator, portfolio_manager, record):
    client.force_login(administrator)
    comment = Comment.objects.create(subject=record, author=portfolio_manager, text="Said")

    html = client.get(record.get_absolute_url()).content.decode()

    assert f"/comments/{comment.pk}/change/" in html


@pytest.mark.parametrize("name", ["oegen_comment_change", "pipelines_technology_add"])
def test_form_of_what_takes_no_comments_has_no_box_for_one(client, administrator, records, name):
    client.force_login(administrator)
    comment = Comment.objects.create(subject=records["contact"], author=administrator, text="Said")

    html = client.get(
        reverse(f"admin:{name}", args=[comment.pk] if name.endswith("_change") else [])
    ).content.decode()

    assert 'name="new_comment"' not in html


def test_removed_comment_stays_in_the_timeline_without_a_way_to_edit_it(
    as_editor, portfolio_manager, record
):
    Comment.objects.create(subject=record, author=portfolio_manager, text="Said").delete()

    response = as_editor.get(record.get_absolute_url())

    text = " ".join(parsed(response).text.split())
    assert "removed a comment" in text
    assert "removed since" in text
    assert "/comments/" not in response.content.decode()


class TestCorrecting:
    """A comment's author changes and removes it where it stands."""

    @pytest.fixture
    def comment(self, portfolio_manager, record):
        return Comment.objects.create(subject=record, author=portfolio_manager, text="Mast is up")

    @staticmethod
    def send(client, comment, action="change", **data):
        back = urlencode({"next": f"{comment.subject.get_absolute_url()}?show=comments"})
        values = {"version": comment.version, **data}
        return client.post(f"/comments/{comment.pk}/{action}/?{back}", values)

    def test_change_is_kept_and_leads_back_to_the_comment(self, as_editor, comment):
        response = self.send(as_editor, comment, text="Mast is down")

        page = comment.subject.get_absolute_url()
        assert response.url == f"{page}?show=comments#comment-{comment.pk}"
        comment.refresh_from_db()
        assert comment.text == "Mast is down"
        assert [row.text for row in comment.history.all()] == ["Mast is down", "Mast is up"]
        assert comment.history.first().change_set.source == audit.Source.PAGE

    def test_timeline_shows_the_comment_as_it_stands_and_what_it_was(self, as_editor, comment):
        self.send(as_editor, comment, text="Mast is down")

        text = " ".join(parsed(as_editor.get(comment.subject.get_absolute_url())).text.split())

        assert "Priya Shah changed a comment" in text
        assert "Mast is up Mast is down" in text
        assert "· edited" in text
        assert "Mast is down Edit this comment" in text

    def test_saving_what_it_says_already_writes_nothing(self, as_editor, comment):
        assert self.send(as_editor, comment, text="Mast is up").status_code == 302
        assert comment.history.count() == 1

    def test_empty_text_is_refused_and_nothing_changes(self, as_editor, comment):
        response = self.send(as_editor, comment, text="  ")

        assert "Nothing was changed, because the comment is empty." in parsed(response).text
        assert comment.history.count() == 1

    @pytest.mark.parametrize(
        ("action", "data"), [("change", {"text": "Mine"}), ("remove", {"reason": "Mine"})]
    )
    def test_what_somebody_changed_meanwhile_is_shown_first(
        self, as_editor, administrator, comment, action, data
    ):
        newer = Comment.objects.get()
        newer.text = "Corrected by Ada"
        with audit.change_set(person=administrator):
            newer.save()

        response = self.send(as_editor, comment, action, **data)

        text = parsed(response).text
        assert "Ada Okafor changed this comment while you had it open." in text
        assert "Corrected by Ada" in text
        assert "Mine" in text
        assert Comment.objects.get().text == "Corrected by Ada"
        assert f'name="version" value="{newer.version}"' in response.content.decode()

    def test_typed_words_outlive_the_comment_s_removal(self, as_editor, comment):
        address = f"/comments/{comment.pk}/change/"
        comment.delete()

        response = as_editor.post(address, {"text": "Half a page"})

        assert response.status_code == 409
        assert "Half a page" in parsed(response, 409).text

    @pytest.mark.parametrize("version", ["", "x", "0", "99999999999"])
    def test_damaged_version_is_refused(self, as_editor, comment, version):
        response = self.send(as_editor, comment, text="New", version=version)

        assert "note of what it was opened on is damaged" in parsed(response).text
        assert comment.history.count() == 1

    def test_removal_needs_a_reason_which_the_timeline_keeps(self, as_editor, comment):
        page = comment.subject.get_absolute_url()
        assert "Say why" in parsed(self.send(as_editor, comment, "remove", reason=" ")).text
        assert Comment.objects.exists()

        response = self.send(as_editor, comment, "remove", reason="Wrong project")

        assert response.url == f"{page}?show=comments#timeline-title"
        assert not Comment.objects.exists()
        assert "Wrong project" in parsed(as_editor.get(page)).text

    @pytest.mark.parametrize("action", ["change", "remove"])
    def test_nobody_opens_the_form_of_somebody_else_s_comment(self, as_editor, record, action):
        theirs = Comment.objects.create(subject=record, author=make_user(), text="Said")

        assert as_editor.get(f"/comments/{theirs.pk}/{action}/").status_code == 403
        response = self.send(as_editor, theirs, action, text="Mine", reason="Mine")
        assert response.status_code == 403
        assert Comment.objects.get().text == "Said"

    def test_author_who_became_a_reader_is_refused(self, client, manager, record):
        own = Comment.objects.create(subject=record, author=manager, text="Said")
        client.force_login(manager)

        assert self.send(client, own, text="More").status_code == 403
        assert "/comments/" not in client.get(record.get_absolute_url()).content.decode()

    def test_way_back_stays_on_this_site(self, as_editor, comment):
        response = as_editor.post(
            f"/comments/{comment.pk}/change/?next=https://elsewhere.example/",
            {"version": 1, "text": "New"},
        )

        assert response.url == f"{comment.subject.get_absolute_url()}#comment-{comment.pk}"
