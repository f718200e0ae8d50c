"""A collector for an ESP32 with MicroPython and an ADXL355 (three axes, 20 bits) at its SPI bus.

Each EVERY_S it measures SECONDS at 4,000 Hz, and sends that by HTTP or, if MQTT_HOST is set, by MQTT with QoS 1. It is
kept in the flash until it has arrived; the oldest is given up when there are more than MOST_KEPT.

Written by the data sheet and the documentation of MicroPython 1.24; it has not run on a board. Needs one of two
packages: mpremote mip install requests umqtt.simple
"""

import gc
import json
import os
import struct
import time

# --- What is to be set ------------------------------------------------------------------------------------------------
WIFI = ("plant", "password")
URL, TOKEN = "http://10.0.0.5:8000", "..."  # a token of the role collector
MQTT_HOST, MQTT_USER, MQTT_PASSWORD = "", "", ""
MACHINE, SENSOR = "pump3", "de"  # letters and digits, as they stand in an address
SECONDS, EVERY_S = 1, 600
SCK, MOSI, MISO, CS = 18, 23, 19, 5
KEPT, MOST_KEPT = "/kept", 20  # 48 KB each

# --- The sensor -------------------------------------------------------------------------------------------------------
PARTID, FIFO_ENTRIES, STATUS, FIFO_DATA = 0x02, 0x05, 0x04, 0x11
FILTER, RANGE, POWER_CTL, RESET = 0x28, 0x2C, 0x2D, 0x2F
RATE_HZ = 4000  # ODR with FILTER = 0; frequencies up to 1,000 Hz pass
G_PER_STEP = 3.9e-6  # at +-2 g: 256,000 steps a g
OVERRUN = 0b100  # of STATUS: the FIFO was full, and samples are lost
ENTRY = 3  # bytes of one value in the FIFO, of which 96 fit: 32 of each axis, 8 ms


class Lost(Exception):
    """Samples are missing in between."""


class Adxl355:
    def __init__(self, spi, cs):
        self._spi, self._cs = spi, cs
        self._write(RESET, 0x52)
        time.sleep_ms(10)
        if self._read(PARTID, 1)[0] != 0xED:
            raise OSError("there is no ADXL355 at these pins")
        self._write(RANGE, 0b01)  # +-2 g
        self._write(FILTER, 0)

    def measure(self, count):
        """The bytes of the FIFO for `count` samples of each axis, as they come. Raises Lost.

        Nothing is taken apart while it measures: Python is too slow for 12,000 values a second, and the FIFO has to be
        emptied each 8 ms.
        """
        raw = bytearray(count * 3 * ENTRY)  # 36 KB a second
        view, at = memoryview(raw), 0
        self._write(POWER_CTL, 0)  # measure
        try:
            while at < len(raw):
                entries = self._read(FIFO_ENTRIES, 1)[0] // 3 * 3  # whole samples
                size = min(entries * ENTRY, len(raw) - at)
                if size:
                    self._read_into(FIFO_DATA, view[at : at + size])
                    at += size
                if self._read(STATUS, 1)[0] & OVERRUN:
                    raise Lost
        finally:
            self._write(POWER_CTL, 1)  # stand by, which empties the FIFO
        return raw

    def _read(self, register, count):
        found = bytearray(count)
        self._read_into(register, found)
        return found

    def _read_into(self, register, buffer):
        self._cs(0)
        self._spi.write(bytes([register << 1 | 1]))
        self._spi.readinto(buffer)
        self._cs(1)

    def _write(self, register, value):
        self._cs(0)
        self._spi.write(bytes([register << 1, value]))
        self._cs(1)


