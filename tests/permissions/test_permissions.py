"""Who gets which answer from which address: one table for every route of the site.

A route that the table does not know fails ``test_every_route_is_in_the_table``, which says what to
add and where.
"""

import re

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver

from tests.support.addresses import address_of
from tests.support.builders import make_portfolio, make_user

ROLES = ["anonymous", "Managers", "Portfolio managers", "Administrators"]

# Status codes in the order of ROLES. POSTs are empty: 200 is a form that says what is missing,
# 400 is a refusal of what was sent, not of the person.
READ = {"GET": (302, 200, 200, 200)}
# Everybody may choose columns and keep views of their own.
LIST = {**READ, "POST": (302, 400, 400, 400)}
RECORD = {**READ, "POST": (302, 403, 200, 200)}
EDITORS_READ = {"GET": (302, 403, 200, 200)}
EDITORS_WRITE = {**EDITORS_READ, "POST": (302, 403, 200, 200)}
ADMINISTRATORS_READ = {"GET": (302, 403, 403, 200)}
ADMINISTRATORS_WRITE = {**ADMINISTRATORS_READ, "POST": (302, 403, 403, 200)}
READ_BY_EDITORS_WRITTEN_BY_ADMINISTRATORS = {**EDITORS_READ, "POST": (302, 403, 403, 200)}
# The page that removes something answers an empty POST with itself or leads back to itself.
LET_IN = frozenset({200, 302})
EDITORS_REMOVE = {**EDITORS_READ, "POST": (302, 403, LET_IN, LET_IN)}
ADMINISTRATORS_REMOVE = {**ADMINISTRATORS_READ, "POST": (302, 403, 403, LET_IN)}
NOBODY = {"GET": (302, 403, 403, 403), "POST": (302, 403, 403, 403)}
TO_THE_FORM = {"GET": (302, 403, 302, 302)}
TO_THE_HISTORY = TO_THE_FORM
TOKENS_ONLY = {"GET": (401, 401, 401, 401), "POST": (405, 405, 405, 405)}

