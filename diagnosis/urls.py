from django.urls import path

from diagnosis.pages import views

urlpatterns = [
    path("", views.overview, name="home"),
    path("machines/", views.machine_by_name, name="machine-by-name"),
    path("machines/<path:name>/", views.machine, name="machine"),
    path("diagnosis/", views.dashboard, name="dashboard"),
    path("diagnosis/history/", views.history, name="history"),
    path("diagnosis/timeline/", views.timeline, name="timeline"),
]
