#include "serial.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "board.h"

#define BAUD BAUD_RATE
#define BAUD_TOL 1
#include <util/setbaud.h>

/* Sizes are powers of two; an index counts on through them, and only its lowest bits are a place. */
#define INPUT_SIZE 128
#define OUTPUT_SIZE 256

static volatile char input[INPUT_SIZE];
static volatile uint8_t input_written;
static volatile uint8_t input_taken;
static volatile bool input_lost;

static volatile char output[OUTPUT_SIZE];
static volatile uint8_t output_written;
static volatile uint8_t output_sent;

static uint8_t input_waiting(void) { return (uint8_t)(input_written - input_taken); }

static void keep(char byte) { input[input_written++ % INPUT_SIZE] = byte; }

ISR(USART_RX_vect) {
  /* The errors belong to the byte, and are gone once it has been read. */
  const uint8_t errors = UCSR0A & (_BV(FE0) | _BV(DOR0) | _BV(UPE0));
  const char byte = (char)UDR0;
  if (errors != 0) input_lost = true;
  if (input_waiting() > INPUT_SIZE - 2) {
    input_lost = true;
    return;
  }
  if (input_lost) {
    input_lost = false;
    keep(SERIAL_GAP);
  }
  keep(byte);
}

ISR(USART_UDRE_vect) {
  UDR0 = (uint8_t)output[output_sent++ % OUTPUT_SIZE];
  if (output_sent == output_written) UCSR0B &= (uint8_t)~_BV(UDRIE0);
}

void serial_start(void) {
  input_written = input_taken = 0;
  output_written = output_sent = 0;
  input_lost = false;
  UBRR0H = UBRRH_VALUE;
  UBRR0L = UBRRL_VALUE;
  UCSR0A = USE_2X ? _BV(U2X0) : 0;
  UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
  UCSR0B = _BV(RXCIE0) | _BV(RXEN0) | _BV(TXEN0);
}

bool serial_has_input(void) { return input_waiting() != 0; }

char serial_take(void) { return input[input_taken++ % INPUT_SIZE]; }

/* One place stays empty: a full ring would look like an empty one. */
uint8_t serial_room(void) { return (uint8_t)(OUTPUT_SIZE - 1 - (uint8_t)(output_written - output_sent)); }

void serial_send(char byte) {
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    output[output_written++ % OUTPUT_SIZE] = byte;
    UCSR0B |= _BV(UDRIE0);
  }
}
