/* A lease: until when something holds. Right also where the clock starts over, since none is longer than 24 days. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  uint32_t ends_at_ms;
} lease_t;

lease_t lease_for(uint32_t now_ms, uint32_t duration_ms);

bool lease_has_run_out(lease_t lease, uint32_t now_ms);

/* 0 once it has run out. */
uint32_t lease_left_ms(lease_t lease, uint32_t now_ms);
