package core

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxShapeText bounds what ParseShape looks at.
const maxShapeText = 256

// ParseShape reads a shape from a line of text: "none", a category of ShapeNames, or neither, then settings, all separated by commas:
//
//	cat1
//	cat1,loss=1%
//	up.rate=5M,down.rate=10M,latency=40ms,jitter=10ms,down.loss=0.01
//
// A setting without up. or down. is for both. Rates are in bits a second, with k, M or G for the powers of 1000.
func ParseShape(text string) (Shape, error) {
	var shape Shape
	if len(text) > maxShapeText {
		return shape, fmt.Errorf("shape: longer than %d characters", maxShapeText)
	}
	for i, field := range strings.Split(text, ",") {
		key, value, isSetting := strings.Cut(field, "=")
		if !isSetting {
			named, ok := NamedShape(field)
			if i > 0 || !ok && field != "none" {
				return Shape{}, fmt.Errorf("shape %q: %q is not none, %s, or KEY=VALUE", text, field, strings.Join(ShapeNames(), ", "))
			}
			shape = named
			continue
		}
		if err := shape.set(key, value); err != nil {
			return Shape{}, fmt.Errorf("shape %q: %w", text, err)
		}
	}
	if err := shape.validate(); err != nil {
		return Shape{}, fmt.Errorf("shape %q: %w", text, err)
	}
	return shape, nil
}

// String is the shape as ParseShape reads it.
func (s Shape) String() string {
	if s == (Shape{}) {
		return "none"
	}
	for _, n := range namedShapes {
		if s == n.shape {
			return n.name
		}
	}
	var fields []string
	for _, l := range []struct {
		way string
		Line
	}{{"up.", s.Up}, {"down.", s.Down}} {
		add := func(name, value string) { fields = append(fields, l.way+name+"="+value) }
		if l.Rate > 0 {
			add("rate", strconv.FormatInt(l.Rate, 10))
		}
		if l.Latency > 0 {
			add("latency", l.Latency.String())
		}
		if l.Jitter > 0 {
			add("jitter", l.Jitter.String())
		}
		if l.Loss > 0 {
			add("loss", strconv.FormatFloat(l.Loss, 'g', -1, 64))
		}
	}
	return strings.Join(fields, ",")
}

func (s *Shape) set(key, value string) error {
	lines, name := []*Line{&s.Up, &s.Down}, key
	if n, ok := strings.CutPrefix(key, "up."); ok {
		lines, name = lines[:1], n
	} else if n, ok := strings.CutPrefix(key, "down."); ok {
		lines, name = lines[1:], n
	}
	for _, l := range lines {
		var err error
		switch name {
		case "rate":
			l.Rate, err = parseRate(value)
		case "latency":
			l.Latency, err = time.ParseDuration(value)
		case "jitter":
			l.Jitter, err = time.ParseDuration(value)
		case "loss":
			l.Loss, err = parseLoss(value)
		default:
			return fmt.Errorf("key %q: want rate, latency, jitter or loss, with or without up. or down. before it", key)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func parseRate(text string) (int64, error) {
	number, factor := text, 1.0
	for suffix, f := range map[string]float64{"k": 1e3, "M": 1e6, "G": 1e9} {
		if n, ok := strings.CutSuffix(text, suffix); ok {
			number, factor = n, f
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v >= 0 && v*factor <= maxRate) {
		return 0, fmt.Errorf("%q: want bits a second, as 5000000, 5000k or 5M, at most 100G", text)
	}
	rate := int64(math.Round(v * factor))
	if rate == 0 {
		return 0, fmt.Errorf("%q: a rate of 0 lets nothing pass: leave rate out for no limit", text)
	}
	return rate, nil
}

func parseLoss(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return 0, fmt.Errorf("%q: want 0 to 1, or 0%% to 100%%", text)
	}
	return v, nil
}
