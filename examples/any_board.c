/* A plan for any board with C. It is no program: what stands in words has to be written for your board.
 *
 * Posts int16 as the converter gave them; `scale` says what one step is in the unit. A converter of more than 16 bits
 * sends float32 instead: dtype=float32, no scale, each number little-endian.
 */

enum { AXES = 3, RATE_HZ = 4000, COUNT = RATE_HZ * 1 };

static int16_t samples[COUNT * AXES]; /* x0, y0, z0, x1, ... little-endian, as ESP32, STM32 and RP2040 have them */

void collect(void)
{
    for (;;) {
        wait_until_the_clock_is_set();      /* NTP. A start of 1970 is refused. */
        char started_at[] = "2026-11-20T03:00:00.000000Z";
        clear_fifo_and_start_measuring();
        write_now_as_utc(started_at);       /* once: it is a part of the key, and every attempt has the same one */

        for (size_t at = 0; at < COUNT * AXES;) {
            at += read_fifo(samples + at, COUNT * AXES - at);   /* by DMA or an interrupt at half full */
            if (fifo_has_overrun())
                goto give_up;               /* a capture with a hole is worse than none */
        }
        stop_measuring();

        keep_in_flash(started_at, samples); /* before it is sent: a reset may come at any instant */
        for (each_kept_capture_oldest_first) {
            int status = http_post(
                "/api/captures?machine_name=pump3&sensor_no=de&axis=x,y,z&dtype=int16&scale=0.000061"
                "&unit=g&sampling_hz=4000&started_at=", its_started_at,
                "Authorization: Bearer <token>", "Content-Type: application/octet-stream",
                its_samples, sizeof samples);
            if (status == 200 || status == 201)
                remove_it();                /* stored now, or stored before */
            else if (status == 400 || status == 409 || status == 413)
                put_it_aside_for_a_person();/* it will never be stored as it is */
            else
                break;                      /* no network, 429, 5xx: all of it next time, after Retry-After */
        }
    give_up:
        sleep_until_the_next_capture();
    }
}
