#include "pipe.h"

#include <stdio.h>
#include <stdlib.h>

static void flush_or_end(void) {
  if (fflush(stdout) != 0) exit(2);
}

void pipe_frame(const uint8_t *tx, uint8_t *rx, size_t n, uint32_t hz) {
  printf("frame %u ", (unsigned) hz);
  for (size_t i = 0; i < n; i++) printf("%02x", tx[i]);
  printf("\n");
  flush_or_end();
  for (size_t i = 0; i < n; i++) {
    unsigned byte;
    if (scanf("%2x", &byte) != 1) exit(2);
    if (rx != NULL) rx[i] = (uint8_t) byte;
  }
}

void pipe_sleep_us(uint32_t us) {
  printf("sleep %u\n", (unsigned) us);
  flush_or_end();
}

void pipe_tell(const char *name, double value) {
  printf("tell %s %.9g\n", name, value);
  flush_or_end();
}
