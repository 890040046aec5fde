"""Routes from the registered view sets."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from oegen.api.rest.viewsets import RecordViewSet

#: What the view set's methods offer (``RecordViewSet.offers``).
OFFER_OF = {"create": "create", "partial_update": "change", "destroy": "remove"}


class RecordRouter(SimpleRouter):
    """Routes only what a view set offers: Allow and the description promise no more."""

    def get_method_map(self, viewset, method_map):
        found = super().get_method_map(viewset, method_map)
        return {
            method: action
            for method, action in found.items()
            if OFFER_OF.get(action) is None or OFFER_OF[action] in viewset.offers
        }


def records_router(viewsets: dict[str, type[RecordViewSet]]) -> RecordRouter:
    router = RecordRouter()
    for route, viewset in sorted(viewsets.items()):
        viewset.route = route
        router.register(route, viewset, basename=f"api-{route}")
    return router
