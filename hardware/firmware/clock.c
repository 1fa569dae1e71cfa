#include "clock.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#define PRESCALER 128
#define COUNTS_PER_MS (F_CPU / PRESCALER / 1000)

/* So soon after a reset the count starts over: what cannot live with that shows at once, and not after 49 days. */
#define MS_BEFORE_WRAP 5000UL

static volatile uint32_t now_ms;
static volatile bool ticked;

ISR(TIMER2_COMPA_vect) {
  now_ms++;
  ticked = true;
}

void clock_start(void) {
  now_ms = 0UL - MS_BEFORE_WRAP;
  TCNT2 = 0;
  OCR2A = COUNTS_PER_MS - 1;
  TCCR2A = _BV(WGM21);
  TCCR2B = _BV(CS22) | _BV(CS20);
  TIMSK2 = _BV(OCIE2A);
}

uint32_t clock_now_ms(void) {
  uint32_t now;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { now = now_ms; }
  return now;
}

bool clock_has_ticked(void) {
  bool has_ticked;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    has_ticked = ticked;
    ticked = false;
  }
  return has_ticked;
}

bool clock_is_due(void) { return ticked; }
