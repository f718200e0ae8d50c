from django.urls import path

from vibration import views

urlpatterns = [
    path("", views.waveform, name="waveform"),
    path("table/", views.table, name="table"),
]
