#include "reset.h"

#include <avr/io.h>
#include <avr/wdt.h>
#include <stdint.h>

#define AT_WORK 0x57A7
#define AT_REST 0xA5E5

/* A reset leaves these as they were; only without power they are lost. */
static uint16_t activity __attribute__((section(".noinit")));
static uint16_t activity_before __attribute__((section(".noinit")));
static uint8_t flags __attribute__((section(".noinit")));

/* Runs before everything else: the watchdog stays on after it has bitten, and would bite again in 16 ms. */
void take_reset_flags(void) __attribute__((naked, used, section(".init3")));
void take_reset_flags(void) {
  flags = MCUSR;
  activity_before = activity;
  activity = AT_WORK;
  MCUSR = 0;
  wdt_disable();
}

const char *reset_cause(void) {
  if (flags & _BV(WDRF)) return "watchdog";
  if (flags & _BV(BORF)) return "brown-out";
  if (flags & _BV(EXTRF)) return "external";
  if (flags & _BV(PORF)) return "power";
  /* A boot loader has taken the flags. What the chip was doing before tells nearly as well: a watchdog never bites at
   * rest, and somebody who opens the port or presses the reset button rarely meets it at work. */
  if (activity_before == AT_WORK) return "watchdog";
  return activity_before == AT_REST ? "external" : "power";
}

/* Only resets, no interrupt first: with that, a chip that hangs with interrupts off would hang for ever. */
void watchdog_start(void) { wdt_enable(WDTO_250MS); }

void watchdog_calm(void) { wdt_reset(); }

void reset_note_rest(void) { activity = AT_REST; }

void reset_note_work(void) { activity = AT_WORK; }
