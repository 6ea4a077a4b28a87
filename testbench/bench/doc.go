// Package bench sets Minato beside something else in the same run, as ratios: absolute figures of a shared machine say little.
//
// Run measures the relay beside haproxy, nginx and stunnel, whose configurations stand in peers/. Each is a process of its own, all towards the
// same backend with the same certificate, key exchange and cipher suite, and takes its turn in every round; what counts is the ratio of the
// medians of the rounds. CPU time and memory are the proxy's own, as the kernel counts them: the load and the backend run in this process.
//
// The package's Go benchmarks are about the line instead: TCP through PPP beside a raw PTY, and the time to an address.
package bench
