"""Serializers that refuse unknown fields."""

from typing import Any

from django.db import models
from rest_framework import serializers

from common.rest.fields import TextField, TruthField, WholeNumberField


class RefuseUnknown(serializers.Serializer):
    """Mixed into a serializer: a field that it does not have is an error, not passed over."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict):
            unknown = [name[:60] for name in data if name not in self.fields][:20]
            if unknown:
                message = f"Unknown field. Known: {', '.join(self.fields)}."
                raise serializers.ValidationError({name or "?": [message] for name in unknown})
        return super().to_internal_value(data)


class StrictModelSerializer(RefuseUnknown, serializers.ModelSerializer):
    """A ModelSerializer that takes a text for a text and a number for a number only, as its schema says."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.CharField: TextField,
        models.TextField: TextField,
        models.BooleanField: TruthField,
        models.PositiveIntegerField: WholeNumberField,
        models.IntegerField: WholeNumberField,
    }
