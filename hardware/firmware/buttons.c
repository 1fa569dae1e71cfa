#include "buttons.h"

#include "board.h"

static uint8_t down;
/* For how many looks in a row each has been other than `down` says. */
static uint8_t changed_for[CHANNELS];

void buttons_start(void) {
  DDRC &= (uint8_t)~ALL_CHANNELS;
  BUTTON_PORT |= ALL_CHANNELS;
  down = ALL_CHANNELS;
  for (uint8_t channel = 0; channel < CHANNELS; channel++) changed_for[channel] = 0;
}

uint8_t buttons_pressed(void) {
  const uint8_t changed = (uint8_t)(~BUTTON_PIN & ALL_CHANNELS) ^ down;
  uint8_t pressed = 0;
  uint8_t bit = 1;
  for (uint8_t channel = 0; channel < CHANNELS; channel++, bit <<= 1) {
    if ((changed & bit) == 0) {
      changed_for[channel] = 0;
    } else if (++changed_for[channel] == DEBOUNCE_MS) {
      changed_for[channel] = 0;
      down ^= bit;
      pressed |= (uint8_t)(down & bit);
    }
  }
  return pressed;
}

bool button_is_down(uint8_t channel) { return (down & (uint8_t)(1 << channel)) != 0; }
