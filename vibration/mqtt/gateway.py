"""Stores what comes as messages, each once.

A message is acknowledged when its captures are stored, or when it is refused. What is not acknowledged the broker sends
again, to this process or the next: so a kill, a broken connection, a broker or a database that is away lose nothing;
and what comes again is identical by its key and digest, so nothing is doubled.

All is done by one thread. A number of a message means something on the connection that it came on, and nothing on the
next: what waits when a connection breaks is forgotten, and what is stored by then is not acknowledged. Meanwhile, as
while the database is away, the connection is kept alive.
"""

import logging
import ssl
import time as clock
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from select import select
from typing import Any

from django.conf import settings
from django.db import reset_queries
from django.utils import timezone
from paho.mqtt.client import Client, MQTTMessage, error_string
from paho.mqtt.enums import MQTTErrorCode

from common.database.errors import DATABASE_ERRORS
from common.database.transactions import Patience
from common.interrupting import Interruptions
from common.printable import printable
from common.rest.rows import InvalidRows
from machines.models import RegisteredBy
from vibration.captures.storing import store_captures
from vibration.mqtt.broker import QOS, Address, new_client
from vibration.mqtt.messages import POSTER, Refused, read_message, reason_of
from vibration.mqtt.rejects import RejectsFolder
from vibration.numbers.classifying import RowClass

logger = logging.getLogger(__name__)
TURN_S = 0.25  # how long the connection is waited for at a time
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0  # between two tries to connect
QUIET_S, CLOSING_S = 0.1, 2.0  # at the end nothing must come for so long, or it takes so long at most
SUMMARY_MESSAGES, SUMMARY_S = 1_000, 60.0  # what came is told after so many messages, or so long
# Messages that the database does not take, for no reason of theirs. They are tried again; a broker sends no more while
# some, as a rule 20, are not acknowledged.
MOST_FAILED, AGAIN_S = 10, 30.0
LONGEST_WAIT_S = 1e9  # for a database: as long as it takes
FAILURE_BITS = 0x80  # of the answer to a subscription


class GatewayFailed(Exception):
    """Nothing more can be done; the message says why."""


@dataclass(frozen=True)
class GatewayOptions:
    """How to take messages."""

    prefix: str = "himmes/captures"
    client_id: str = "himmes-gateway"
    rejects: RejectsFolder | None = None


