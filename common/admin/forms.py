"""The forms of the administration in which several people edit the same: nobody's change is wiped without a word."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core import signing
from django.db import models, transaction
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from common.audit_trail import changers

DRAWN = "drawn"  # the form's hidden field
_LONGEST_VALUE = 80


class ToldOfChanges(admin.ModelAdmin):
    """Mixed into a ModelAdmin whose rows are changed.

    A form tells in a hidden field what was stored when it was drawn. If that is another by the time when it is sent,
    it is not saved, but says who has changed what. Sent once more, it is.
    """

    change_form_template = "admin/told_of_changes.html"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        if request.method != "POST":
            return self._changeform_view_of(request, object_id, form_url, extra_context)
        with transaction.atomic():
            return self._changeform_view_of(request, object_id, form_url, extra_context)

    def _changeform_view_of(
        self, request: HttpRequest, object_id: str, form_url: str, extra_context: dict[str, Any] | None
    ) -> HttpResponse:
        at = timezone.now()  # before anything is read
        obj = self.get_object(request, unquote(object_id))
        if obj is not None:
            if request.method == "POST":
                # As it is stored now, and nobody changes it until this one is saved.
                obj = self.model._base_manager.select_for_update().filter(pk=obj.pk).first() or obj
            stored = dict(self._stored(request, obj))
            if request.method == "POST":
                request.changed_meanwhile = _changed_meanwhile(obj, request.POST.get(DRAWN, ""), stored)
            extra_context = (extra_context or {}) | {DRAWN: _as_text(obj, stored, at)}
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: models.Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        message = getattr(request, "changed_meanwhile", None)
        return _with_error(form, message) if message else form

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[forms.ModelForm]:
        return super().get_changelist_form(request, **({"form": Row} | kwargs))

    def save_model(self, request: HttpRequest, obj: models.Model, form: forms.ModelForm, change: bool) -> None:
        if isinstance(form, Row):  # of the list, where no row is locked
            obj.save(update_fields=form.changed_data)
        else:
            super().save_model(request, obj, form, change)

    def _stored(self, request: HttpRequest, obj: models.Model) -> "Iterator[tuple[str, Stored]]":
        """What the form of this object shows and changes, also of its inlines, each under a name of its own."""
        yield from _values(obj, self.get_form(request, obj, change=True))
        for inline in self.get_inline_instances(request, obj):
            formset = inline.get_formset(request, obj)
            for child in inline.get_queryset(request).filter(**{formset.fk.name: obj}):
                yield from _values(child, formset.form)


class Row(forms.ModelForm):
    """Of a list with fields to change: a row that nobody has touched is not saved.

    Django compares with what is stored now, and so saves what another has changed since the list was drawn.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True


class Stored:
    """One value as it is stored: to be compared, and in words."""

    def __init__(self, obj: models.Model, field: models.Field, value: Any):
        self.field = field
        self.is_of = obj
        self.value = value

    @property
    def digest(self) -> str:
        value = self.value
        if isinstance(value, list):  # of a many-to-many field
            value = sorted(it.pk for it in value)
        return hashlib.sha256(repr(value).encode("utf-8", "backslashreplace")).hexdigest()[:16]

    def in_words(self, owner: models.Model) -> str:
        of_whom = "" if self.is_of == owner else f"{self.is_of}: "
        now = _("%(field)s (now: %(value)s)") % {"field": self.field.verbose_name, "value": self._value_in_words()}
        return f"{of_whom}{now}"

    def _value_in_words(self) -> str:
        if isinstance(self.value, bool):
            return _("yes") if self.value else _("no")
        if isinstance(self.value, list):
            text = ", ".join(sorted(map(str, self.value)))
        else:
            text = "" if self.value is None else str(dict(self.field.flatchoices).get(self.value, self.value))
        text = text or "–"
        return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _with_error(form: type[forms.ModelForm], message: str) -> type[forms.ModelForm]:
    class Warned(form):
        def clean(self) -> dict[str, Any] | None:
            self.add_error(None, message)
            return super().clean()

    return Warned


def _values(obj: models.Model, form: type[forms.ModelForm]) -> Iterator[tuple[str, Stored]]:
    names = [name for name, field in form.base_fields.items() if not field.disabled]
    fields = {it.name: it for it in (*obj._meta.fields, *obj._meta.many_to_many)}
    for name, value in model_to_dict(obj, names).items():
        yield f"{obj._meta.label_lower} {obj.pk} {name}", Stored(obj, fields[name], value)


def _salt(obj: models.Model) -> str:
    return f"{__name__} {obj._meta.label_lower} {obj.pk}"


def _as_text(obj: models.Model, stored: dict[str, Stored], at: datetime) -> str:
    digests = {name: it.digest for name, it in stored.items()}
    return signing.dumps([at.timestamp(), digests], salt=_salt(obj), compress=True)


def _changed_meanwhile(obj: models.Model, drawn: str, stored: dict[str, Stored]) -> str:
    """What is said of changes since a form was drawn; empty if there were none. What is new is wiped by no form."""
    try:
        at, digests = signing.loads(drawn, salt=_salt(obj))
    except signing.BadSignature:
        return _("This form does not tell from when it is. Look at what is stored now, then save once more.")
    changed = [name for name, digest in digests.items() if name not in stored or stored[name].digest != digest]
    if not changed:
        return ""
    rows = dict.fromkeys(tuple(name.split()[:2]) for name in changed)  # label and number
    gone = [_deleted(*row) for row in rows if not any(name.startswith(f"{row[0]} {row[1]} ") for name in stored)]
    what = [*(stored[name].in_words(obj) for name in changed if name in stored), *gone]
    who = changers(rows, since=datetime.fromtimestamp(at, UTC))
    return _(
        "While this form was open, %(who)s changed: %(what)s. Nothing of yours is saved yet. What you entered is still "
        "here: save once more to put it in the place of that."
    ) % {"who": ", ".join(who) or _("somebody else"), "what": "; ".join(what)}


def _deleted(label: str, pk: str) -> str:
    return _("%(kind)s no. %(number)s (deleted)") % {
        "kind": apps.get_model(label)._meta.verbose_name,
        "number": pk,
    }