def to_samples(raw):
    """Bytes of the FIFO as float32 in g, x0, y0, z0, x1, ..., little-endian. Raises Lost.

    An entry has 24 bits: 20 of a number with a sign, 2 that mean nothing, one that says that the FIFO was empty, and
    one that marks x. 20 bits do not fit int16, which would drop four; float32 holds them with all their digits.
    """
    samples = bytearray(len(raw) // ENTRY * 4)
    for number in range(len(raw) // ENTRY):
        entry = raw[3 * number] << 16 | raw[3 * number + 1] << 8 | raw[3 * number + 2]
        is_x, is_empty = entry & 1, entry & 2
        if is_empty or bool(is_x) != (number % 3 == 0):
            raise Lost
        value = entry >> 4
        if value & 0x80000:
            value -= 0x100000
        struct.pack_into("<f", samples, 4 * number, value * G_PER_STEP)
    return samples


def now():
    """The instant in UTC, as ISO text; the clock is set by NTP."""
    import machine

    year, month, day, _weekday, hour, minute, second, microseconds = machine.RTC().datetime()
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.{microseconds:06d}Z"


# --- Sending ----------------------------------------------------------------------------------------------------------
def keep(head, samples):
    """Before it is sent, as a reset may come at any instant. 7 MB a day do a flash no harm for many years."""
    names = sorted(os.listdir(KEPT))
    while len(names) >= MOST_KEPT:
        os.remove(f"{KEPT}/{names.pop(0)}")
    with open(f"{KEPT}/{head['started_at'].replace(':', '')}", "wb") as file:
        file.write(json.dumps(head).encode() + b"\n")
        file.write(samples)


def send_kept():
    """The oldest first. Raises OSError without a network; what is left then waits."""
    for name in sorted(os.listdir(KEPT)):
        with open(f"{KEPT}/{name}", "rb") as file:
            kept = file.read()
        if not (by_mqtt if MQTT_HOST else by_http)(kept):
            return
        os.remove(f"{KEPT}/{name}")
        del kept
        gc.collect()


def by_mqtt(kept):
    """Comes back once the broker has it; `manage.py mqtt_gateway` stores it from there."""
    from umqtt.simple import MQTTClient

    client = MQTTClient(f"{MACHINE}-{SENSOR}", MQTT_HOST, user=MQTT_USER or None, password=MQTT_PASSWORD or None)
    client.connect()
    client.publish(f"himmes/captures/{MACHINE}/{SENSOR}/x,y,z", kept, qos=1)
    client.disconnect()
    return True


def by_http(kept):
    """Whether it need not be sent again: it is stored, or never will be."""
    import requests

    end = kept.index(b"\n")
    said = json.loads(kept[:end])
    said.update({"machine_name": MACHINE, "sensor_no": SENSOR, "axis": "x,y,z"})
    query = "&".join([f"{name}={value}" for name, value in said.items()])
    headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/octet-stream"}
    answer = requests.post(f"{URL}/api/captures?{query}", data=memoryview(kept)[end + 1 :], headers=headers)
    status, told = answer.status_code, answer.text
    answer.close()
    if status in (200, 201):
        return True
    print("the server says", status, told)
    return status in (400, 404, 409, 413, 415)  # sending the same again would change nothing


def connect():
    """Join the network and set the clock. Raises OSError."""
    import network
    import ntptime

    station = network.WLAN(network.STA_IF)
    station.active(True)
    if not station.isconnected():
        station.connect(*WIFI)
        for _try in range(100):
            if station.isconnected():
                break
            time.sleep_ms(200)
    ntptime.settime()


def main():
    from machine import SPI, Pin

    if KEPT[1:] not in os.listdir("/"):
        os.mkdir(KEPT)
    spi = SPI(2, baudrate=8_000_000, sck=Pin(SCK), mosi=Pin(MOSI), miso=Pin(MISO))
    sensor = Adxl355(spi, Pin(CS, Pin.OUT, value=1))
    is_set = False  # whether the clock is: without it nothing is measured
    while True:
        try:
            connect()
            is_set = True
            send_kept()
        except OSError as error:
            print("not sent:", error)
        if is_set:
            head = {"started_at": now(), "sampling_hz": RATE_HZ, "dtype": "float32", "unit": "g"}
            try:
                keep(head, to_samples(sensor.measure(SECONDS * RATE_HZ)))
                gc.collect()
                send_kept()
            except Lost:
                print("samples were lost; this capture is given up")
            except OSError as error:
                print("not sent:", error)
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main()
