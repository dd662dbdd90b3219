/* What a driver written for Mongoose OS asks of its surroundings, as far as an ADE7953's needs it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pipe.h"

#define LL_ERROR 0
#define LL_INFO 2
#define LOG(level, args) ((void) (level))

static inline void mgos_msleep(uint32_t ms) {
  pipe_sleep_us(ms * 1000);
}

struct mgos_config_ade7953 {
  float voltage_scale, voltage_offset;
  float current_scale_0, current_scale_1, current_offset_0, current_offset_1;
  float apower_scale_0, apower_scale_1, aenergy_scale_0, aenergy_scale_1;
  int voltage_pga_gain, current_pga_gain_0, current_pga_gain_1;
};
