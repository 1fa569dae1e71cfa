/* Why the chip has started, and the watchdog that starts it again when it hangs. */
#pragma once

/* One word: power, external, brown-out or watchdog. */
const char *reset_cause(void);

/* From now on the chip starts again unless `watchdog_calm` is called every 250 ms. */
void watchdog_start(void);

void watchdog_calm(void);

/* Around the sleep of the main loop: a chip that was reset at rest did not hang. */
void reset_note_rest(void);
void reset_note_work(void);
