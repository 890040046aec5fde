from django.contrib import admin


class ReadOnlyMixin(admin.ModelAdmin):
    """Records that nobody adds, changes or removes in the admin."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
