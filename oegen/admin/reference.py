from oegen.admin.options import AuditedAdmin


class ReferenceAdmin(AuditedAdmin):
    """The admin of a reference table. Rows that are in use or have a protected code can't be
    deleted, but deactivated."""

    list_display = ["name", "code", "order", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "code"]
    ordering = ["order", "name"]
    prepopulated_fields = {"code": ["name"]}

    view_on_site = False

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "code":
            kwargs["help_text"] = (
                "What addresses and imports call it, so keep it once it is in use. Small letters, "
                "digits and hyphens, such as offshore-wind."
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_fields(self, request, obj=None):
        """The model's fields, the name first; the template places the reason."""
        own = [field.name for field in self.opts.concrete_fields]
        asked = [name for name in super().get_fields(request, obj) if name in own]
        return sorted(asked, key=lambda name: name != "name")

    def get_prepopulated_fields(self, request, obj=None):
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not (obj and obj.has_protected_code)

    def get_readonly_fields(self, request, obj=None):
        readonly = super().get_readonly_fields(request, obj)
        return [*readonly, "code"] if obj and obj.has_protected_code else readonly

    def get_search_results(self, request, queryset, search_term):
        """Autocompletes list active rows only."""
        if request.path.endswith("/autocomplete/"):
            queryset = queryset.filter(is_active=True)
        return super().get_search_results(request, queryset, search_term)
