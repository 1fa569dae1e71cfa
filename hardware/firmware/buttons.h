/* The buttons, one per channel, each from its pin to ground. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A button that is down at the start, or stuck, counts as pressed only once it has been up. */
void buttons_start(void);

/* Looks at all of them; to be called each millisecond. Gives those that have just gone down, a bit a channel. */
uint8_t buttons_pressed(void);

/* Whether this one is down, once it has stopped bouncing. */
bool button_is_down(uint8_t channel);
