#include "channels.h"

#include <util/delay_basic.h>

#include "board.h"
#include "leases.h"

typedef struct {
  channel_state_t state;
  lease_t lease;
} channel_t;

static channel_t channels[CHANNELS];

static uint8_t cut_channels(void) {
  uint8_t cut = 0;
  uint8_t bit = 1;
  for (uint8_t channel = 0; channel < CHANNELS; channel++, bit <<= 1) {
    if (channels[channel].state != CHANNEL_WHOLE) cut |= bit;
  }
  return cut;
}

void channels_refresh(void) {
  const uint8_t cut = cut_channels();
  const uint8_t relays = (uint8_t)(ALL_CHANNELS << RELAY_SHIFT);
  /* Levels before directions: no pin is high for an instant that should not be. */
  RELAY_PORT = (uint8_t)((RELAY_PORT & ~relays) | (cut << RELAY_SHIFT));
  RELAY_DIRECTION |= relays;
  LED_PORT = (uint8_t)((LED_PORT & ~ALL_CHANNELS) | cut);
  LED_DIRECTION |= ALL_CHANNELS;
}

void channels_start(void) {
  for (uint8_t channel = 0; channel < CHANNELS; channel++) channels[channel].state = CHANNEL_WHOLE;
  channels_refresh();
}

void channel_cut(uint8_t channel, channel_state_t by, uint32_t now_ms, uint32_t lease_ms) {
  channels[channel].lease = lease_for(now_ms, lease_ms);
  channels[channel].state = by;
  channels_refresh();
}

void channel_heal(uint8_t channel) {
  channels[channel].state = CHANNEL_WHOLE;
  channels_refresh();
}

channel_state_t channel_state(uint8_t channel) { return channels[channel].state; }

uint32_t channel_lease_left_ms(uint8_t channel, uint32_t now_ms) {
  return lease_left_ms(channels[channel].lease, now_ms);
}

bool channel_heal_if_run_out(uint8_t channel, uint32_t now_ms) {
  if (channels[channel].state == CHANNEL_WHOLE) return false;
  if (!lease_has_run_out(channels[channel].lease, now_ms)) return false;
  channel_heal(channel);
  return true;
}

bool channel_pin_obeys(uint8_t channel) {
  /* A pin is measured a cycle and a half late, and its driver charges the wire: 16 loops are 3 us. */
  _delay_loop_1(16);
  const bool is_high = (RELAY_PIN & (uint8_t)(1 << (channel + RELAY_SHIFT))) != 0;
  return is_high == (channels[channel].state != CHANNEL_WHOLE);
}
