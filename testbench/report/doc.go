// Package report writes what a run of the testbench found: a table for a terminal, JSON for programs, JUnit XML for a CI system, and
// one HTML file for people that needs no network and no other file. Each format is one file of this package and takes the same Run.
//
//	err := report.WriteAll("out/report", run) // index.html, junit.xml, report.json
//
// A result may carry a Ladder: the messages that a packet capture saw between two parties, in order of time.
package report
