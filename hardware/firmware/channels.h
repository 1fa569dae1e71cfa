/* The channels: each a relay that cuts a cable while it is energised, and the LED beside it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef enum { CHANNEL_WHOLE, CHANNEL_CUT_BY_HOST, CHANNEL_CUT_BY_HAND } channel_state_t;

/* Heals all of them. */
void channels_start(void);

/* Cuts, or renews the lease of what is cut; the latest call decides who cut it. */
void channel_cut(uint8_t channel, channel_state_t by, uint32_t now_ms, uint32_t lease_ms);

void channel_heal(uint8_t channel);

channel_state_t channel_state(uint8_t channel);

uint32_t channel_lease_left_ms(uint8_t channel, uint32_t now_ms);

/* Heals it if it is cut and its lease has run out; says whether it did. */
bool channel_heal_if_run_out(uint8_t channel, uint32_t now_ms);

/* Whether the pin of its relay has the level that the state asks for, as measured at the pin. */
bool channel_pin_obeys(uint8_t channel);

/* Drives all pins as the states ask for, again and again: what upset a register does not last. */
void channels_refresh(void);
