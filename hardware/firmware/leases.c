#include "leases.h"

lease_t lease_for(uint32_t now_ms, uint32_t duration_ms) { return (lease_t){.ends_at_ms = now_ms + duration_ms}; }

/* The difference of two times, and not their order, survives that the clock starts over. */
bool lease_has_run_out(lease_t lease, uint32_t now_ms) { return (int32_t)(lease.ends_at_ms - now_ms) <= 0; }

uint32_t lease_left_ms(lease_t lease, uint32_t now_ms) {
  return lease_has_run_out(lease, now_ms) ? 0 : lease.ends_at_ms - now_ms;
}
