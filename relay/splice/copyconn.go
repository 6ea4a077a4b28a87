package splice

import (
	"time"
)

// firstRead is what is read of a connection that was silent: little enough to keep with the connection while its goroutine waits, and enough for
// the messages of a terminal, a mouse or a PLC, which then need no larger buffer and no deadline that comes with it. The socket
// cannot be asked instead whether bytes are there, since a tls.Conn may hold whole records (the client's first bytes
// often come with its Finished).
const firstRead = 512

// past is a read deadline that lets through only what is there already.
var past = time.Unix(1, 0)

// copyConn copies from any connection. While it is silent no buffer is held.
func (d *direction) copyConn() (read bool, err error) {
	first := make([]byte, firstRead)
	var until time.Time
	for {
		d.await(&until)
		n, err := d.src.Read(first)
		if n == firstRead && err == nil {
			if read, err := d.copyBurst(first); err != nil {
				return read, err
			}
			until = time.Time{}
			continue
		}
		if werr := d.write(first[:n]); werr != nil {
			return false, werr
		}
		if err != nil {
			if err = d.lull(err); err != nil {
				return true, err
			}
			until = time.Time{}
		}
	}
}

// copyBurst sends first and what follows, through a pooled buffer, until nothing has come for burst: then it returns nil. What a TLS source
// holds already goes with what was read before: records come one by one, and a system call for each costs more than they do.
func (d *direction) copyBurst(first []byte) (read bool, err error) {
	pool := poolFor(d.dst)
	held := pool.Get().(*[]byte)
	defer pool.Put(held)
	defer d.src.SetReadDeadline(time.Time{})
	buf := *held
	n := copy(buf, first)
	overTLS := isTLS(d.src)
	var until time.Time
	for {
		if overTLS && err == nil {
			var more int
			more, err = d.readHeld(buf[n:])
			n, until = n+more, time.Time{}
		}
		if werr := d.write(buf[:n]); werr != nil {
			return false, werr
		}
		if isTimeout(err) {
			return false, nil
		}
		if err != nil {
			return true, err
		}
		if now := time.Now(); until.Sub(now) < burst/2 {
			until = now.Add(burst)
			if d.src.SetReadDeadline(until) != nil {
				return false, nil // such a connection is read in small pieces
			}
		}
		n, err = d.src.Read(buf)
	}
}

// readHeld reads what the source holds already, up to the length of buf. It leaves the deadline in the past.
func (d *direction) readHeld(buf []byte) (n int, err error) {
	if d.src.SetReadDeadline(past) != nil {
		return 0, nil
	}
	for n < len(buf) && err == nil {
		var more int
		more, err = d.src.Read(buf[n:])
		n += more
	}
	if isTimeout(err) {
		err = nil
	}
	return n, err
}
