// Package stock runs software that nobody here wrote against ours, unchanged. At the modem's side: ModemManager on the unix socket, chat on
// the pseudo-terminals, tshark on the captures. At the other end, through the whole path: curl, openssl, stunnel, OpenSSH, mbpoll, TigerVNC's
// viewer and FreeRDP. Beside them it runs a building full of our own agents. All of it is tests.
//
// A peer that is not installed fails the tests when CI=true; elsewhere the tests that need it are skipped by name.
package stock
