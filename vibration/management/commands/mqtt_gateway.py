from importlib.util import find_spec

from django.conf import settings
from django.core.management.base import CommandError

from common.interrupting import noted_interruptions
from common.terminal import TerminalCommand
from vibration.management.arguments import some_path

WILDCARDS = "+#\0"


class Command(TerminalCommand):
    help = (
        "Keep running: store the captures that come as messages from an MQTT broker (DJANGO_MQTT_URL), each once. A "
        "message is acknowledged when it is stored, or refused and told of. SIGTERM or Ctrl-C ends it between two."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--topic",
            default="himmes/captures",
            metavar="PREFIX",
            help="what the topics begin with: PREFIX/<machine>/<sensor>/<axis> (default: %(default)s)",
        )
        parser.add_argument(
            "--client-id",
            default="himmes-gateway",
            metavar="ID",
            help="by which the broker knows this gateway again; two at once need two (default: %(default)s)",
        )
        parser.add_argument(
            "--rejects", type=some_path, metavar="DIR", help="keep each message that is refused in this folder"
        )

    def handle(self, *args, **options):
        if find_spec("paho") is None:
            raise CommandError("The package paho-mqtt is not installed: scripts/setup.sh mqtt installs it.")
        # Not before: the package need not be there for any other command.
        from vibration.mqtt.broker import Address, BadAddress
        from vibration.mqtt.gateway import Gateway, GatewayFailed, GatewayOptions
        from vibration.mqtt.rejects import RejectsFolder

        if not settings.MQTT_URL:
            raise CommandError("DJANGO_MQTT_URL does not say where the broker is, such as mqtt://127.0.0.1:1883.")
        prefix = options["topic"].strip("/")
        if not prefix or set(WILDCARDS) & set(prefix) or not options["client_id"]:
            raise CommandError("--topic and --client-id must not be empty, and the topic has no wildcards.")
        try:
            address = Address.read(settings.MQTT_URL)
            rejects = RejectsFolder(options["rejects"]) if options["rejects"] else None
        except BadAddress as error:
            raise CommandError(f"DJANGO_MQTT_URL: {error}.") from None
        except OSError as error:
            raise CommandError(f"--rejects {options['rejects']}: {error.strerror}") from None
        with noted_interruptions() as interruptions:
            gateway = Gateway(
                address,
                GatewayOptions(prefix, options["client_id"], rejects),
                interruptions,
                say=self._say,
                warn=self._warn,
            )
            try:
                gateway.run()
            except GatewayFailed as error:
                raise CommandError(str(error)) from None
        self._say("Ended.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()  # it may be a log, which somebody follows

    def _warn(self, text: str) -> None:
        self.stderr.write(text)
        self.stderr.flush()
