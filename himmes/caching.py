"""The cache that all processes of the server share: a table of the database."""

from django.core.cache.backends import db
from django.db import connection

from common.database.bookkeeping import refused
from common.database.connections import discard_unfinished


class DatabaseCache(db.DatabaseCache):
    """Django's; but no read fails for what is to be tidied up, and no broken connection is left behind."""

    def _base_set(self, *args, **kwargs):
        is_set = super()._base_set(*args, **kwargs)
        # Django has passed over any error of the database, and over the state in which it left the connection.
        if not is_set and not connection.in_atomic_block:
            discard_unfinished()
        return is_set

    def _base_delete_many(self, keys):
        """Django calls it for what it meets expired, too."""
        delete, deleted = super()._base_delete_many, []
        refused(lambda: deleted.append(delete(keys)))
        return any(deleted)

    def _cull(self, *args):
        cull = super()._cull
        refused(lambda: cull(*args))
