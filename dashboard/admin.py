from django.contrib import admin

from dashboard.models import AskedQuestion
from oegen.admin.lists import StrictFiltersMixin
from oegen.admin.read_only import ReadOnlyMixin
from oegen.admin.removal import RemovalMixin


@admin.register(AskedQuestion)
class AskedQuestionAdmin(ReadOnlyMixin, RemovalMixin, StrictFiltersMixin, admin.ModelAdmin):
    """What was asked and answered, read-only."""

    list_display = ["created_at", "person", "question", "answer", "answered_by", "thumbs"]
    list_display_links = ["question"]
    list_filter = ["via", "thumbs", "answered_by"]
    search_fields = ["question", "person__username"]
    search_help_text = "Words of the question, or a username."
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    list_select_related = ["person"]
    fieldsets = [
        (None, {"fields": ["created_at", "person", "via", "page", "day"]}),
        ("Question", {"fields": ["question", "reading", "conversation"]}),
        ("Answer", {"fields": ["answer", "refusal", "answered_by", "thumbs"]}),
        ("How it came about", {"fields": ["lookups", "figures", "written", "dropped"]}),
        ("What it took", {"fields": ["input_tokens", "output_tokens", "milliseconds"]}),
    ]
    readonly_fields = ["answer"]
