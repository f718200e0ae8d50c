"""What a password has to withstand beyond its length."""

from threading import Lock

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

LEAST_SCORE = 3  # of zxcvbn's 0 to 4: more than 10**8 guesses
# What an attacker tries first of all here
CONTEXT_WORDS = ["himmes", "him-mes", "mes", "vibration", "machine", "sensor", "diagnosis", "factory", "plant", "kamp"]
LOOKED_AT = 72  # characters, zxcvbn's own limit; what follows only makes a password longer
_one_at_a_time = Lock()  # zxcvbn keeps the words that it is given in a global


class NotEasilyGuessed:
    """Refuses what is made of common passwords, names, words of this project, keyboard rows, dates and repetitions."""

    def validate(self, password: str, user=None) -> None:
        from zxcvbn import zxcvbn  # here, as its lists of words take 20 MB and are needed rarely

        names = [getattr(user, name, "") for name in ("username", "first_name", "last_name", "email")]
        with _one_at_a_time:
            found = zxcvbn(password[:LOOKED_AT], user_inputs=[*CONTEXT_WORDS, *filter(None, names)])
        if found["score"] < LEAST_SCORE:
            raise ValidationError(
                _("This password is easily guessed. Several words that do not belong together are better."),
                code="password_easily_guessed",
            )

    def get_help_text(self) -> str:
        return str(_("Your password should be several words that do not belong together, or random characters."))
