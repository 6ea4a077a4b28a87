// Package unattended holds the tests of what nobody is there to see: every fault of the emulator's catalogue and what the agent makes of
// it (FAULTS.md, which the tests write), every personality brought online, agents killed at any moment, and hours of faults at random.
//
// `make test` runs all of it in about a minute; `make soak` with the agent's own times, and for longer.
package unattended
