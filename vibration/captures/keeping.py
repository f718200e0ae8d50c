"""Whether the samples of a capture are kept for ever: what a person says of it, noted in the audit trail."""

from common.audit_trail import Action, note
from common.database.transactions import in_transaction
from vibration.models import Capture


def say_kept(number: int, is_kept: bool) -> bool:
    """Keep the samples of a capture whatever their age, or let them go in their time; False if it was so before.

    Raises Capture.DoesNotExist when it is gone.
    """

    def write() -> bool:
        stored = Capture.objects.without_samples().select_for_update().get(pk=number)
        if stored.is_kept == is_kept:
            return False
        stored.is_kept = is_kept
        stored.save(update_fields=["is_kept"])
        note(Action.UPDATE, stored, f"{stored}: {'kept' if is_kept else 'let go'}", kept=is_kept)
        return True

    return in_transaction(write)
