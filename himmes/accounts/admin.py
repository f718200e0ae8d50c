"""The administration of API tokens."""

import secrets

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.admin.lists import OfferedFilters
from himmes.accounts import admin_users  # noqa: F401  Django looks for this module alone
from himmes.accounts.models import ApiToken
from himmes.accounts.tokens import issue

REMEMBERED_FORMS = 20  # of one session


class TokenForm(forms.ModelForm):
    """A new token; of a user who has the role, as it can't do more than he may."""

    # What tells this form from another, so that reloading its answer makes no second token.
    once = forms.CharField(widget=forms.HiddenInput, required=False, initial=secrets.token_urlsafe)

    class Meta:
        model = ApiToken
        fields = ["name", "user", "role", "expiry"]

    def clean(self):
        super().clean()
        asked = self.cleaned_data
        user, role, expiry = asked.get("user"), asked.get("role"), asked.get("expiry")
        if user and role and not user.is_superuser and not user.groups.filter(pk=role.pk).exists():
            self.add_error("role", _("This user does not have the role. Give it to him first."))
        if user and not user.is_active:
            self.add_error("user", _("This user is not active; the token would not work."))
        if expiry and expiry <= timezone.now():
            self.add_error("expiry", _("This lies in the past."))
        return asked


@admin.register(ApiToken)
class ApiTokenAdmin(OfferedFilters, admin.ModelAdmin):
    """A token is made, shown once, and revoked by deleting it; nothing of it is changed."""

    form = TokenForm
    list_display = ["name", "user", "role", "begins_with", "created", "expiry", "last_used"]
    list_filter = ["role"]
    list_select_related = ["user", "role"]
    search_fields = ["name", "user__username", "token_key"]
    ordering = ["-created"]

    def has_change_permission(self, request, obj=None):
        return False

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        """Only a superuser makes tokens in a superuser's name: what is done with them is told of that user."""
        if db_field.name == "user" and not request.user.is_superuser:
            kwargs["queryset"] = get_user_model().objects.filter(is_superuser=False)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description=_("begins with"))
    def begins_with(self, token):
        return f"{token.token_key}…"

    def add_view(self, request, form_url="", extra_context=None):
        if request.POST.get("once") in request.session.get("tokens_made", []):
            messages.warning(request, _("This token was made before. It is not shown again."))
            return HttpResponseRedirect(reverse("admin:himmes_apitoken_changelist"))
        return super().add_view(request, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        obj.text = issue(obj)
        super().save_model(request, obj, form, change)
        if once := form.cleaned_data["once"]:
            made = request.session.get("tokens_made", [])
            request.session["tokens_made"] = [*made, once][-REMEMBERED_FORMS:]

    def response_add(self, request, obj, post_url_continue=None):
        """Show the token in the answer itself: a message would lie in a cookie or the session until it is read."""
        context = self.admin_site.each_context(request) | {"token": obj, "opts": self.opts, "title": _("API token")}
        response = TemplateResponse(request, "admin/himmes/apitoken/created.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response
