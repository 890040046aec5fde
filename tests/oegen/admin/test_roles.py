"""Who may enter the admin, and what they find there."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from dashboard.models import AskedQuestion
from oegen import audit
from oegen.admin import grants
from oegen.models import (
    Acknowledgement,
    Alert,
    ApiToken,
    Comment,
    Job,
    SecurityEvent,
    User,
    Webhook,
)
from oegen.people import roles
from pipelines.models import Stage
from pipelines.registers.models import RegisterCompany, RegisterProject, RegisterState, Reject
from tests.support.builders import make_pipeline, make_user

pytestmark = pytest.mark.django_db


def admin_pages() -> dict[str, list[str]]:
    """The list pages of the admin, by the kind of thing they list."""
    from django.contrib import admin

    pages = {"business": [], "reference": [], "people": []}
    for model in admin.site._registry:
        opts = model._meta
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        if model in (
            User,
            Group,
            Acknowledgement,
            Alert,
            ApiToken,
            AskedQuestion,
            Job,
            RegisterCompany,
            RegisterProject,
            RegisterState,
            Reject,
            SecurityEvent,
            Webhook,
        ):
            pages["people"].append(url)
        elif model.is_vocabulary():
            pages["reference"].append(url)
        else:
            pages["business"].append(url)
    return pages


def test_every_record_has_a_place_in_the_admin():
    from django.contrib import admin

    tracked = audit.tracked_models()
    outside = {model for model in tracked if model.IS_COPY or model.is_append_only}
    records = {model for model in tracked if not model.PARENT_FIELD} - outside
    assert records <= set(admin.site._registry)


def test_a_manager_is_refused_by_every_admin_page(client, manager):
    client.force_login(manager)
    for urls in admin_pages().values():
        for url in [*urls, reverse("admin:index")]:
            assert client.get(url, follow=True).status_code == 403
            assert client.post(url, follow=True).status_code == 403


def test_the_staff_flag_alone_opens_nothing(client):
    client.force_login(make_user(is_staff=True))
    assert client.get(reverse("admin:index"), follow=True).status_code == 403


def test_nobody_is_sent_to_the_one_sign_in_page(client):
    response = client.get(reverse("admin:index"), follow=True)
    assert response.redirect_chain[-1] == (f"{reverse('login')}?next=/admin/", 302)


def test_portfolio_managers_keep_business_records(client, portfolio_manager):
    client.force_login(portfolio_manager)
    pages = admin_pages()
    for url in pages["business"]:
        assert client.get(url).status_code == 200
    for url in pages["people"]:
        assert client.get(url).status_code == 403
    stage = Stage.objects.first()
    change = reverse("admin:pipelines_stage_change", args=[stage.pk])
    assert client.get(change).status_code == 200
    assert client.post(change, {"name": "Renamed"}).status_code == 403
    assert client.get(reverse("admin:pipelines_stage_add")).status_code == 403


def test_administrators_keep_everything(client, administrator):
    client.force_login(administrator)
    for urls in admin_pages().values():
        for url in urls:
            assert client.get(url).status_code == 200
    assert client.get(reverse("admin:oegen_user_add")).status_code == 200
    assert client.get(reverse("admin:pipelines_technology_add")).status_code == 200


def test_an_administrator_makes_a_portfolio_manager(client, administrator):
    client.force_login(administrator)
    response = client.post(
        reverse("admin:oegen_user_add"),
        {
            "username": "newcomer",
            "usable_password": "true",
            "password1": "a long enough secret",
            "password2": "a long enough secret",
            "groups": [str(Group.objects.get(name=roles.PORTFOLIO_MANAGERS).pk)],
        },
    )
    assert response.status_code == 302
    client.force_login(User.objects.get(username="newcomer"))
    assert client.get(reverse("admin:pipelines_pipeline_add")).status_code == 200


def test_a_person_who_changed_something_cannot_be_removed(client, administrator, portfolio_manager):
    with audit.change_set(person=portfolio_manager):
        make_pipeline()
    client.force_login(administrator)
    url = reverse("admin:oegen_user_delete", args=[portfolio_manager.pk])
    client.post(url, {"post": "yes"})
    assert User.objects.filter(pk=portfolio_manager.pk).exists()


def test_a_comment_is_corrected_by_its_author_or_an_administrator_only(
    client, portfolio_manager, administrator
):
    comment = Comment.objects.create(
        subject=make_pipeline(), author=portfolio_manager, text="First thoughts"
    )
    url = reverse("admin:oegen_comment_change", args=[comment.pk])
    client.force_login(make_user(roles.PORTFOLIO_MANAGERS))
    assert client.post(url, {"text": "Not mine"}).status_code == 403
    for person, text in [(portfolio_manager, "Second thoughts"), (administrator, "Third")]:
        client.force_login(person)
        guard = client.get(url).context["adminform"].form["guard"].value()
        assert client.post(url, {"text": text, "guard": guard}).status_code == 302
        comment.refresh_from_db()
        assert comment.text == text
    assert comment.history.count() == 3


def test_what_an_administrator_took_from_a_role_stays_away_and_what_is_new_is_given():
    role = Group.objects.get(name=roles.PORTFOLIO_MANAGERS)
    role.permissions.remove(Permission.objects.get(codename="delete_pipeline"))
    Permission.objects.get(codename="delete_facility").delete()
    grants.grant_roles(apps.get_app_config("oegen"))
    names = set(role.permissions.values_list("codename", flat=True))
    assert "delete_pipeline" not in names
    assert "delete_facility" in names, "the permissions of a model that is new"


def test_migrating_again_takes_no_permission_away_and_adds_none_twice():
    group = Group.objects.get(name=roles.PORTFOLIO_MANAGERS)
    before = set(group.permissions.values_list("codename", flat=True))
    grants.grant_roles(apps.get_app_config("oegen"))
    assert set(group.permissions.values_list("codename", flat=True)) == before
