import django_tasks_db.admin  # noqa: F401 - registers DBTaskResult
from django.contrib import admin, messages
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator, capfirst
from django_tasks_db.models import DBTaskResult

from oegen.admin.lists import StrictFiltersMixin
from oegen.admin.reference import ReferenceAdmin
from oegen.admin.removal import RemovalMixin
from oegen.core.words import count
from oegen.jobs import queue, status
from oegen.jobs.kinds import KINDS, label_of
from oegen.jobs.models import Job, Schedule
from oegen.jobs.queue import enqueue

# Jobs show the rows of the queue.
admin.site.unregister(DBTaskResult)


@admin.register(Schedule)
class ScheduleAdmin(ReferenceAdmin):
    """Schedules, with when they ask next and what became of the last time."""

    list_display = ["name", "when", "next_time", "last_job", "is_active"]
    list_editable = ["is_active"]
    list_filter = ["is_active"]
    actions = ["run_now"]

    @admin.display(description="When")
    def when(self, schedule):
        return capfirst(schedule.when)

    @admin.display(description="Next")
    def next_time(self, schedule):
        return schedule.next_time(timezone.now()) if schedule.is_active else "–"

    @admin.display(description="Last time")
    def last_job(self, schedule):
        job = schedule.jobs.first()
        if job is None:
            return "none yet"
        text = job.error or job.message or job.get_state_display()
        url = job.get_absolute_url()
        return format_html('<a href="{}">{}</a>: {}', url, job.get_state_display(), text)

    @admin.action(description="Run the selected schedules now", permissions=["change"])
    def run_now(self, request, queryset):
        number = 0
        for schedule in queryset:
            if schedule.kind in KINDS:
                enqueue(schedule.kind, person=request.user, title=schedule.name)
                number += 1
        self.message_user(request, f"{count(number, 'job')} asked for.", messages.SUCCESS)


class KindFilter(admin.SimpleListFilter):
    title = "job"
    parameter_name = "kind"

    def lookups(self, request, model_admin):
        return [(kind.code, kind.label) for kind in KINDS.values()]

    def queryset(self, request, queryset):
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Job)
class JobAdmin(RemovalMixin, StrictFiltersMixin, admin.ModelAdmin):
    """All jobs, read-only, with actions to cancel them and to let them run again."""

    list_display = ["job", "state", "created_at", "person", "attempts", "run_after", "about"]
    list_filter = ["state", KindFilter]
    list_select_related = ["person"]
    list_per_page = 50
    show_full_result_count = False
    actions = ["cancel", "try_again"]
    readonly_fields = [
        *("job", "state", "person", "schedule", "about", "progress", "created_at", "started_at"),
        *("ended_at", "attempts", "run_after", "leased_to", "leased_until", "arguments"),
        *("workers", "traceback"),
    ]
    fields = [*readonly_fields]

    def changelist_view(self, request, extra_context=None):
        context = {"title": "Background jobs", "status_lines": status.status_lines()}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description="Job", ordering="kind")
    def job(self, job):
        title = Truncator(job.title).chars(80)
        return f"{label_of(job.kind)}: {title}" if title else label_of(job.kind)

    @admin.display(description="Result or error")
    def about(self, job):
        return job.error or job.message or job.note

    @admin.display(description="Progress")
    def progress(self, job):
        return f"{job.percent} %" if job.percent is not None else "not known"

    @admin.display(description="Arguments")
    def arguments(self, job):
        given = job.task.args_kwargs["kwargs"]
        return ", ".join(f"{name}: {value}" for name, value in given.items()) or "none"

    @admin.display(description="Workers")
    def workers(self, job):
        return ", ".join(job.task.worker_ids) or "none yet"

    @admin.display(description="Last error in detail")
    def traceback(self, job):
        return format_html("<pre>{}</pre>", job.task.traceback) if job.task.traceback else "none"

    @admin.action(description="Cancel the selected jobs", permissions=["change"])
    def cancel(self, request, queryset):
        number = sum(queue.cancel(job) for job in queryset)
        self.message_user(
            request,
            f"{count(number, 'job')} cancelled; a running one stops at its next step. Those that "
            "had ended were left alone.",
            messages.SUCCESS if number else messages.WARNING,
        )

    @admin.action(description="Run the selected jobs again", permissions=["change"])
    def try_again(self, request, queryset):
        number = sum(queue.try_again(job) for job in queryset)
        self.message_user(
            request,
            f"{count(number, 'job')} will run again; those that have not failed or been cancelled "
            "were left alone.",
            messages.SUCCESS if number else messages.WARNING,
        )
