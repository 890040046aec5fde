"""Comments written on the record's own page."""

import pytest
from django.urls import reverse

from oegen import audit
from oegen.models import Comment
from tests.builders import make_user
from tests.pages.test_pages import HOSTILE, parsed


def comment_on(client, record, text: str):
    return client.post(record.get_absolute_url(), {"text": text})


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
    text = HOSTILE + "=HYPERLINK(1) ' OR 1=1 --" + "W" * 10_000
    response = comment_on(as_editor, record, text)

    page = parsed(as_editor.get(response.url))

    assert page.forbidden == []
    assert page.tags.count("textarea") == 1
    assert text in page.text


def test_author_is_led_to_edit_and_remove_and_back(as_editor, portfolio_manager, record):
    comment = Comment.objects.create(subject=record, author=portfolio_manager, text="Said")

    html = as_editor.get(record.get_absolute_url()).content.decode()

    for action in ("change", "delete"):
        assert f'href="/admin/oegen/comment/{comment.pk}/{action}/?next=%2F' in html


def test_nobody_is_led_to_edit_what_somebody_else_said(as_editor, record):
    Comment.objects.create(subject=record, author=make_user(), text="Said")

    assert "/admin/oegen/comment/" not in as_editor.get(record.get_absolute_url()).content.decode()


def test_administrator_may_correct_everybody_s(client, administrator, portfolio_manager, record):
    client.force_login(administrator)
    comment = Comment.objects.create(subject=record, author=portfolio_manager, text="Said")

    html = client.get(record.get_absolute_url()).content.decode()

    assert f"/admin/oegen/comment/{comment.pk}/change/" in html


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

    assert "removed a comment" in parsed(response).text
    assert "/admin/oegen/comment/" not in response.content.decode()
