"""The API that takes CSV files; its path stands in `himmes/api/urls.py`, what it says of itself in `schema.py`."""

from pathlib import Path

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from common.database.errors import DATABASE_ERRORS, mark_undone
from machines.models import RegisteredBy
from vibration.api import schema
from vibration.api.upload_serializers import CsvUpload, ImportReport
from vibration.files.importing import Bounds, NotRegistered, import_file
from vibration.files.names import BadName, Naming
from vibration.files.report import Report
from vibration.files.storing import Options
from vibration.files.uploading import UPLOADS, NamelessFileUploadHandler
from vibration.metrics import count_upload
from vibration.models import ImportRun, VibrationData


@schema.CSV_UPLOAD
class CsvUploadView(APIView):
    queryset = VibrationData.objects.all()
    parser_classes = [MultiPartParser]

    def initialize_request(self, request, *args, **kwargs):
        # On disk from the first byte on: the importer reads a file.
        request.upload_handlers = [NamelessFileUploadHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    def post(self, request):
        with UPLOADS.slot():
            return self._import(request)

    def _import(self, request):
        twice = [name for name in request.data if len(request.data.getlist(name)) > 1]
        if twice:
            raise ValidationError({name: ["Given more than once; send one file at a time."] for name in twice})
        upload = CsvUpload(data=request.data)
        upload.is_valid(raise_exception=True)
        asked = upload.validated_data
        options = Options(
            naming=Naming(
                machine=asked.get("machine_name"),
                sensor=asked.get("sensor_no"),
                recording=asked["recording"],
                started_at=asked.get("started_at"),
            ),
            time=asked["time"],
            zone=asked.get("time_zone"),
            on_restart=asked["on_restart"],
            skip_bad_rows=asked["on_error"] == "skip",
            started_by=request.user.get_username(),
            registered_by=RegisteredBy.API if settings.API_REGISTERS_MACHINES else None,
        )
        bounds = Bounds(settings.API_MAX_UPLOAD_CONTENT_BYTES, settings.API_MAX_UPLOAD_SECONDS)
        name = Path(asked["file"].name)
        try:
            report = import_file(asked["file"].file, name, options, bounds=bounds)
        except BadName as error:
            message = f"{error.reason}; rename it, or give machine_name and sensor_no."
            raise ValidationError({"file": [message]}) from None
        except NotRegistered as error:
            raise ValidationError({"machine_name": [f"{error}; an administrator has to do so."]}) from None
        except DATABASE_ERRORS as error:
            mark_undone(error, False)  # the batches before are stored
            raise
        count_upload(report.run)
        if report.run.outcome in (ImportRun.Outcome.COMPLETE, ImportRun.Outcome.PROBLEMS):
            return Response(ImportReport.of(report))
        raise ImportStopped(report)


class ImportStopped(APIException):
    """A file that was not read to its end: 400 for what it holds, 413 where it was too much for an upload."""

    def __init__(self, report: Report):
        too_large = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
        self.status_code = too_large if report.is_over_bounds else status.HTTP_400_BAD_REQUEST
        self.extra = {"report": ImportReport.of(report)}
        reason = report.problems[-1] if report.run.outcome == ImportRun.Outcome.STOPPED else report.path.name
        message = f"{reason}; {report.run.message}"
        if report.is_over_bounds:
            message += (
                ". Import the whole file with the command import_vibration, which has no such limits, or send the rest "
                "in parts: what is stored counts as identical."
            )
        self.errors = [{"field": "file", "message": message}]
        super().__init__(message)
