"""The addresses that are no records: the kinds there are, the description, its viewer, and 404."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from oegen.api.rest.access import TokenAuthentication, TokenView
from oegen.api.rest.registry import ADDRESSES, VIEWSETS
from oegen.core import caching


class Root(TokenView, APIView):
    """The kinds of records and the other lists there are, with their addresses."""

    authentication_classes = (TokenAuthentication, SessionAuthentication)
    permission_classes = (IsAuthenticated,)

    @extend_schema(exclude=True)
    def get(self, request):
        names = sorted({*VIEWSETS, *ADDRESSES})
        return Response({name: reverse(f"api-{name}-list", request=request) for name in names})


class Unknown(APIView):
    """404 as a problem, for every other address below /api/."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(exclude=True)
    def get(self, request, *args, **kwargs):
        raise Http404("There is nothing at this address: /api/docs/ lists what there is.")

    post = put = patch = delete = get


class Description(TokenView, APIView):
    """The OpenAPI description, made once for each release."""

    authentication_classes = (TokenAuthentication, SessionAuthentication)
    permission_classes = (IsAuthenticated,)

    @extend_schema(exclude=True)
    def get(self, request):
        return HttpResponse(
            caching.keep(description, "openapi"), content_type="application/vnd.oai.openapi+json"
        )


def description() -> str:
    """The OpenAPI description as JSON."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return OpenApiJsonRenderer().render(schema, renderer_context={}).decode()


class Docs(SpectacularSwaggerSplitView):
    """The viewer of the description, from local files."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAuthenticated,)
    url_name = "api-schema"
    template_name = "oegen/api/docs.html"
    title = "API of the OEGen pipeline tool"
