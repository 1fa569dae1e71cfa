/* A relay controller that fails safe: each cut ends by itself unless somebody keeps asking for it. */

#include <avr/interrupt.h>
#include <avr/sleep.h>

#include "board.h"
#include "buttons.h"
#include "channels.h"
#include "clock.h"
#include "protocol.h"
#include "reset.h"
#include "serial.h"

static void heal_what_ran_out(uint32_t now_ms);
static void serve_buttons(uint32_t now_ms);
static void sleep_until_something_happens(void);

int main(void) {
  channels_start();
  watchdog_start();
  buttons_start();
  clock_start();
  serial_start();
  protocol_start(clock_now_ms());
  sei();
  protocol_tell_start();
  for (;;) {
    /* A request is served first: one that renews a lease is in time until the millisecond in which the lease ends. */
    protocol_serve(clock_now_ms());
    if (clock_has_ticked()) {
      const uint32_t now_ms = clock_now_ms();
      heal_what_ran_out(now_ms);
      serve_buttons(now_ms);
      channels_refresh();
      /* Only here: if the clock stood still, leases would not end. */
      watchdog_calm();
    }
    sleep_until_something_happens();
  }
}

static void heal_what_ran_out(uint32_t now_ms) {
  const bool is_quiet = protocol_is_quiet(now_ms);
  for (uint8_t channel = 0; channel < CHANNELS; channel++) {
    if (channel_heal_if_run_out(channel, now_ms)) {
      protocol_tell_healed(channel, "lease");
    } else if (is_quiet && channel_state(channel) == CHANNEL_CUT_BY_HOST) {
      channel_heal(channel);
      protocol_tell_healed(channel, "quiet");
    }
  }
}

/* A button turns its channel round, whoever cut it: a hand at the bench comes before every program. */
static void serve_buttons(uint32_t now_ms) {
  uint8_t pressed = buttons_pressed();
  for (uint8_t channel = 0; pressed != 0; channel++, pressed >>= 1) {
    if ((pressed & 1) == 0) continue;
    if (channel_state(channel) == CHANNEL_WHOLE) {
      channel_cut(channel, CHANNEL_CUT_BY_HAND, now_ms, HAND_LEASE_MS);
      protocol_tell_cut(channel, "hand");
    } else {
      channel_heal(channel);
      protocol_tell_healed(channel, "hand");
    }
  }
}

static void sleep_until_something_happens(void) {
  set_sleep_mode(SLEEP_MODE_IDLE);
  cli();
  if (!protocol_has_work() && !clock_is_due()) {
    reset_note_rest();
    sleep_enable();
    /* The instruction after `sei` still runs before any interrupt: nothing that happens here is slept over. */
    sei();
    sleep_cpu();
    sleep_disable();
    reset_note_work();
  }
  sei();
}
