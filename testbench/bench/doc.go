// Package bench holds the benchmarks that set the whole path beside something else in the same run, as ratios: absolute figures of a
// shared machine say little.
package bench
