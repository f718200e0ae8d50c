from django.urls import path

from diagnosis.episodes.standing import Kind
from diagnosis.pages import alarm_views, views

urlpatterns = [
    path("", views.overview, name="home"),
    path("machines/", views.machine_by_name, name="machine-by-name"),
    path("machines/<path:name>/", views.machine, name="machine"),
    path("diagnosis/", views.dashboard, name="dashboard"),
    path("diagnosis/history/", views.history, name="history"),
    path("diagnosis/timeline/", views.timeline, name="timeline"),
    path("diagnosis/alarms/", alarm_views.alarms, name="alarms"),
    path("diagnosis/alarms/<int:number>/", alarm_views.alarm, name="alarm"),
    *[
        path(
            f"diagnosis/alarms/<int:number>/{kind.value}/", alarm_views.act, {"kind": kind}, name=f"alarm-{kind.value}"
        )
        for kind in Kind
    ],
]
