/* Milliseconds, counted by timer 2. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void clock_start(void);

/* The time; it starts over after 49.7 days, and 5 s after each reset. */
uint32_t clock_now_ms(void);

/* Whether a millisecond has begun since this was last asked. */
bool clock_has_ticked(void);

/* The same without taking note of it; interrupts must be off. */
bool clock_is_due(void);
