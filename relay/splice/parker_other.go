//go:build !linux

package splice

import (
	"context"
	"errors"
	"time"
)

// Parker watches silent connections, on Linux only.
type Parker struct{}

// NewParker fails here.
func NewParker() (*Parker, error) { return nil, errors.New("connections can be parked on Linux only") }

// Run does nothing here.
func (*Parker) Run(context.Context) error { return nil }

type spot struct{}

func (*Parker) spot(*direction) *spot { return nil }
func (*spot) lingers() time.Duration  { return 0 }
func (*spot) park() bool              { return false }
func (*spot) leave() bool             { return false }
