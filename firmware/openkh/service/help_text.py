"""What help() prints."""

HELP = """\
status()  lines()  events(n=20)  faults()  cal()         what there is; each also with json=True
identity()  image()                                      who it is; hash of the firmware's files
window(seconds=10)                                       counts, time, V, A over whole line cycles
cal_gain(line, error)                                    error of active power in %, unity power factor
cal_phase(line, error, degrees=60)                       the same at a lagging current
cal_offset(line, error, watts=None)                      the same at 1 % of class; watts of the reference
cal_volts(line, error)  cal_amps(line, error)            error of V and A in %
cal_set(line, wgain=, phcal=, wattos=, vgain=, igain=)   register values as they are
   error = (meter - reference) / reference * 100; several windows as (e1, e2, ...)
save('YYMMDD')  undo()                                   store what is in force; back to what was stored
bench(weight, seconds=60)                                10 Wh output gives 1 or 0.1 Wh; bench(0) ends it
rail12_reset()  restart()  update_mode()
provision(model, service, serial, date)                  blank memory only
Nothing here sets the register or the counter. Close the seal when done."""
