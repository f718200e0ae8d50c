"""What the query string of a page may name: a page refuses what it does not know, as the API does.

Passed over, a mistyped filter would show everything, or another machine, under the name that was asked for.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _

from common.rest.query import CACHE_BUSTER

EVERYWHERE = {"kiosk"}  # templates/base.html
MOST_TOLD, LONGEST_TOLD = 20, 60


def reads(form: type[forms.Form] | None = None, *others: str) -> Callable:
    """Let a view's query string name the fields of a form, and some others; of anything else the answer is a 400.

    What may be given once only is refused when it is given twice. Empty values are the form's affair: browsers send
    them of each field that is left open.
    """
    fields = form.base_fields if form else {}
    known = {*fields, *others} | EVERYWHERE
    repeatable = {name for name, field in fields.items() if isinstance(field, forms.MultipleChoiceField)}

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if wrong := _wrong(request.GET, known, repeatable):
                context = {"wrong": wrong[:MOST_TOLD], "known": sorted(known)}
                return render(request, "bad_query.html", context, status=400)
            return view(request, *args, **kwargs)

        checked.known_parameters = known  # type: ignore[attr-defined]  # a note of ours at the view
        return checked

    return decorate


def _wrong(query: QueryDict, known: set[str], repeatable: set[str]) -> list[str]:
    wrong = []
    for name, values in query.lists():
        if name == CACHE_BUSTER:
            continue
        told = {"name": name if len(name) <= LONGEST_TOLD else f"{name[:LONGEST_TOLD]}…"}
        if name not in known:
            wrong.append(_("This page knows no parameter “%(name)s”.") % told)
        elif len(values) > 1 and name not in repeatable:
            wrong.append(_("The parameter “%(name)s” is given more than once.") % told)
    return wrong
