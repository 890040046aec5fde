from django.urls import path

from pipelines import (
    board,
    bulk,
    connect,
    editing,
    map,
    milestone_list,
    milestones,
    records,
    views,
)
from pipelines.timeline.views import Timeline, TimelineRows

urlpatterns = [
    path("pipelines/", views.PipelineList.as_view(), name="pipelines"),
    path("connect/", connect.Connect.as_view(), name="connect"),
    path("connect/power-bi/", connect.PowerBIFile.as_view(), name="connect-power-bi"),
    path("connect/excel/", connect.ExcelFile.as_view(), name="connect-excel"),
    path("pipelines/board/", board.Board.as_view(), name="board"),
    path("pipelines/<uuid:pk>/move/", board.MoveCard.as_view(), name="pipeline-move"),
    path(
        "pipelines/<uuid:pk>/edit/<slug:what>/",
        editing.EditPipeline.as_view(),
        name="pipeline-edit",
    ),
    path(
        "pipelines/<uuid:pk>/undo/<uuid:change_set>/",
        editing.UndoEdit.as_view(),
        name="pipeline-undo",
    ),
    path(
        "pipelines/<uuid:pk>/milestones/<slug:kind>/",
        milestones.EditMilestone.as_view(),
        name="pipeline-milestone",
    ),
    path("milestones/", milestone_list.MilestoneList.as_view(), name="milestones"),
    path("pipelines/together/<slug:what>/", bulk.EditTogether.as_view(), name="pipelines-together"),
    path("pipelines/map/", map.Map.as_view(), name="map"),
    path("pipelines/map/data/", map.MapData.as_view(), name="map-data"),
    path("pipelines/map/layers/<slug:name>/", map.layer_data, name="map-layer"),
    path("pipelines/timeline/", Timeline.as_view(), name="timeline"),
    path("pipelines/timeline/rows/", TimelineRows.as_view(), name="timeline-rows"),
    path("pipelines/<uuid:pk>/confirm-rag/", views.confirm_rag, name="pipeline-confirm-rag"),
    path("pipelines/<uuid:pk>/", records.PipelinePage.as_view(), name="pipeline"),
    path("facilities/", views.FacilityList.as_view(), name="facilities"),
    path("facilities/<uuid:pk>/", records.FacilityPage.as_view(), name="facility"),
]
