"""The page on which users say what they want to be told of, and see what became of it."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from common.database.transactions import in_transaction
from common.limits.counting import UsedUp, take
from common.page_queries import reads
from diagnosis.models import Notice, Subscription
from diagnosis.models.notices import Transition
from diagnosis.notices.clock import last_look
from diagnosis.notices.messages import NotSent
from diagnosis.notices.outbox import SEES_EPISODES
from diagnosis.notices.sending import refusal_of, send_test
from diagnosis.notices.targets import masked
from diagnosis.pages.subscription_form import SubscriptionForm

RECENT = 20  # notices that are listed
WORKER_SILENT = timedelta(minutes=5)  # it looks every few seconds
TESTS, TESTS_S = 20, 3600  # of one user: nobody is to write letters with them, or to knock at doors
may_see = permission_required(SEES_EPISODES, raise_exception=True)


@may_see
@reads()
def notices(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    own = list(_own(request).prefetch_related("machines").order_by("pk"))
    looked = last_look()
    recent = Notice.objects.filter(subscription__in=own).select_related("machine", "subscription", "episode")
    context = {
        "subscriptions": [{"it": it, "target": masked(it), "told_of": _told_of(it)} for it in own],
        "recent": recent.order_by("-pk")[:RECENT],
        "no_mail_server": not settings.MAIL_IS_CONFIGURED and any(it.channel == "email" for it in own),
        "no_worker": looked is None or now - looked > WORKER_SILENT,
        "looked_at": looked,
    }
    return render(request, "diagnosis/notices.html", context)


@may_see
@reads()
@sensitive_post_parameters("target")
def add_subscription(request: HttpRequest) -> HttpResponse:
    user: Any = request.user  # one who is logged in
    return _edit(request, Subscription(user=user, language=get_language()))


@may_see
@reads()
@sensitive_post_parameters("target")
def change_subscription(request: HttpRequest, number: int) -> HttpResponse:
    return _edit(request, get_object_or_404(_own(request), pk=number))


def _edit(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    is_new = subscription._state.adding
    is_webhook = not is_new and subscription.channel == Subscription.Channel.WEBHOOK
    form = SubscriptionForm(request.POST or None, instance=subscription)
    if request.method == "POST" and form.is_valid():
        in_transaction(form.save)
        messages.success(request, _("The subscription is added.") if is_new else _("The subscription is changed."))
        return redirect("notices")
    secret = subscription.secret if is_webhook else ""
    context = {"form": form, "is_new": is_new, "number": subscription.pk, "secret": secret}
    return render(request, "diagnosis/subscription.html", context, status=400 if form.errors else 200)


@may_see
@reads()
@require_POST
def delete_subscription(request: HttpRequest, number: int) -> HttpResponse:
    subscription = get_object_or_404(_own(request), pk=number)
    in_transaction(subscription.delete)  # again, if a notice to it is written meanwhile
    messages.success(request, _("The subscription is deleted."))
    return redirect("notices")


@may_see
@reads()
@require_POST
def try_subscription(request: HttpRequest, number: int) -> HttpResponse:
    """Send a test now, and say what happened."""
    subscription = get_object_or_404(_own(request), pk=number)
    try:
        take(f"test-notices-{request.user.pk}", TESTS, TESTS_S)
        send_test(subscription)
    except UsedUp:
        messages.error(request, _("You have sent too many tests. Wait an hour."))
    except NotSent as error:
        messages.error(request, _("The test was not sent: %(error)s") % {"error": error})
    else:
        messages.success(request, _("The test was sent to %(target)s.") % {"target": masked(subscription)})
        if why := refusal_of(subscription):
            messages.warning(request, why)
    return redirect("notices")


def _own(request: HttpRequest) -> Any:
    return Subscription.objects.filter(user=request.user.pk).select_related("user")


def _told_of(subscription: Subscription) -> list[str]:
    return [str(Transition(it).label) for it in subscription.transitions if it in Transition.values]
