from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class LanguageMiddleware(LocaleMiddleware):
    """Pages speak the reader's language. The API speaks English, so that a program always reads the same."""

    def process_request(self, request):
        if not request.path.startswith(("/api/", "/metrics")):
            return super().process_request(request)
        translation.activate("en")
        request.LANGUAGE_CODE = "en"
        return None
