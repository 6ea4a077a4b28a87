package rfbtest

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
)

// inflater is a zlib stream that comes in parts, each flushed.
type inflater struct {
	in  bytes.Buffer
	out io.ReadCloser
}

// part begins a part, and gives where to read what is in it.
func (z *inflater) part(packed []byte) (io.Reader, error) {
	if z.in.Len() > 4 { // an inflater may leave what ends a flush
		return nil, fmt.Errorf("%d bytes of the part before are left", z.in.Len())
	}
	z.in.Write(packed)
	if z.out == nil {
		var err error
		if z.out, err = zlib.NewReader(&z.in); err != nil {
			return nil, err
		}
	}
	return z.out, nil
}
