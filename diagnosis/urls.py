from django.urls import path

from diagnosis.episodes.standing import Kind
from diagnosis.pages import alarm_views, kept, notices, views
from diagnosis.pages.trends.views import trend

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
    # Among the pages of vibration, but evidence of alarms is kept, too.
    path("vibration/kept/", kept.kept, name="captures-kept"),
    # Likewise: it marks alarms.
    path("vibration/trend/", trend, name="trend"),
    path("diagnosis/notices/", notices.notices, name="notices"),
    path("diagnosis/notices/add/", notices.add_subscription, name="subscription-add"),
    path("diagnosis/notices/<int:number>/", notices.change_subscription, name="subscription"),
    path("diagnosis/notices/<int:number>/delete/", notices.delete_subscription, name="subscription-delete"),
    path("diagnosis/notices/<int:number>/test/", notices.try_subscription, name="subscription-test"),
]
