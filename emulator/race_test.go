//go:build race

package emulator

// raceEnabled: the race detector's own memory is no modem's.
const raceEnabled = true
