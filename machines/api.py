"""API views of machines and sensors; their paths are in `himmes/api/urls.py`."""

from django.db import IntegrityError
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import generics, serializers

from common.database.errors import is_duplicate
from common.database.transactions import in_transaction
from common.rest.lists import LIST_PARAMETERS, TOTAL, FlatList
from common.rest.versions import IF_MATCH, Versioned
from machines.filters import MachineFilter, SensorFilter
from machines.models import Machine, RegisteredBy, Sensor
from machines.serializers import MachineSerializer, SensorSerializer

# As it registers itself by its data; as the API tells of it, so that no field is missing here
UNKNOWN_PUMP = MachineSerializer(Machine(name="g1", registered_by=RegisteredBy.API)).data
_PUMP = {
    "name": "g1",
    "title": "순환 펌프 1",
    "location": "A동 1층",
    "installed_at": "2024-03-02",
    "rated_rpm": 1650,
    "expected_interval_min": 30,
    "is_active": True,
    "notes": "",
}
_SENSOR = {
    "machine_name": "g1",
    "sensor_no": "sensor1",
    "position": "motor, drive end",
    "unit": "g",
    "measuring_range": 16.0,
}
_UNKNOWN = {"position": "", "unit": "", "measuring_range": None}  # of a sensor that data have registered


def _asked(name: str, value: dict) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def _answered(name: str, value: dict) -> OpenApiExample:
    return OpenApiExample(name, {"id": 1} | value | {"id": 1}, response_only=True, status_codes=["200", "201"])


MACHINE = [_asked("펌프 / a pump", _PUMP)]
SENSOR = [_asked("센서 / a sensor", _SENSOR), _answered("센서 / a sensor", _SENSOR)]


class OnceOnly:
    """Mixin of views that save: of two simultaneous requests for one name, the second gets a 400 as any later one does.

    A deadlock with others, as with those who post what is being deleted, is no error: it is tried again.
    """

    def lock(self, serializer) -> None:
        """Called in the transaction of a change, before it is saved; see `Versioned`."""

    def perform_create(self, serializer):
        self._save(serializer)

    def perform_update(self, serializer):
        self._save(serializer, before=self.lock)

    def perform_destroy(self, instance):
        in_transaction(instance.delete)

    def _save(self, serializer, *, before=None, **more):
        def save():
            if before:
                before(serializer)
            try:
                serializer.save(**more)
            except IntegrityError as error:
                if not is_duplicate(error):
                    raise
                raise serializers.ValidationError("Another request has just saved one with this name.") from None

        in_transaction(save)


@extend_schema(tags=["설비 / machines"])
@extend_schema_view(
    get=extend_schema(
        parameters=[*LIST_PARAMETERS, TOTAL],
        summary="설비 목록 / list the machines",
        description="등록된 설비를 이름순으로. / All machines, by name.",
        examples=[_answered("설비 / a machine", UNKNOWN_PUMP)],
    ),
    post=extend_schema(
        summary="설비 등록 / register a machine",
        description="관리자만. / Administrators only. Machines also register themselves by the data posted of them.",
        examples=[*MACHINE, _answered("펌프 / a pump", UNKNOWN_PUMP | _PUMP)],
    ),
)
class MachineList(FlatList, OnceOnly, generics.ListCreateAPIView):
    queryset = Machine.objects.order_by("name")
    serializer_class = MachineSerializer
    filterset_class = MachineFilter

    def perform_create(self, serializer):
        self._save(serializer, registered_by=RegisteredBy.API)


@extend_schema(tags=["설비 / machines"])
@extend_schema_view(
    get=extend_schema(
        summary="설비 조회 / read a machine",
        description="설비 정보. / The master data of one machine.",
        examples=[_answered("설비 / a machine", UNKNOWN_PUMP)],
    ),
    put=extend_schema(
        parameters=[IF_MATCH],
        summary="설비 수정 / replace a machine",
        description="관리자만. / Administrators only. Renamed, it is unknown to programs that post under the old name.",
        examples=[*MACHINE, _answered("펌프 / a pump", UNKNOWN_PUMP | _PUMP | {"registered_by": "admin"})],
    ),
    patch=extend_schema(
        parameters=[IF_MATCH],
        summary="설비 일부 수정 / change a machine",
        description="관리자만. / Administrators only; the fields left out stay as they are.",
        examples=[
            _asked("정지 / take out of use", {"is_active": False}),
            _answered("정지 / out of use", UNKNOWN_PUMP | {"is_active": False, "registered_by": "admin"}),
        ],
    ),
    delete=extend_schema(
        summary="설비 삭제 / delete a machine",
        description="관리자만. 데이터가 있으면 409. / Administrators only; 409 while it has sensors or diagnoses.",
    ),
)
class MachineDetail(Versioned, OnceOnly, generics.RetrieveUpdateDestroyAPIView):
    queryset = Machine.objects.all()
    serializer_class = MachineSerializer


@extend_schema(tags=["센서 / sensors"])
@extend_schema_view(
    get=extend_schema(
        parameters=[*LIST_PARAMETERS, TOTAL],
        summary="센서 목록 / list the sensors",
        description="설비와 센서 번호순. / By machine and number.",
        examples=[_answered("센서 / a sensor", _SENSOR | _UNKNOWN)],
    ),
    post=extend_schema(
        summary="센서 등록 / register a sensor",
        description="관리자만. / Administrators only. Sensors also register themselves by the data posted of them.",
        examples=SENSOR,
    ),
)
class SensorList(FlatList, OnceOnly, generics.ListCreateAPIView):
    queryset = Sensor.objects.select_related("machine").order_by("machine__name", "sensor_no")
    serializer_class = SensorSerializer
    filterset_class = SensorFilter


@extend_schema(tags=["센서 / sensors"])
@extend_schema_view(
    get=extend_schema(
        summary="센서 조회 / read a sensor",
        description="센서 정보. / One sensor.",
        examples=[_answered("센서 / a sensor", _SENSOR | _UNKNOWN)],
    ),
    put=extend_schema(
        parameters=[IF_MATCH],
        summary="센서 수정 / replace a sensor",
        description="관리자만. / Administrators only.",
        examples=SENSOR,
    ),
    patch=extend_schema(
        parameters=[IF_MATCH],
        summary="센서 일부 수정 / change a sensor",
        description="관리자만. / Administrators only; the fields left out stay as they are.",
        examples=[
            _asked("위치 / position", {"position": "gearbox"}),
            _answered("위치 / position", _SENSOR | _UNKNOWN | {"position": "gearbox"}),
        ],
    ),
    delete=extend_schema(
        summary="센서 삭제 / delete a sensor",
        description="관리자만. 측정 기록이 있으면 409. / Administrators only; 409 while it has recordings.",
    ),
)
class SensorDetail(Versioned, OnceOnly, generics.RetrieveUpdateDestroyAPIView):
    queryset = Sensor.objects.select_related("machine")
    serializer_class = SensorSerializer
