package field

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"minato/testbench/access"
	"minato/testbench/neterr"
)

// Bounds of the measurement.
const (
	roundTrips  = 20
	fewTrips    = 8               // of a protocol that answers once a connection, each of which costs some round trips more
	tripsTime   = 8 * time.Second // for all of one service
	moveTime    = 2 * time.Second // that a throughput is measured over, about
	firstMove   = 64 << 10        // bytes; then as many as fill moveTime
	largestMove = 16 << 20
)

// late is Config.Late where nothing is said: TCP sends a lost packet again after 200 ms at the earliest (RFC 6298 allows a second,
// systems take less).
const late = 200 * time.Millisecond

// measureLine says round trip and loss by small exchanges with each service, then throughput both ways where the device has something to move.
func (c *Check) measureLine(ctx context.Context, s *story) (string, *access.Problem) {
	var all []time.Duration
	lost, asked := 0, 0
	for _, t := range c.targets {
		if !t.reached() {
			continue
		}
		took, failed := t.roundTrips(ctx)
		if ctx.Err() != nil {
			return "", &access.Problem{Text: "interrupted", Err: ctx.Err()}
		}
		asked, lost = asked+len(took)+failed, lost+failed
		all = append(all, took...)
		if len(took) > 0 {
			s.logf("%s: %d round trips, %s least, %s median, %s most; %d without an answer", t.Name, len(took), ms(slices.Min(took)), ms(median(took)), ms(slices.Max(took)), failed)
		}
	}
	if len(all) == 0 {
		return "", errNothing
	}
	middle := median(all)
	for _, d := range all {
		if d > max(middle+c.cfg.Late, 2*middle) {
			lost++
		}
	}
	s.values["round_trip_ms"], s.values["asked"], s.values["lost"] = float64(middle.Microseconds())/1000, float64(asked), float64(lost)
	said := fmt.Sprintf("round trip %s; %d of %d answers late or missing", ms(middle), lost, asked)
	moved, problem := c.throughput(ctx, s)
	if problem != nil {
		return "", problem
	}
	if moved != "" {
		said += "; " + moved
	}
	if lost*10 > asked { // one packet in ten
		return "", &access.Problem{Text: said, Cure: "the line loses packets: look at the signal (agent status, A26), the antenna, and how busy the cell is"}
	}
	return said, nil
}

func ms(d time.Duration) string {
	return fmt.Sprintf("%.3g ms", float64(d.Microseconds())/1000)
}

func median(d []time.Duration) time.Duration {
	d = slices.Clone(d)
	slices.Sort(d)
	return d[len(d)/2]
}

// roundTrips asks several times, on one connection where the protocol can.
func (t *target) roundTrips(ctx context.Context) (took []time.Duration, failed int) {
	n := fewTrips
	if t.again {
		n = roundTrips
	}
	end := time.Now().Add(tripsTime)
	var l *line
	defer func() {
		if l != nil {
			l.close()
		}
	}()
	for i := 0; i < n && ctx.Err() == nil && time.Now().Before(end); i++ {
		if l == nil {
			var err error
			if l, _, err = t.open(ctx); err != nil {
				failed++
				continue
			}
			if t.again { // the relay may still be dialling the device: the first answer would hold that, too
				l.exchange()
			}
		}
		_, d, err := l.exchange()
		if err != nil {
			failed++
		} else {
			took = append(took, d)
		}
		if err != nil || !t.again {
			l.close()
			l = nil
		}
	}
	return took, failed
}

// throughput moves data with the first page that has what minato-targets' has: /bytes/N and /upload.
func (c *Check) throughput(ctx context.Context, s *story) (string, *access.Problem) {
	for _, t := range c.targets {
		if t.Name != "http" && t.Name != "https" || !t.reached() {
			continue
		}
		var parts []string
		for _, way := range []struct {
			name string
			move func(context.Context, int) (time.Duration, error)
		}{{"down", t.download}, {"up", t.upload}} {
			size, took, err := fill(ctx, way.move)
			if isMissing(err) {
				s.logf("%s: not measured: the page has no /bytes/N and /upload, as the sample page of minato-targets has", t.Name)
				return "", nil
			}
			if err != nil {
				s.logf("%s: %s: %v", t.Name, way.name, err)
				if neterr.Timeout(err) {
					return "", c.why(ctx, t.mapping, moving, err)
				}
				return "", &access.Problem{Text: fmt.Sprintf("moving data %s ended early: %s", way.name, shortError(err)), Cure: "try again; if it stays, the line is too weak", Err: err}
			}
			speed := float64(size) * 8 / max(took.Seconds(), 1e-6)
			s.values[way.name+"_bit_per_s"] = math.Round(speed)
			s.logf("%s: %d bytes %s in %s", t.Name, size, way.name, ms(took))
			parts = append(parts, fmt.Sprintf("%sbit/s %s", si(speed), way.name))
		}
		return strings.Join(parts, ", "), nil
	}
	return "", nil
}

// fill moves a little, then as much as fills moveTime.
func fill(ctx context.Context, move func(context.Context, int) (time.Duration, error)) (size int, took time.Duration, err error) {
	size = firstMove
	if took, err = move(ctx, size); err != nil || took > moveTime/2 {
		return size, took, err
	}
	size = min(int(float64(size)*moveTime.Seconds()/max(took.Seconds(), 1e-3)), largestMove)
	took, err = move(ctx, size)
	return size, took, err
}

type missingError struct{ status string }

func (e *missingError) Error() string { return "the page answers " + e.status }

func isMissing(err error) bool { _, ok := err.(*missingError); return ok }

func (t *target) download(ctx context.Context, n int) (time.Duration, error) {
	return t.move(ctx, fmt.Sprintf("GET /bytes/%d HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n", n), nil, n)
}

func (t *target) upload(ctx context.Context, n int) (time.Duration, error) {
	head := fmt.Sprintf("PUT /upload HTTP/1.1\r\nHost: device\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", n)
	return t.move(ctx, head, bytes.Repeat([]byte("minato. "), n/8+1)[:n], 0)
}

// move sends a request and takes the answer; it wants so many bytes of it.
func (t *target) move(ctx context.Context, head string, body []byte, want int) (time.Duration, error) {
	l, _, err := t.open(ctx)
	if err != nil {
		return 0, err
	}
	defer l.close()
	began := time.Now()
	if _, err := io.WriteString(l.conn, head); err != nil {
		return 0, err
	}
	if _, err := l.conn.Write(body); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return 0, &missingError{resp.Status}
	}
	n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, largestMove+1))
	if err == nil && n < int64(want) {
		err = io.ErrUnexpectedEOF
	}
	return time.Since(began), err
}

// si writes a number with three digits and a prefix.
func si(v float64) string {
	for _, p := range []struct {
		factor float64
		name   string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if v >= p.factor {
			return fmt.Sprintf("%.3g %s", v/p.factor, p.name)
		}
	}
	return fmt.Sprintf("%.3g ", v)
}
