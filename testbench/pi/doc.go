// Package pi holds the test of the Debian package on a whole system: a Debian for arm64 boots systemd in qemu, with the emulator's modem at its
// UART; the agent's package is installed there, and this machine reads the device's screen through the relay.
//
// It takes minutes, so that it is not a part of the suite: make pi runs it, with the build tag pi.
package pi