#: By the route as the URL configuration writes it.
PAGES = {
    "": READ,
    "ask/": READ,
    "ask/answer/": {"GET": (302, 405, 405, 405), "POST": (302, 400, 400, 400)},
    "ask/start/": READ,
    "ask/<uuid:pk>/": READ,
    # Of the portfolio manager, whose answer it is.
    "ask/<uuid:pk>/thumb/": {"GET": (302, 405, 405, 405), "POST": (302, 404, 204, 404)},
    "audit/": READ,
    "audit/<int:number>/": READ,
    "audit/<int:number>/undo/": EDITORS_WRITE,
    "audit/removed/": READ,
    "changes/": READ,
    "changes/latest/": READ,
    "comments/<uuid:comment>/change/": EDITORS_WRITE,
    "comments/<uuid:comment>/remove/": EDITORS_WRITE,
    "competitors/": READ,
    # Of a company that is no counterparty yet; the first POST of an editor makes it one.
    "competitors/<uuid:pk>/": {**READ, "POST": (302, 403, 302, 302)},
    "connect/": READ,
    "connect/excel/": READ,
    "connect/power-bi/": READ,
    "contacts/": LIST,
    "contacts/<uuid:pk>/": RECORD,
    "contacts/duplicates/": READ,
    "contacts/<uuid:pk>/merge/": EDITORS_WRITE,
    "counterparties/": LIST,
    "counterparties/<uuid:pk>/": RECORD,
    "counterparties/duplicates/": READ,
    "counterparties/<uuid:pk>/merge/": EDITORS_WRITE,
    "counterparties/names/": READ,
    "facilities/": LIST,
    "facilities/<uuid:pk>/": RECORD,
    "healthz": {"GET": (200, 200, 200, 200)},
    "history/<str:kind>/<uuid:pk>/": READ,
    "history/<str:kind>/<uuid:pk>/<int:entry>/": READ,
    "history/<str:kind>/<uuid:pk>/<int:entry>/restore/": EDITORS_WRITE,
    "import/": EDITORS_WRITE,
    # Of the portfolio manager, whose file it is.
    "import/<uuid:pk>/": {"GET": (302, 403, 200, 404), "POST": (302, 403, 400, 400)},
    "import/<uuid:pk>/columns/": {"GET": (302, 403, 200, 404), "POST": (302, 403, 400, 400)},
    "import/<uuid:pk>/errors/": {"GET": (302, 403, 200, 404)},
    "infopoints/": LIST,
    "infopoints/<uuid:pk>/": RECORD,
    "jobs/": READ,
    # Of the system; a person's own is another matter: see tests/oegen/pages/test_jobs.py.
    "jobs/<uuid:pk>/": {"GET": (302, 404, 404, 200), "POST": (302, 404, 404, 400)},
    "jobs/<uuid:pk>/file/": {"GET": (302, 404, 404, 404)},
    "login/": {"GET": (200, 302, 302, 302)},
    "logout/": {"GET": (302, 405, 405, 405), "POST": (302, 302, 302, 302)},
    "me/password/": {**READ, "POST": (302, 200, 200, 200)},
    "me/alerts/": {**READ, "POST": (302, 302, 302, 302)},
    "me/tokens/": {**READ, "POST": (302, 200, 200, 200)},
    "milestones/": LIST,
    "notices/": LIST,
    "people/names/": EDITORS_READ,
    "people/told/": EDITORS_READ,
    "pipelines/": LIST,
    "pipelines/<uuid:pk>/": RECORD,
    "pipelines/<uuid:pk>/confirm-rag/": {"POST": (302, 403, 400, 400)},
    "pipelines/<uuid:pk>/move/": {"GET": (302, 403, 405, 405), "POST": (302, 403, 422, 422)},
    "pipelines/<uuid:pk>/milestones/<slug:kind>/": {
        "GET": (302, 403, 200, 200),
        "POST": (302, 403, 422, 422),
    },
    "pipelines/<uuid:pk>/edit/<slug:what>/": {
        "GET": (302, 403, 200, 200),
        "POST": (302, 403, 422, 422),
    },
    "pipelines/together/<slug:what>/": {
        "GET": (302, 403, 200, 200),
        "POST": (302, 403, 422, 422),
    },
    "pipelines/<uuid:pk>/undo/<uuid:change_set>/": {"POST": (302, 403, 409, 409)},
    "pipelines/board/": READ,
    "pipelines/map/": READ,
    "pipelines/map/data/": READ,
    "pipelines/map/layers/<slug:name>/": READ,
    "pipelines/timeline/": READ,
    "pipelines/timeline/rows/": READ,
    "registers/": {**READ, "POST": (302, 403, 400, 400)},
    "registers/benchmarks/": READ,
    "registers/found/": READ,
    "registers/projects/": LIST,
    "registers/projects/<uuid:pk>/": READ,
    "registers/review/": {**READ, "POST": (302, 403, 400, 400)},
    "report/": {**READ, "POST": (302, 422, 422, 422)},
    "report/frozen/": READ,
    "report/frozen/<uuid:pk>/": READ,
    "report/frozen/<uuid:pk>/today/": READ,
    "search/": READ,
    "search/suggest/": READ,
    "warehouse/": ADMINISTRATORS_READ,
    "webhooks/": EDITORS_WRITE,
    # Of the portfolio manager, which administrators may see, too.
    "webhooks/<uuid:pk>/": {"GET": (302, 403, 200, 200), "POST": (302, 403, 400, 400)},
    # The right to it is the signature in it.
    "unsubscribe/<str:token>/": dict.fromkeys(["GET", "POST"], (200, 200, 200, 200)),
    "api/": {"GET": (401, 200, 200, 200)},
    "api/openapi.json": {"GET": (401, 200, 200, 200)},
    "api/docs/": {"GET": (302, 200, 200, 200)},
    "api/^[\\s\\S]*$": {"GET": (404, 404, 404, 404)},
    # By access tokens only: tests/oegen/api/odata/.
    "odata/v1/": TOKENS_ONLY,
    "odata/^v1/as-of/(?P<day>[^/]+)(?:/(?P<path>.*))?$": TOKENS_ONLY,
    "odata/^(?:v1)?(?:/(?P<path>.*))?$": TOKENS_ONLY,
    # By access tokens only: tests/dashboard/ask/test_mcp.py.
    "mcp": {"GET": (405, 405, 405, 405), "POST": (401, 401, 401, 401)},
    "admin/": EDITORS_READ,
    "admin/login/": {"GET": (302, 403, 403, 403)},
    "admin/logout/": {"POST": (302, 403, 302, 302)},
    "admin/password_change/": TO_THE_FORM,
    "admin/password_change/done/": TO_THE_FORM,
    "admin/autocomplete/": EDITORS_READ,
    "admin/jsi18n/": EDITORS_READ,
    "admin/r/<path:content_type_id>/<path:object_id>/": TO_THE_FORM,
    "admin/oegen/user/<id>/password/": ADMINISTRATORS_WRITE,
    "admin/<app_label>/": EDITORS_READ,
    "admin/(?P<url>.*)$": {"GET": (302, 403, 404, 404)},
}

