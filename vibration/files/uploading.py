"""An uploaded file on its way to the importer: on disk without a name, so that a kill leaves nothing behind."""

import tempfile
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from common.limits.at_once import AtOnce

# In each process one, as an upload may take a thread for half a minute, and a process has few
UPLOADS = AtOnce(1, "uploads")


class NamelessFileUploadHandler(FileUploadHandler):
    """Writes each uploaded file to the disk; its room is free again when it is closed, or when its process ends."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        # Closed with the request, or by Django when the body breaks off.
        self.file = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        self.file.seek(0)
        return UploadedFile(
            self.file, self.file_name, self.content_type, file_size, self.charset, self.content_type_extra
        )
