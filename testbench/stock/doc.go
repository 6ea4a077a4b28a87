// Package stock runs software that was written for real modems against the emulator, unchanged: ModemManager on the unix socket,
// chat on the pseudo-terminals, tshark on the captures. Beside them it runs a building full of our own agents. All of it is tests.
//
// A peer that is not installed fails the tests when CI=true; elsewhere the tests that need it are skipped by name.
package stock
