// Package linkmode proves the agent's link modes tun and host with the operating system's own programs, in network namespaces: nothing here
// touches the machine's own network. It has tests only.
package linkmode
