from django.urls import path

from vibration.pages import capture_views, views

urlpatterns = [
    path("", views.waveform, name="waveform"),
    path("table/", views.table, name="table"),
    path("upload/", views.table, name="upload"),
    path("captures/", capture_views.captures, name="captures"),
    path("captures/<int:number>/", capture_views.capture, name="capture"),
    path("captures/<int:number>/keep/", capture_views.keep, name="capture-keep"),
]
