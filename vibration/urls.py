from django.urls import path

from vibration.pages import views

urlpatterns = [
    path("", views.waveform, name="waveform"),
    path("table/", views.table, name="table"),
]
