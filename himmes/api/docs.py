"""Documentation of the API: the schema for programs, Swagger UI and ReDoc for people who are logged in."""

from threading import Lock

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from django.views.generic import TemplateView
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView


class Schema(SpectacularAPIView):
    lock = Lock()  # drf-spectacular sets itself up with the first schema, and two at once get into each other's way

    @extend_schema(
        tags=["문서 / documentation"],
        summary="OpenAPI 스키마 / OpenAPI schema",
        description="이 문서, YAML 또는 JSON. / This description, as YAML or JSON.",
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request):
        with self.lock:
            return self._get_schema_response(request)


class SwaggerUi(TemplateView):
    template_name = "api/swagger.html"


# ReDoc writes its styles into the page while it runs, and searches in a worker that it makes from a blob.
@method_decorator(csp_update({"style-src": [SELF, UNSAFE_INLINE], "worker-src": ["blob:"]}), name="dispatch")
class Redoc(TemplateView):
    template_name = "api/redoc.html"
