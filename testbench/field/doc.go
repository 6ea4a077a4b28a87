// Package field is the check that a technician runs beside a device: against a live relay and a live device, nothing emulated. It says in one
// screen what works, what does not, the cause by its code, and what to do.
//
//	relay -> clock -> key -> SIM -> own address -> certificate -> each service: mapping, connect, TLS, protocol, large packets -> line -> wrong option
//
// What fails explains what depends on it, which is then skipped. Whatever it makes, it removes, also when it is interrupted.
//
//	c, err := field.New(field.Config{Relay: relay, SIM: "8981...", Services: services})
//	run := c.Run(ctx)
//	field.WriteScreen(os.Stdout, run)
package field
