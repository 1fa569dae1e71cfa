/* Lines: `text*CRC`, where CRC is the CRC-16/IBM-3740 of the text as four upper-case hexadecimal digits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Takes what has come in, up to the end of one line. Gives its text, without the checksum, until the next call; NULL if no
 * whole line is there yet or if it is damaged. */
const char *line_take(void);

/* How many lines were thrown away as damaged or too long since the reset; it stops at its maximum. */
uint16_t line_damaged(void);

/* Whether a line can be sent now. Whoever begins one without asking sends nothing. */
bool line_has_room(void);

/* A line is sent piece by piece, between begin and end. */
void line_begin(void);
void line_text(const char *text);
void line_number(uint32_t number);
void line_end(void);
