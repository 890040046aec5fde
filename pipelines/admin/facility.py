from django.contrib import admin

from oegen.admin import AuditedAdmin
from oegen.admin.forms import RecordForm
from pipelines.admin.filters import TechnologyFilter
from pipelines.models import Facility


class FacilityForm(RecordForm):
    class Media:
        css = {"all": ["vendor/leaflet/leaflet.css"]}
        js = [
            "vendor/leaflet/leaflet.js",
            "oegen/basemap.js",
            "oegen/admin/coordinates.js",
        ]


@admin.register(Facility)
class FacilityAdmin(AuditedAdmin):
    form = FacilityForm
    list_display = ["name", "technology", "capacity_mw", "storage_mwh", "country", "region"]
    list_select_related = ["technology"]
    list_filter = [
        ("technology", TechnologyFilter),
        ("country", admin.AllValuesFieldListFilter),
    ]
    search_fields = ["name", "region"]
    autocomplete_fields = ["technology"]
    fieldsets = [
        (None, {"fields": ["name", "technology"]}),
        ("Size", {"fields": ["capacity_mw", "storage_mwh", "export_limit_mw"]}),
        (
            "Place",
            {
                "fields": ["latitude", "longitude", "country", "region"],
                "classes": ["coordinates"],
                "description": "Type the coordinates, or click the place on the map.",
            },
        ),
    ]
