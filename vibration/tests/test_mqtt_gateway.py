"""Captures that come as messages: each is stored once, whatever breaks meanwhile."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import trustme
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError

from common.interrupting import Interruptions
from common.rest.rows import InvalidRows
from machines.models import Machine, RegisteredBy
from vibration.captures.reading import samples_of
from vibration.captures.storing import store_captures
from vibration.models import Capture, CaptureFeatures
from vibration.mqtt import gateway as module
from vibration.mqtt.broker import Address, BadAddress
from vibration.mqtt.gateway import Gateway, GatewayFailed, GatewayOptions
from vibration.mqtt.messages import Refused, read_message, reason_of
from vibration.mqtt.rejects import RejectsFolder
from vibration.tests.broker_world import PATIENCE_S, Broker, Publisher, needs_broker
from vibration.tests.test_import_processes import database_url, wait_until

START = datetime(2026, 11, 20, 3, tzinfo=UTC)
HEAD = {"sampling_hz": 1000.0, "unit": "g"}
TOPIC = "himmes/captures/pump3/de/x"


def values(number: int = 0, count: int = 256) -> np.ndarray:
    return np.random.default_rng(number).normal(size=count).astype(np.float32)


def message(number: int = 0, body: bytes | None = None, **more) -> bytes:
    """A line of JSON and samples."""
    head = {"started_at": (START + timedelta(seconds=number)).isoformat(), **HEAD, **more}
    return json.dumps(head).encode() + b"\n" + (values(number).tobytes() if body is None else body)


class EndsWhen(Interruptions):
    """Wants the end as soon as something is so."""

    def __init__(self, condition):
        self._deadline, self._condition = time.monotonic() + PATIENCE_S, condition

    def check(self):
        assert time.monotonic() < self._deadline, "it never came"
        if self._condition():
            raise KeyboardInterrupt


class Said(list):
    @property
    def text(self) -> str:
        return "\n".join(self)


@pytest.fixture
def broker(tmp_path):
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = Broker(folder)
    yield broker
    broker.stop()


@pytest.fixture
def publisher(broker):
    publisher = Publisher(broker.port)
    yield publisher
    publisher.close()


def run_gateway(broker, condition, address: str | None = None, **options) -> Said:
    """Until a condition holds, of what it has said; what it said."""
    said = Said()
    ends = EndsWhen(lambda: condition(said))
    address = Address.read(address or broker.url)
    Gateway(address, GatewayOptions(**options), ends, said.append, said.append).run()
    return said


def is_subscribed(said: Said) -> bool:
    return "subscribed to" in said.text


def subscribe(broker) -> None:
    """So that the broker keeps what comes from now on."""
    run_gateway(broker, is_subscribed)


def stored() -> int:
    return Capture.objects.count()


def is_empty(broker) -> bool:
    """Whether nothing is left for the gateway: what is left comes before the answer to its subscription."""
    said = run_gateway(broker, is_subscribed)
    assert "messages" not in said.text, said.text
    return True


class TestMessages:
    """What stands in a message, without a broker."""

    def read(self, payload: bytes, topic: str = TOPIC):
        return read_message(topic, payload, "himmes/captures")

    def test_a_line_of_json_and_samples(self):
        [capture] = self.read(message(rpm=1500))
        assert (capture.machine, capture.sensor, capture.axis, capture.started_at) == ("pump3", "de", "x", START)
        assert (capture.sampling_hz, capture.unit, capture.rpm) == (1000.0, "g", 1500.0)
        assert capture.values.tobytes() == values().tobytes()

    def test_samples_of_several_axes_are_interleaved(self):
        body = np.arange(6, dtype="<i2").tobytes()
        captures = self.read(message(body=body, dtype="int16", scale=0.5), "himmes/captures/압축기/1/x,y,z")
        assert [(it.machine, it.axis, it.values.tolist(), it.scale) for it in captures] == [
            ("압축기", "x", [0, 3], 0.5),
            ("압축기", "y", [1, 4], 0.5),
            ("압축기", "z", [2, 5], 0.5),
        ]

    def test_samples_may_begin_with_a_line_end_or_a_brace(self):
        body = b'\n{"a": 1}\n\n\n'
        [capture] = self.read(message(body=body, dtype="int16", scale=1))
        assert capture.values.astype("<i2").tobytes() == body

    def test_json_alone_with_one_axis_or_several(self):
        said = {"started_at": START.isoformat(), **HEAD}
        [capture] = self.read(json.dumps(said | {"values": [1, 2.5]}, indent=1).encode())
        assert capture.values.tolist() == [1.0, 2.5]
        both = self.read(json.dumps(said | {"values": {"x": [1], "y": [2]}}).encode(), "himmes/captures/pump3/de")
        assert [(it.axis, it.values.tolist()) for it in both] == [("x", [1.0]), ("y", [2.0])]

    @pytest.mark.parametrize(
        ("payload", "topic", "reason"),
        [
            (b"", TOPIC, "neither a JSON object nor a line with one before samples"),
            (b"\xff" * 100, TOPIC, "neither a JSON object"),
            (b"[1, 2]", TOPIC, "neither a JSON object"),
            (message(body=b"123"), TOPIC, "3 bytes are no multiple of 4"),
            (message(body=b""), TOPIC, "There are no samples in it."),
            (message(unit="V"), TOPIC, "unit: 'V' is a voltage"),
            (message(sampling=5), TOPIC, "sampling: "),
            (message(machine_name="g1"), TOPIC, 'machine_name is "g1", and in the topic pump3'),
            (message(), "himmes/captures/pump3", "the topic is not himmes/captures/<machine>/<sensor>/<axis>"),
            (message(), "himmes/captures/a/b/c/d", "the topic is not"),
            (message(), "himmes/captures/pump3/de", "axis: This field is required."),
            (message(dtype="int16"), TOPIC, "Whole numbers need a scale"),
            (message(number=10**9), TOPIC, "is more than an hour in the future"),
        ],
    )
    @pytest.mark.django_db
    def test_what_is_none_is_refused_with_its_reason(self, payload, topic, reason):
        with pytest.raises(Refused) as error:
            try:
                store_captures(self.read(payload, topic), register=RegisteredBy.API)
            except InvalidRows as wrong:
                raise Refused(reason_of(wrong)) from None
        assert reason in str(error.value)
        assert "\n" not in str(error.value)

    def test_a_message_that_is_too_long_is_refused(self, settings):
        settings.API_MAX_BODY_BYTES = 1_000
        with pytest.raises(Refused, match="at most 1,000 are read"):
            self.read(message())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mqtt://broker", ("broker", 1883, False, "", "")),
        ("mqtt://him%40mes:p%2Fw@10.0.0.5:1884", ("10.0.0.5", 1884, False, "him@mes", "p/w")),
        (f"mqtts://u:p@broker?ca={__file__}", ("broker", 8883, True, "u", "p")),
    ],
)
def test_an_address_says_where_the_broker_is_and_as_whom_to_come(text, expected):
    address = Address.read(text)
    assert (address.host, address.port, address.uses_tls, address.user, address.password) == expected
    assert "password" not in repr(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "broker:1883",
        "http://broker",
        "mqtt://",
        "mqtt://broker:99999",
        "mqtt://broker/topic",
        "mqtt://broker?ca=x",
        "mqtts://broker?ca=/no/such/file",
        "mqtts://broker?tls=1",
    ],
)
def test_an_address_that_cannot_be_is_refused(text):
    with pytest.raises(BadAddress):
        Address.read(text)


def test_the_command_says_what_it_lacks(settings, monkeypatch):
    for url, args, reason in (
        ("", [], "DJANGO_MQTT_URL does not say where the broker is"),
        ("http://secret:word@x", [], "DJANGO_MQTT_URL: write mqtt://host:1883"),
        ("mqtt://x", ["--topic", "a/#"], "has no wildcards"),
    ):
        settings.MQTT_URL = url
        with pytest.raises(CommandError) as error:
            call_command("mqtt_gateway", *args)
        assert reason in str(error.value) and "secret" not in str(error.value)
    monkeypatch.setattr("vibration.management.commands.mqtt_gateway.find_spec", lambda name: None)
    with pytest.raises(CommandError, match=r"scripts/setup\.sh mqtt installs it"):
        call_command("mqtt_gateway")


@needs_broker
@pytest.mark.django_db
class TestWithABroker:
    def test_what_came_while_nobody_was_there_is_stored_and_taken_once(self, broker, publisher):
        subscribe(broker)
        for number in range(30):
            publisher.send(TOPIC, message(number))
        said = run_gateway(broker, lambda said: stored() == 30)
        assert "its session is there still" in said.text
        assert "30 messages, 30 new, 0 identical, 0 conflicting, 0 refused, 0 failed" in said
        assert CaptureFeatures.objects.count() == 30
        for number, capture in enumerate(Capture.objects.order_by("started_at")):
            assert (samples_of(capture) == values(number)).all()
            assert (capture.source, capture.unit) == ("MQTT", "g")
        assert is_empty(broker)

    def test_the_same_again_is_identical_and_other_samples_are_told_and_kept(self, broker, publisher, tmp_path):
        subscribe(broker)
        for payload in (message(), message(), message(body=values(9).tobytes())):
            publisher.send(TOPIC, payload)
        rejects = RejectsFolder(tmp_path / "rejects")
        said = run_gateway(broker, lambda said: any(rejects.folder.iterdir()), rejects=rejects)
        assert "3 messages, 1 new, 1 identical, 1 conflicting, 0 refused, 0 failed" in said
        assert f"refused: {TOPIC}: other samples are stored under its key (x at {START.isoformat()})" in said.text
        assert (samples_of(Capture.objects.get()) == values()).all()
        assert is_empty(broker)

    def test_one_that_is_refused_is_told_kept_and_blocks_no_other(self, broker, publisher, tmp_path):
        subscribe(broker)
        publisher.send("himmes/captures/pump3", b"\xff\x00")
        publisher.send(TOPIC, message(body=b"123"))
        publisher.send(TOPIC, message(body=b"123"))
        publisher.send(TOPIC, message(1))
        folder = tmp_path / "rejects"
        said = run_gateway(broker, lambda said: stored() == 1, rejects=RejectsFolder(folder))
        assert "4 messages, 1 new, 0 identical, 0 conflicting, 3 refused, 0 failed" in said
        kept = sorted(path.read_bytes() for path in folder.iterdir())
        assert len(kept) == 2  # what came twice is kept once
        heads = [json.loads(it.split(b"\n")[0]) for it in kept]
        assert {it["topic"] for it in heads} == {TOPIC, "himmes/captures/pump3"}
        assert any("3 bytes are no multiple of 4" in it["reason"] for it in heads)
        assert {it.split(b"\n", 1)[1] for it in kept} == {b"\xff\x00", message(body=b"123")}
        assert is_empty(broker)

    def test_a_folder_of_rejects_that_cannot_be_written_blocks_nothing(self, broker, publisher, tmp_path):
        subscribe(broker)
        publisher.send(TOPIC, b"nothing")
        publisher.send(TOPIC, message())
        rejects = RejectsFolder(tmp_path / "rejects")
        rejects.folder.rmdir()
        said = run_gateway(broker, lambda said: stored() == 1, rejects=rejects)
        assert "it could not be kept: No such file or directory" in said.text

    def test_an_unknown_machine_is_refused_where_posts_register_none(self, broker, publisher, settings):
        settings.API_REGISTERS_MACHINES = False
        subscribe(broker)
        publisher.send(TOPIC, message())
        said = run_gateway(broker, lambda said: "refused" in said.text)
        assert "Machine pump3 with sensor de is not registered" in said.text
        assert not Machine.objects.exists()

    def test_a_broker_that_restarts_is_found_again_with_all_that_it_kept(self, broker, publisher, monkeypatch):
        monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.05)
        subscribe(broker)
        publisher.send(TOPIC, message(0))
        steps = []

        def restart_once(said):
            if stored() == 1 and not steps:
                steps.append("restarted")
                broker.stop()
                broker.start()
                again = Publisher(broker.port)
                again.send(TOPIC, message(1))
                again.close()
            return stored() == 2

        said = run_gateway(broker, restart_once)
        assert "no connection to the broker" in said.text
        assert said.text.count("connected to 127.0.0.1") == 2

    def test_a_broker_that_is_not_there_is_waited_for(self, tmp_path, monkeypatch):
        monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
        broker = Broker(tmp_path)
        broker.stop()
        started = []

        def start_after_a_while(said):
            if not started and len(said) > 2:
                started.append(broker.start())
            return is_subscribed(said)

        said = run_gateway(broker, start_after_a_while)
        broker.stop()
        assert "Connection refused; trying again in 0.02 s" in said.text

    def test_it_speaks_tls_and_trusts_its_own_authority_alone(self, tmp_path, monkeypatch):
        monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1")
        certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
        certificate.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
        authority.cert_pem.write_to_path(tmp_path / "authority.pem")
        files = (f"certfile {tmp_path}/certificate.pem", f"keyfile {tmp_path}/key.pem")
        broker = Broker(tmp_path, "allow_anonymous true", *files)
        for query, told in (("", "CERTIFICATE_VERIFY_FAILED"), (f"?ca={tmp_path}/authority.pem", "subscribed to")):
            address = broker.url.replace("mqtt:", "mqtts:") + query
            said = run_gateway(broker, lambda said: len(said) > 1, address)
            assert told in said.text
        broker.stop()

    def test_a_wrong_password_is_told(self, tmp_path, monkeypatch):
        monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
        broker = Broker(tmp_path, "allow_anonymous false")
        said = run_gateway(broker, lambda said: len(said) > 1, broker.url.replace("//", "//himmes:secret@"))
        broker.stop()
        assert "it refuses: Not authorized" in said[0] and "secret" not in said.text

    def test_while_the_database_is_away_nothing_is_acknowledged(self, broker, publisher, monkeypatch):
        store, waited = module.store_captures, []

        def away_for_a_while(new, **how):
            # Tests run in a transaction, in which nothing is waited for: so here is what waits.
            while len(waited) < 3:
                waited.append(new)
                how["patience"].sleep(0.3)
            return store(new, **how)

        monkeypatch.setattr(module, "store_captures", away_for_a_while)
        subscribe(broker)
        publisher.send(TOPIC, message(0))
        publisher.send(TOPIC, message(1))
        said = run_gateway(broker, lambda said: stored() == 2)
        assert len(waited) == 3
        assert "2 messages, 2 new, 0 identical, 0 conflicting, 0 refused, 0 failed" in said
        assert is_empty(broker)

    def test_an_end_while_the_database_is_away_leaves_the_message_with_the_broker(self, broker, publisher, monkeypatch):
        def away(new, **how):
            waiting.append(new)
            how["patience"].sleep(PATIENCE_S)

        waiting = []
        subscribe(broker)
        publisher.send(TOPIC, message())
        with monkeypatch.context() as patch:
            patch.setattr(module, "store_captures", away)
            run_gateway(broker, lambda said: bool(waiting))
        assert stored() == 0
        run_gateway(broker, lambda said: stored() == 1)

    def test_what_the_database_does_not_take_stays_with_the_broker(self, broker, publisher, monkeypatch):
        def fail(new, **how):
            raise OperationalError("no such column: vibration_capture.new")

        subscribe(broker)
        for number in range(module.MOST_FAILED + 1):
            publisher.send(TOPIC, message(number))
        with monkeypatch.context() as patch:
            patch.setattr(module, "store_captures", fail)
            with pytest.raises(GatewayFailed, match="no such column"):
                run_gateway(broker, lambda said: False)
        run_gateway(broker, lambda said: stored() == module.MOST_FAILED + 1)

    def test_one_that_the_database_does_not_take_at_first_is_tried_again(self, broker, publisher, monkeypatch):
        """Among others that are stored; else some of these would keep the broker from sending any more."""
        refused: list[str] = []

        def fail_once(new, **how):
            if new[0].axis not in refused:
                refused.append(new[0].axis)
                raise OperationalError("Lock wait timeout exceeded")
            return store_captures(new, **how)

        store_captures = module.store_captures
        monkeypatch.setattr(module, "store_captures", fail_once)
        monkeypatch.setattr(module, "AGAIN_S", 0.1)
        subscribe(broker)
        publisher.send(TOPIC, message(0))
        publisher.send(TOPIC, message(1))
        said = run_gateway(broker, lambda said: stored() == 2)
        assert "3 messages, 2 new, 0 identical, 0 conflicting, 0 refused, 1 failed" in said


KILLED = """
import os, signal, sys
import django; django.setup()
from django.core.management import call_command
from vibration.mqtt.gateway import Gateway

def die(self, message):
    os.kill(os.getpid(), signal.SIGKILL)

if "die" in sys.argv:
    Gateway._acknowledge = die
call_command("mqtt_gateway")
"""


@needs_broker
@pytest.mark.django_db(transaction=True)
class TestAsAProcess:
    def start(self, broker, *args) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-c", KILLED, *args],
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "DATABASE_URL": database_url(),
                "DJANGO_MQTT_URL": broker.url,
                "DJANGO_SETTINGS_MODULE": "himmes.settings",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def test_killed_between_storing_and_acknowledging_it_gets_the_message_again(self, broker, publisher):
        subscribe(broker)
        for number in range(3):
            publisher.send(TOPIC, message(number))
        process = self.start(broker, "die")
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == -signal.SIGKILL
        assert stored() == 1
        process = self.start(broker)
        wait_until(lambda: stored() == 3)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, err) == (0, "")
        assert "3 messages, 2 new, 1 identical, 0 conflicting, 0 refused, 0 failed" in out
        assert out.rstrip().endswith("Ended.")
        assert is_empty(broker)
