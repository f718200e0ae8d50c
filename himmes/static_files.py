"""How static files are stored for production."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Gives each file a name with a hash of its content, also where one of our modules imports another.

    Django's switch for that, `support_js_module_import_aggregation`, would also read the scripts of packages, some of
    which import what is not there.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "js/*.js",
            (
                (
                    r'(?m)^(?P<matched>(?P<import>import\b[^;"]*)"(?P<url>\.\.?/[^"]+)";)$',
                    '%(import)s"%(url)s";',
                ),
            ),
        ),
    )
