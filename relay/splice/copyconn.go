package splice

import (
	"time"
)

// firstRead is what is read of a connection that was silent: little enough to keep with the connection. The socket
// cannot be asked instead whether bytes are there, since a tls.Conn may hold whole records (the client's first bytes
// often come with its Finished).
const firstRead = 64

// past is a read deadline that lets through only what is there already.
var past = time.Unix(1, 0)

// copyConn copies from any connection. While it is silent no buffer is held.
func (d *direction) copyConn() (read bool, err error) {
	first := make([]byte, firstRead)
	for {
		n, err := d.src.Read(first)
		if n == firstRead && err == nil {
			if read, err := d.copyBurst(first); err != nil {
				return read, err
			}
			continue
		}
		if werr := d.write(first[:n]); werr != nil {
			return false, werr
		}
		if err != nil {
			return true, err
		}
	}
}

// copyBurst sends first and what follows, through a pooled buffer, until nothing has come for burst: then it returns nil.
func (d *direction) copyBurst(first []byte) (read bool, err error) {
	pool := poolFor(d.dst)
	held := pool.Get().(*[]byte)
	defer pool.Put(held)
	buf := *held
	n := copy(buf, first)
	if isTLS(d.src) && d.src.SetReadDeadline(past) == nil {
		// The rest of the record, which TLS holds already, goes with its first bytes.
		var more int
		more, err = d.src.Read(buf[n:])
		n += more
		d.src.SetReadDeadline(time.Time{})
		if isTimeout(err) {
			err = nil
		}
	}
	if werr := d.write(buf[:n]); werr != nil || err != nil {
		return werr == nil, firstError(werr, err)
	}
	var until time.Time
	defer d.src.SetReadDeadline(time.Time{})
	for {
		if now := time.Now(); until.Sub(now) < burst/2 {
			until = now.Add(burst)
			if d.src.SetReadDeadline(until) != nil {
				return false, nil // such a connection is read in small pieces
			}
		}
		n, err := d.src.Read(buf)
		if werr := d.write(buf[:n]); werr != nil {
			return false, werr
		}
		if isTimeout(err) {
			return false, nil
		}
		if err != nil {
			return true, err
		}
	}
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
