// Package check speaks to a device's services as a client would, and says precisely what went wrong. Each protocol has one file
// and one Func in Funcs; the connection comes from the caller, so that a check runs the same way over a port mapping, through a
// tunnel, over TLS or straight on the device.
//
//	dial := func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", "127.0.0.1:10123") }
//	res, err := check.Funcs["http"](ctx, dial, check.Options{HTTP: check.HTTPOptions{Path: "/", Contains: "minato"}})
//
// A Func always ends with ctx and closes what it dialled. Its Result holds the log and the timings of its steps also when it failed;
// the error is then an *Error, which names the step.
// For scenarios that do more than one check can, DialVNC, DialModbus and DialSSH give the client itself.
package check