class Gateway:
    """Takes messages from a broker until an end is wanted."""

    def __init__(
        self,
        address: Address,
        options: GatewayOptions,
        interruptions: Interruptions,
        say: Callable[[str], None],
        warn: Callable[[str], None],
    ):
        self._address, self._options, self._interruptions = address, options, interruptions
        self._say, self._warn = say, warn
        self._client = new_client(address, options.client_id)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._came
        self._waiting: deque[MQTTMessage] = deque()
        self._connection = 0  # the number of the present one
        self._is_open = False
        self._refused_to_connect = ""
        self._retry_at, self._pause_s = 0.0, FIRST_PAUSE_S
        self._patience = Patience(LONGEST_WAIT_S, warn, self._sleep)
        self._counts: Counter[str] = Counter()
        self._why_failed: Exception | None = None
        self._failed: list[MQTTMessage] = []  # on this connection
        self._told_at = self._tried_at = clock.monotonic()
        self._has_warned_of_qos = False

    def run(self) -> None:
        """Without end, until an end is wanted. Raises GatewayFailed."""
        try:
            while True:
                self._interruptions.check()
                self._turn(TURN_S)
                self._try_again()
                while self._waiting:
                    self._take(self._waiting.popleft())
                    self._interruptions.check()
                self._summarize(at_end=False)
        except KeyboardInterrupt:
            self._summarize(at_end=True)
        finally:
            self._close()

    def _try_again(self) -> None:
        """Those that failed, once in a while."""
        if self._failed and clock.monotonic() - self._tried_at >= AGAIN_S:
            self._tried_at = clock.monotonic()
            self._waiting.extend(self._failed)
            self._failed.clear()

    def _turn(self, seconds: float) -> None:
        """Let the connection live for at most so long; open it if there is none."""
        if not self._is_open:
            if (left := self._retry_at - clock.monotonic()) > 0:
                clock.sleep(min(left, seconds))
                return
            if not self._open():
                return
        result = self._client.loop(seconds)
        if result is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lost(self._refused_to_connect or error_string(result))

    def _open(self) -> bool:
        self._connection += 1
        self._refused_to_connect = ""
        try:
            self._client.reconnect()
        except ssl.SSLError as error:
            self._lost(f"TLS: {error.reason or error}")
            return False
        except OSError as error:
            self._lost(error.strerror or str(error))
            return False
        self._is_open = True
        return True

    def _lost(self, reason: str) -> None:
        """There is no connection now; try again after a pause, longer each time."""
        self._is_open = False
        self._forget()
        self._retry_at = clock.monotonic() + self._pause_s
        self._warn(f"no connection to the broker {self._address}: {reason}; trying again in {self._pause_s:g} s")
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _connected(self, client: Client, userdata: Any, flags: Any, reason_code: Any, properties: Any) -> None:
        if reason_code.is_failure:
            self._refused_to_connect = f"it refuses: {reason_code}"
            return
        self._pause_s = FIRST_PAUSE_S
        kept = "its session is there still" if flags.session_present else "with a new session"
        self._say(f"connected to {self._address} as {self._options.client_id}, {kept}")
        client.subscribe(f"{self._options.prefix}/#", QOS)

    def _disconnected(self, client: Client, userdata: Any, flags: Any, reason_code: Any, properties: Any) -> None:
        self._forget()

    def _forget(self) -> None:
        """What came on this connection comes again on the next."""
        self._waiting.clear()
        self._failed.clear()
        self._connection += 1

    def _subscribed(self, client: Client, userdata: Any, mid: int, reason_codes: list[Any], properties: Any) -> None:
        [granted] = [it.value for it in reason_codes]
        topics = f"{self._options.prefix}/#"
        if granted >= FAILURE_BITS:
            self._warn(f"the broker does not let {self._options.client_id} subscribe to {topics}")
            return
        self._say(f"subscribed to {topics}")
        if granted < QOS:
            self._warn("the broker grants QoS 0 only: what comes while this process is away is lost")

    def _came(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        self._waiting.append(message)

    def _take(self, message: MQTTMessage) -> None:
        """Store a message and acknowledge it, on the connection that it came on."""
        connection = self._connection
        if message.qos < QOS and not self._has_warned_of_qos:
            self._has_warned_of_qos = True
            self._warn("a message came with QoS 0: publish with QoS 1, or some are lost")
        is_done = self._is_done(message)
        if connection == self._connection:
            if not is_done:
                self._keep_failed(message)
            elif message.qos:
                self._acknowledge(message)
        reset_queries()  # with DEBUG on, Django would keep the text of every statement

    def _acknowledge(self, message: MQTTMessage) -> None:
        self._client.ack(message.mid, message.qos)

    def _is_done(self, message: MQTTMessage) -> bool:
        """Whether its captures are stored, or it is refused for good."""
        self._counts["messages"] += 1
        payload = bytes(message.payload)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._refuse("", payload, "its topic is no UTF-8")
            return True
        try:
            new = read_message(topic, payload, self._options.prefix)
            register = RegisteredBy.API if settings.API_REGISTERS_MACHINES else None
            stored = store_captures(new, register=register, poster=POSTER, patience=self._patience)
        except Refused as error:
            self._refuse(topic, payload, str(error))
            return True
        except InvalidRows as error:
            self._refuse(topic, payload, reason_of(error))
            return True
        except DATABASE_ERRORS as error:
            self._fail(topic, error)
            return False
        self._counts.update(RowClass(it.row_class).name.lower() for it in stored)
        if conflicting := [it.capture for it in stored if it.is_conflicting]:
            held = ", ".join(f"{it.axis} at {it.started_at.isoformat()}" for it in conflicting)
            self._refuse(topic, payload, f"other samples are stored under its key ({held})", count=False)
        return True

    def _refuse(self, topic: str, payload: bytes, reason: str, *, count: bool = True) -> None:
        if count:
            self._counts["refused"] += 1
        kept = ""
        if self._options.rejects:
            try:
                kept = f"; kept as {self._options.rejects.keep(topic, payload, reason, timezone.now())}"
            except OSError as error:
                kept = f"; it could not be kept: {error.strerror or error}"
        self._warn(f"refused: {printable(topic)}: {printable(reason)}{kept}")

    def _fail(self, topic: str, error: Exception) -> None:
        """For no reason of the message, as far as is known: it is not acknowledged, and tried again."""
        self._counts["failed"] += 1
        self._why_failed = error
        logger.error("A message to %s could not be stored", printable(topic), exc_info=error)

    def _keep_failed(self, message: MQTTMessage) -> None:
        """To be tried again. Raises GatewayFailed when there are too many of them."""
        if not self._failed:
            self._tried_at = clock.monotonic()
        self._failed.append(message)
        if len(self._failed) >= MOST_FAILED:
            raise GatewayFailed(f"{MOST_FAILED} messages could not be stored, the last as: {self._why_failed}")

    def _sleep(self, seconds: float) -> None:
        """While the database is away: the connection lives on, and what comes waits. KeyboardInterrupt ends it."""
        end = clock.monotonic() + seconds
        while (left := end - clock.monotonic()) > 0:
            self._interruptions.check()
            self._turn(min(left, TURN_S))
        self._interruptions.check()

    def _summarize(self, *, at_end: bool) -> None:
        is_due = clock.monotonic() - self._told_at >= SUMMARY_S or self._counts["messages"] >= SUMMARY_MESSAGES
        if not self._counts or not (is_due or at_end):
            return
        names = ("messages", *(it.name.lower() for it in RowClass if it is not RowClass.REJECTED), "refused", "failed")
        self._say(", ".join(f"{self._counts[name]:,} {name}" for name in names))
        self._counts.clear()
        self._told_at = clock.monotonic()

    def _close(self) -> None:
        """Say goodbye once all that was acknowledged has arrived.

        A socket that is closed with something unread in it takes back what was sent last. So that is read first, which
        comes to an end: what is not acknowledged, the broker sends no more of.
        """
        end = clock.monotonic() + CLOSING_S
        socket = self._client.socket()
        while self._is_open and socket and clock.monotonic() < end and select([socket], [], [], QUIET_S)[0]:
            self._client.loop(0)
            socket = self._client.socket()
        if self._is_open:
            self._client.disconnect()
