from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from common.database.columns import columns_of
from common.rest.fields import NameField, NumberField, WholeNumberField
from common.rest.strict import StrictModelSerializer
from machines.models import LONGEST_INTERVAL_MIN, Machine, Sensor, positive


class MachineNameField(serializers.SlugRelatedField):
    """A machine by its name."""

    default_error_messages = {"does_not_exist": "There is no machine {value}."}

    def __init__(self, **kwargs):
        super().__init__(slug_field="name", queryset=Machine.objects.all(), **kwargs)

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class MachineSerializer(StrictModelSerializer):
    name = NameField(
        Machine._meta.get_field("name"),
        validators=[UniqueValidator(Machine.objects.all(), message="A machine of this name exists.")],
        help_text="설비 이름 / unique name, as in file names and posted rows.",
    )
    rated_rpm = WholeNumberField(
        min_value=0, max_value=1_000_000, required=False, allow_null=True, help_text="정격 회전수 / rated speed, rpm."
    )

    expected_interval_min = WholeNumberField(
        min_value=1,
        max_value=LONGEST_INTERVAL_MIN,
        required=False,
        allow_null=True,
        help_text="예상 진단 간격(분) / shown as stale after so many minutes without a diagnosis; null: as for all.",
    )

    class Meta:
        model = Machine
        fields = columns_of(Machine)


class SensorSerializer(StrictModelSerializer):
    machine_name = MachineNameField(source="machine", help_text="설비 이름 / its machine.")
    sensor_no = NameField(Sensor._meta.get_field("sensor_no"), help_text="센서 번호 / unique within its machine.")
    measuring_range = NumberField(
        min_value=0,
        max_value=1e100,  # as that of the values
        validators=[positive],
        required=False,
        allow_null=True,
        help_text="측정 범위 / to each side of 0, in the unit of its signals; one that reaches it is "
        "marked as clipped. Null: not known.",
    )

    class Meta:
        model = Sensor
        fields = ["machine_name" if name == "machine" else name for name in columns_of(Sensor)]
