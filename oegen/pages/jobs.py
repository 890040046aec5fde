"""The pages of background jobs: a person's own, one with its progress and file."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.generic import DetailView, TemplateView, View

from oegen.jobs import files, queue
from oegen.jobs.models import Job, State
from oegen.people.requests import SignedInRequest

#: The number of jobs per page.
PAGE_SIZE = 50


class Jobs(TemplateView):
    """The jobs that the signed-in user asked for, newest first."""

    template_name = "oegen/jobs/list.html"
    request: SignedInRequest

    def get_context_data(self, **kwargs):
        jobs = Job.objects.filter(person=self.request.user).select_related("person")
        page = Paginator(jobs, PAGE_SIZE).get_page(self.request.GET.get("page"))
        return super().get_context_data(**kwargs) | {"page": page}


class JobPage(DetailView[Job]):
    """A job of the signed-in user, or any for those who may see all. ``?part=state`` returns what
    changes while it runs. A POST with ``do`` cancels it or lets it run again."""

    template_name = "oegen/jobs/job.html"
    context_object_name = "job"
    request: SignedInRequest

    def get_queryset(self):
        return Job.objects.visible_to(self.request.user).select_related("person")

    def get_template_names(self):
        is_part = self.request.GET.get("part") == "state"
        return ["oegen/jobs/state.html" if is_part else self.template_name]

    def get_context_data(self, **kwargs):
        job = self.object
        return super().get_context_data(**kwargs) | {
            "has_file": has_file(job) and job.person_id == self.request.user.pk,
            "may_act": may_act(self.request.user, job),
        }

    def post(self, request, *args, **kwargs):
        job = self.get_object()
        if not may_act(request.user, job):
            raise PermissionDenied
        action = request.POST.get("do")
        if action == "cancel":
            if not queue.cancel(job):
                messages.warning(request, "It had ended already.")
        elif action == "again":
            if not queue.try_again(job):
                messages.warning(request, "It is waiting or running already.")
        else:
            raise BadRequest("This page does not know what to do with that form.")
        return redirect(job)


class JobFile(View):
    """The file that a job made, for whoever asked for it."""

    request: SignedInRequest

    def get(self, request, pk) -> HttpResponseBase:
        job = get_object_or_404(Job, pk=pk, person=request.user, state=State.DONE)
        if not has_file(job):
            raise Http404("This job has no file, or it was deleted by now.")
        return FileResponse(
            files.path_of(job).open("rb"),
            as_attachment=True,
            filename=job.result["file"],
            content_type=job.result["content_type"],
        )


def has_file(job: Job) -> bool:
    return job.state == State.DONE and "file" in job.result and files.path_of(job).exists()


def may_act(person, job: Job) -> bool:
    """Whether the person may cancel the job or let it run again: their own, or any with the
    permission."""
    return job.person_id == person.pk or person.has_perm("oegen.change_job")
