from django.contrib import admin
from django.urls import include, path

from oegen.alerts import views as alerts
from oegen.api import views as api
from oegen.api.webhooks import views as webhooks
from oegen.history import audit, record, removed, restore, undo
from oegen.pages import comments, health, jobs, palette
from oegen.pages.importing import columns, error_file, preview, uploads
from oegen.people import passwords, sign_in

urlpatterns = [
    path("", include("dashboard.urls")),
    path("", include("pipelines.urls")),
    path("", include("pipelines.registers.urls")),
    path("", include("counterparties.urls")),
    path("", include("infopoints.urls")),
    path("comments/<uuid:comment>/change/", comments.change_comment, name="comment-change"),
    path("comments/<uuid:comment>/remove/", comments.remove_comment, name="comment-remove"),
    path("audit/", audit.AuditPage.as_view(), name="audit"),
    path("audit/<int:number>/", audit.ChangeSetPage.as_view(), name="change-set"),
    path("audit/<int:number>/undo/", undo.UndoPage.as_view(), name="change-set-undo"),
    path("audit/removed/", removed.RemovedRecords.as_view(), name="removed-records"),
    path("history/<str:kind>/<uuid:pk>/", record.RecordHistory.as_view(), name="history"),
    path(
        "history/<str:kind>/<uuid:pk>/<int:entry>/",
        record.HistoryEntry.as_view(),
        name="history-entry",
    ),
    path(
        "history/<str:kind>/<uuid:pk>/<int:entry>/restore/",
        restore.HistoryRestore.as_view(),
        name="history-restore",
    ),
    path("me/password/", passwords.OwnPassword.as_view(), name="my-password"),
    path("me/alerts/", alerts.MyAlerts.as_view(), name="my-alerts"),
    path("jobs/", jobs.Jobs.as_view(), name="jobs"),
    path("jobs/<uuid:pk>/", jobs.JobPage.as_view(), name="job"),
    path("jobs/<uuid:pk>/file/", jobs.JobFile.as_view(), name="job-file"),
    path("import/", uploads.Imports.as_view(), name="imports"),
    path("import/<uuid:pk>/columns/", columns.ImportColumns.as_view(), name="import-columns"),
    path("import/<uuid:pk>/", preview.ImportPage.as_view(), name="import"),
    path("import/<uuid:pk>/errors/", error_file.ImportErrors.as_view(), name="import-errors"),
    path("me/tokens/", api.MyTokens.as_view(), name="my-tokens"),
    path("webhooks/", webhooks.Webhooks.as_view(), name="webhooks"),
    path("webhooks/<uuid:pk>/", webhooks.WebhookPage.as_view(), name="webhook"),
    path("notices/", alerts.Notices.as_view(), name="notices"),
    path("people/names/", alerts.people_to_mention, name="people-names"),
    path("people/told/", alerts.mention_recipients, name="people-told"),
    path("search/suggest/", palette.Suggest.as_view(), name="suggest"),
    path("unsubscribe/<str:token>/", alerts.unsubscribe, name="unsubscribe"),
    path("healthz", health.healthz, name="healthz"),
    path("login/", sign_in.SignIn.as_view(), name="login"),
    path("logout/", sign_in.SignOut.as_view(), name="logout"),
    path("api/", include("oegen.api.urls")),
    path("odata/", include("oegen.api.odata.urls")),
    path("admin/", admin.site.urls),
]

handler500 = "oegen.pages.busy.server_error"