BUSINESS = {
    "": EDITORS_READ,
    "add/": EDITORS_WRITE,
    "<path:object_id>/": TO_THE_FORM,
    "<path:object_id>/change/": EDITORS_WRITE,
    "<path:object_id>/delete/": EDITORS_REMOVE,
    "<path:object_id>/history/": TO_THE_HISTORY,
}
REFERENCE = {
    **BUSINESS,
    "add/": ADMINISTRATORS_WRITE,
    "<path:object_id>/change/": READ_BY_EDITORS_WRITTEN_BY_ADMINISTRATORS,
    "<path:object_id>/delete/": ADMINISTRATORS_REMOVE,
}
PEOPLE = {
    **REFERENCE,
    "": ADMINISTRATORS_READ,
    "<path:object_id>/change/": ADMINISTRATORS_WRITE,
    "<path:object_id>/history/": ADMINISTRATORS_READ,
}
COMMENTS = {**BUSINESS, "add/": NOBODY}
MOVES = {**COMMENTS, "<path:object_id>/delete/": NOBODY}
OUTBOX = {
    **PEOPLE,
    "add/": NOBODY,
    # Nothing in it can be typed, so an empty form is complete and leads back to the list.
    "<path:object_id>/change/": {**ADMINISTRATORS_READ, "POST": (302, 403, 403, 302)},
    "<path:object_id>/delete/": NOBODY,
}

ACKNOWLEDGEMENTS = {**PEOPLE, "add/": NOBODY, "<path:object_id>/history/": TO_THE_HISTORY}
SECURITY_EVENTS = {
    **PEOPLE,
    "add/": NOBODY,
    "<path:object_id>/change/": ADMINISTRATORS_READ,
    "<path:object_id>/delete/": NOBODY,
}

EDITIONS = {
    **COMMENTS,
    "<path:object_id>/change/": EDITORS_READ,
    "<path:object_id>/delete/": NOBODY,
}

