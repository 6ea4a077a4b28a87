package netstack

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestReadFrom copies from readers that give much, little, and an error.
func TestReadFrom(t *testing.T) {
	a, b := twoHosts(t)
	long := strings.Repeat("0123456789abcdef", 40000)
	broken := errors.New("broken")
	tests := []struct {
		name string
		r    io.Reader
		want string
		err  error
	}{
		{"nothing", strings.NewReader(""), "", nil},
		{"one octet at a time", iotest.OneByteReader(strings.NewReader("hello")), "hello", nil},
		{"much", strings.NewReader(long), long, nil},
		{"data with the end", iotest.DataErrReader(strings.NewReader(long[:probeSize])), long[:probeSize], nil},
		{"error", io.MultiReader(strings.NewReader(long), iotest.ErrReader(broken)), long, broken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s := connPair(t, a, b, "10.0.0.2:0")
			sent := make(chan error, 1)
			go func() {
				n, err := c.ReadFrom(tt.r)
				if n != int64(len(tt.want)) {
					t.Errorf("%d bytes reported, want %d", n, len(tt.want))
				}
				c.CloseWrite()
				sent <- err
			}()
			got, err := io.ReadAll(s)
			if err != nil || string(got) != tt.want {
				t.Errorf("%d bytes arrived (%v), want %d", len(got), err, len(tt.want))
			}
			if err := <-sent; !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
		})
	}
}

// TestWriteToBroken copies to a writer that fails.
func TestWriteToBroken(t *testing.T) {
	a, b := twoHosts(t)
	c, s := connPair(t, a, b, "10.0.0.2:0")
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	r.Close()
	if _, err := s.WriteTo(w); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
}
