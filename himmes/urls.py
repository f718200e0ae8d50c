"""Paths of every page; the API's paths are in `himmes/api/urls.py`."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView, TemplateView
from django.views.i18n import set_language

from common.page_queries import reads
from himmes.accounts import views
from himmes.accounts.login_limits import AdminLoginForm, LoginForm
from himmes.api import urls as api
from himmes.operations.metrics import Metrics

# Errors of middleware come here, too, and not to any middleware.
handler400 = "himmes.unavailable.bad_request"
handler500 = "himmes.unavailable.server_error"

admin.site.login_form = AdminLoginForm
admin.site.site_header = admin.site.site_title = _("HIM-MES administration")

urlpatterns = [
    path("", include("diagnosis.urls")),
    path("vibration/", include("vibration.urls")),
    path("api/", include(api.urlpatterns)),
    path("admin/password_change/", RedirectView.as_view(pattern_name="password")),
    path("admin/", admin.site.urls),
    # /healthz and /readyz are answered before addresses are looked at: himmes/operations/health.py.
    path("metrics", Metrics.as_view(), name="metrics"),
    path("login/", reads(None, "next")(auth_views.LoginView.as_view(authentication_form=LoginForm)), name="login"),
    path("logout/", reads(None, "next")(auth_views.LogoutView.as_view()), name="logout"),
    path("password/", reads()(views.Password.as_view()), name="password"),
    path(
        "password/changed/",
        reads()(TemplateView.as_view(template_name="registration/password_changed.html")),
        name="password-changed",
    ),
    # Not by include: the login page too has the language switch.
    path("i18n/setlang/", reads(None, "next")(login_not_required(set_language)), name="set_language"),
]