#: By the admin's address of the model.
MODELS = {
    "admin/auth/group/": PEOPLE,
    "admin/counterparties/contact/": BUSINESS,
    "admin/counterparties/contactrole/": REFERENCE,
    "admin/counterparties/counterparty/": BUSINESS,
    "admin/dashboard/askedquestion/": SECURITY_EVENTS,
    "admin/infopoints/informationpoint/": BUSINESS,
    "admin/oegen/acknowledgement/": ACKNOWLEDGEMENTS,
    "admin/oegen/alert/": OUTBOX,
    "admin/oegen/alertrule/": REFERENCE,
    "admin/oegen/apitoken/": SECURITY_EVENTS,
    "admin/oegen/comment/": COMMENTS,
    "admin/oegen/externalreference/": COMMENTS,
    "admin/oegen/job/": OUTBOX,
    "admin/oegen/schedule/": REFERENCE,
    "admin/oegen/securityevent/": SECURITY_EVENTS,
    "admin/oegen/user/": PEOPLE,
    "admin/oegen/webhook/": SECURITY_EVENTS,
    "admin/pipelines/counterpartyrole/": REFERENCE,
    "admin/pipelines/facility/": BUSINESS,
    "admin/pipelines/pipeline/": BUSINESS,
    "admin/pipelines/gateset/": REFERENCE,
    "admin/pipelines/milestonekind/": REFERENCE,
    "admin/pipelines/stage/": REFERENCE,
    "admin/pipelines/stagetransition/": MOVES,
    "admin/pipelines/technology/": REFERENCE,
    "admin/registers/edition/": EDITIONS,
    "admin/registers/match/": EDITIONS,
    "admin/registers/register/": REFERENCE,
    "admin/registers/registercompany/": SECURITY_EVENTS,
    "admin/registers/registerproject/": SECURITY_EVENTS,
    "admin/registers/registerstate/": SECURITY_EVENTS,
    "admin/registers/reject/": SECURITY_EVENTS,
}

TABLE = PAGES | {
    prefix + route: answers
    for prefix, routes in MODELS.items()
    for route, answers in routes.items()
}

#: Vocabularies with the same admin as this one, so that most runs look at this one's pages alone.
VOCABULARY = "admin/pipelines/stage/"
HEAVY = {
    route
    for route in TABLE
    for prefix, answers in MODELS.items()
    if answers is REFERENCE and prefix != VOCABULARY and route.startswith(prefix)
}


def all_routes() -> list[str]:
    """Every route of the site as the URL configuration writes it, prefixes included.

    The admin lists its applications in a pattern, in the order they were imported; left out here.
    """

    def walk(patterns, prefix=""):
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            else:
                yield re.sub(r"\^\(\?P<app_label>[^)]*\)/\$", "<app_label>/", route)

    # The records of the API: tests/oegen/api/test_roles.py.
    routes = walk(get_resolver().url_patterns)
    return [route for route in routes if not route.startswith("api/v1/")]


def test_every_route_is_in_the_table():
    missing = sorted(set(all_routes()) - set(TABLE))
    gone = sorted(set(TABLE) - set(all_routes()))

    assert not missing, (
        f"tests/permissions/test_permissions.py does not say who may open {missing}. Add each to "
        'PAGES as it is written here, such as "contacts/": READ, with the statuses in the order '
        "of ROLES; a model that is new in the admin goes into MODELS."
    )
    assert not gone, f"There is no such route any more; take it out of the table: {gone}"


@pytest.fixture(scope="module")
def people(module_db):
    return {role: None if role == "anonymous" else make_user(role) for role in ROLES}


@pytest.fixture(scope="module")
def addresses(people):
    """A function of a route that gives an address at which there is something."""
    records = make_portfolio(people["Portfolio managers"])
    return lambda route: address_of(route, records)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "route",
    [pytest.param(one, marks=pytest.mark.heavy) if one in HEAVY else one for one in TABLE],
)
def test_each_role_gets_its_answer(route, addresses, people):
    address = addresses(route)
    for method, expected in TABLE[route].items():
        for (role, person), status in zip(people.items(), expected, strict=True):
            client = Client()
            if person:
                client.force_login(person)
            answer = client.generic(method, address).status_code
            allowed = status if isinstance(status, frozenset) else {status}
            assert answer in allowed, f"{role}: {method} {address}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "route", [route for route, answers in TABLE.items() if answers.get("GET", (0, 0))[1] == 200]
)
def test_manager_sees_no_way_to_edit(route, addresses, people):
    client = Client()
    client.force_login(people["Managers"])

    html = client.get(addresses(route)).content.decode()

    assert "/admin/" not in html
    assert "Add a comment" not in html
    assert "data-key-edit" not in html
