"""Pages of the API's short lists. The tables of samples and diagnoses have pages of their own, by key."""

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import PageNumberPagination


class ListPagination(PageNumberPagination):
    page_size = 200
    page_size_query_param = "limit"
    max_page_size = 1000

    def get_page_size(self, request) -> int:
        """The size asked for; a wrong one is told of, where the library takes another in silence."""
        asked = request.query_params.get("limit", "")
        if not asked:
            return self.page_size
        if asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= self.max_page_size:
            return int(asked)
        raise ValidationError({"limit": [f"Must be a whole number from 1 to {self.max_page_size}."]})

    def paginate_queryset(self, queryset, request, view=None):
        try:
            return super().paginate_queryset(queryset, request, view)
        except NotFound:
            raise ValidationError({"page": ["There is no such page."]}) from None

    def get_schema_operation_parameters(self, view):
        parameters = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            parameter["schema"] |= {"minimum": 1} | (
                {"maximum": self.max_page_size, "default": self.page_size} if parameter["name"] == "limit" else {}
            )
        return parameters

    def get_paginated_response_schema(self, schema):
        """The library's, with the examples of a list that fits one page."""
        found = super().get_paginated_response_schema(schema)
        for name, value in {"count": 1, "next": None, "previous": None}.items():
            found["properties"][name]["example"] = value
        return found
