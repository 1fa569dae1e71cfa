/* The serial port: bytes in and out of two rings, moved by interrupts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Stands in the stream where bytes were lost or damaged. No line may hold it, so none is put together around a gap. */
#define SERIAL_GAP '\0'

void serial_start(void);

/* Whether a byte waits to be taken. */
bool serial_has_input(void);

/* Takes the next byte; only if one waits. */
char serial_take(void);

/* How many bytes can be sent without waiting. */
uint8_t serial_room(void);

/* Sends a byte; only if there is room. */
void serial_send(char byte);
