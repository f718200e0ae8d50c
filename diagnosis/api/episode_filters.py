"""Filters of episodes in query strings."""

import django_filters
from django.utils import timezone
from django_filters.rest_framework import FilterSet

from common.rest.query import InstantFilter
from diagnosis.episodes.standing import Stage
from diagnosis.models import Episode
from diagnosis.querysets import EpisodeQuerySet
from diagnosis.states import MOST_SEVERE, FaultType
from machines.models import Machine

FAULTS = [choice for choice in FaultType.choices if choice[0] != FaultType.NORMAL]


class EpisodeFilter(FilterSet):
    machine_name = django_filters.ModelChoiceFilter(
        field_name="machine",
        queryset=Machine.objects.all(),
        to_field_name="name",
        error_messages={"invalid_choice": "There is no machine %(value)s."},
        help_text="설비 이름 / machine, exactly.",
    )
    family = django_filters.CharFilter(help_text="모델 계열 / family of models, such as `cnn` of cnn-v3, exactly.")
    fault_type = django_filters.MultipleChoiceFilter(
        choices=FAULTS, help_text="진단 / state; may be given more than once."
    )
    stage = django_filters.MultipleChoiceFilter(
        choices=[(it.value, it.value) for it in Stage],
        method="in_stages",
        help_text="단계 / stage, now; may be given more than once. All if none, also `withdrawn`.",
    )
    severity_from = django_filters.TypedChoiceFilter(
        field_name="severity",
        lookup_expr="gte",
        choices=[(it, str(it)) for it in range(1, MOST_SEVERE + 1)],
        coerce=int,
        help_text="심각도 / severity of at least this, from 1 to 5.",
    )
    opened_at_after = InstantFilter(
        field_name="opened_at", lookup_expr="gte", help_text="발생 시각 이후 / opened_at from this on."
    )
    opened_at_before = InstantFilter(
        field_name="opened_at", lookup_expr="lte", help_text="발생 시각 이전 / opened_at up to this, included."
    )

    class Meta:
        model = Episode
        fields = [
            "machine_name",
            "family",
            "fault_type",
            "stage",
            "severity_from",
            "opened_at_after",
            "opened_at_before",
        ]

    def in_stages(self, episodes: EpisodeQuerySet, _name: str, stages: list[str]) -> EpisodeQuerySet:
        return episodes.in_stages({Stage(it) for it in stages}, timezone.now()) if stages else episodes
