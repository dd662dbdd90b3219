/* The bus of a C driver under test: frames go to the simulated chip through a pair of pipes (test_c_drivers.py). */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* One CS assertion: n bytes out of tx; what came back goes into rx (n bytes, or NULL). hz: the clock. */
void pipe_frame(const uint8_t *tx, uint8_t *rx, size_t n, uint32_t hz);
/* Simulated time goes on. */
void pipe_sleep_us(uint32_t us);
/* A line for the test: a name and a number. */
void pipe_tell(const char *name, double value);
