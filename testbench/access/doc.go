// Package access is how a technician's computer gets at a relay: its URL and key, whose certificates are trusted, what went wrong in one
// sentence with a code and a cure, and port mappings that are removed again whatever happens.
package access
