/* SPI transactions as Mongoose OS has them: half duplex, what is sent first and what is received then under one CS. */
#pragma once

#include "mgos.h"

struct mgos_spi;

struct mgos_spi_txn {
  int cs, mode;
  int freq;
  struct {
    const void *tx_data;
    size_t tx_len;
    size_t dummy_len;
    void *rx_data;
    size_t rx_len;
  } hd;
};

static inline bool mgos_spi_run_txn(struct mgos_spi *spi, bool full_duplex, const struct mgos_spi_txn *txn) {
  uint8_t out[16] = {0}, in[16];
  size_t n = txn->hd.tx_len + txn->hd.dummy_len + txn->hd.rx_len;
  (void) spi;
  if (full_duplex || n > sizeof(out)) return false;
  memcpy(out, txn->hd.tx_data, txn->hd.tx_len);
  pipe_frame(out, in, n, (uint32_t) txn->freq);
  if (txn->hd.rx_len) memcpy(txn->hd.rx_data, in + n - txn->hd.rx_len, txn->hd.rx_len);
  return true;
}
