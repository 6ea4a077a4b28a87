// Package browser holds what is seen in a browser to what its users do, in real Chromium: the relay's console against the real relay, emulator, agent and device,
// whose stories are in relay/console/test, and the testbench's report. It has tests only.
package browser
