/* Has the driver set the chip up and read everything, with all scales at 1: what it says are register values. */
#include "mgos.h"
#include "mgos_ade7953.h"

int main(void) {
  struct mgos_config_ade7953 cfg = {1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0};
  struct mgos_ade7953 *dev = mgos_ade7953_create_spi((struct mgos_spi *) &cfg, 0, &cfg);
  pipe_tell("created", dev != NULL);
  if (dev == NULL) return 0;
  pipe_sleep_us(1000000);
  float value;
  int32_t raw;
  if (mgos_ade7953_get_voltage(dev, &value)) pipe_tell("voltage", value);
  if (mgos_ade7953_get_frequency(dev, &value)) pipe_tell("frequency", value);
  if (mgos_ade7953_get_pf(dev, 0, &value)) pipe_tell("pf", value);
  for (int channel = 0; channel < 2; channel++) {
    if (mgos_ade7953_get_current(dev, channel, &value)) pipe_tell(channel ? "current_b" : "current_a", value);
    if (mgos_ade7953_get_apower(dev, channel, &value)) pipe_tell(channel ? "power_b" : "power_a", value);
  }
  mgos_ade7953_get_aenergy(dev, 0, true, &value);
  pipe_sleep_us(2000000);
  if (mgos_ade7953_get_aenergy(dev, 0, true, &value)) pipe_tell("energy_2_s", value);
  if (mgos_ade7953_get_aenergy(dev, 0, false, &value)) pipe_tell("energy_at_once", value);
  pipe_sleep_us(1000000);
  if (mgos_ade7953_get_aenergy(dev, 0, false, &value)) pipe_tell("energy_1_s", value);
  if (mgos_ade7953_get_aenergy(dev, 0, false, &value)) pipe_tell("energy_again", value);
  if (mgos_ade7953_read_reg(dev, 0x120, false, &raw)) pipe_tell("optimum", raw);
  return 0;
}
