"""The lists of the administration: what their query strings may ask for, and which ones are only read."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.filters import ListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, IGNORED_PARAMS, SEARCH_VAR, ChangeList
from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

LONGEST_SEARCH = 200  # characters; of much more, SQLite says that the expression is too deep


class ShortSearch(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields = {SEARCH_VAR: forms.CharField(required=False, strip=False, max_length=LONGEST_SEARCH)}


class OfferedList(ChangeList):
    """Filtered by what the filters beside it offer, and by nothing else.

    Django also takes any field of the model, so that what a list does not show, or blots out, can be guessed letter by
    letter: `?username__startswith=a`; and any lookup, as of a year that no calendar has.
    """

    search_form_class = ShortSearch

    def get_filters(self, request: HttpRequest) -> tuple[list[ListFilter], bool, dict[str, bool | str], bool, bool]:
        specs, has_filters, others, may_repeat, is_filtered = super().get_filters(request)
        if others:
            raise IncorrectLookupParameters(f"not offered: {', '.join(others)}")
        return specs, has_filters, others, may_repeat, is_filtered


class OfferedFilters(admin.ModelAdmin):
    """Mixed into each ModelAdmin, before Django's; says in words that a filter can't be."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OfferedList

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        try:
            return super().get_changelist_instance(request)
        except (IncorrectLookupParameters, OverflowError) as error:  # the latter: a time beyond the calendar
            names = ", ".join(name[:60] for name in request.GET if name not in IGNORED_PARAMS)
            if ERROR_FLAG not in request.GET:
                message = _("%(names)s is no filter of this list, or not one with this value. You see all of it.")
                messages.warning(request, message % {"names": names})
            raise IncorrectLookupParameters(names) from error


def record_url(user: AbstractUser, record: models.Model) -> str | None:
    """The page of a record in the administration; None for a user who may not see it there."""
    opts = record._meta
    if user.is_staff and user.has_perm(f"{opts.app_label}.{get_permission_codename('view', opts)}"):
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[record.pk])
    return None


class ReadOnly:
    """Mixed into the ModelAdmin of a record, which proves nothing if somebody can make, change or remove it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False
