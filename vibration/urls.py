from django.urls import path

from vibration.pages import capture_views, upload_views, views
from vibration.pages.trends import waterfall
from vibration.pages.trends.capture_of import capture_of

urlpatterns = [
    path("", views.waveform, name="waveform"),
    path("features/", views.features, name="features"),
    path("table/", views.table, name="table"),
    path("upload/", upload_views.upload, name="upload"),
    path("upload/preview/", upload_views.preview, name="upload-preview"),
    path("upload/store/", upload_views.store, name="upload-store"),
    path("waterfall/", waterfall.waterfall, name="waterfall"),
    path("waterfall/column/", waterfall.column, name="waterfall-column"),
    path("captures/", capture_views.captures, name="captures"),
    path("captures/of/", capture_of, name="capture-of"),
    path("captures/<int:number>/", capture_views.capture, name="capture"),
    path("captures/<int:number>/keep/", capture_views.keep, name="capture-keep"),
    path("captures/<int:number>/report/", capture_views.report, name="capture-report"),
]
