/* What is said over the serial line; see README.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void protocol_start(uint32_t now_ms);

/* Whether a part of a request waits that can be served now. */
bool protocol_has_work(void);

/* Serves one request, if a whole one has come in and there is room for its answer. */
void protocol_serve(uint32_t now_ms);

/* Whether no valid line has come in for so long that whoever sent the last one is taken for dead. */
bool protocol_is_quiet(uint32_t now_ms);

/* News, told without being asked, and dropped if there is no room for them. `why` is lease, quiet or hand. */
void protocol_tell_start(void);
void protocol_tell_cut(uint8_t channel, const char *why);
void protocol_tell_healed(uint8_t channel, const char *why);
