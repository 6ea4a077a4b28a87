// Package cli holds the tests of the five programs' command lines: what scripts and people see of them, told by the programs as they are built.
package cli
