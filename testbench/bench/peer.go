//go:build linux

package bench

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A peer is a program that relays TLS, and what this one can do.
type peer struct {
	name    string
	program string
	debian  string // its package; "": ours
	needs   string // another file that must be there, with its package
	config  string // file in peers/
	args    func(config string) []string
	version []string // arguments that print it
	plain   bool     // passes bytes without TLS, too
	mlkem   bool     // knows X25519MLKEM768
	path    string   // of the program, once it was found
}

//go:embed peers
var peerConfigs embed.FS

var allPeers = []peer{
	{name: "relay", program: "minato-relay", config: "relay.yaml", plain: true, mlkem: true,
		args: func(c string) []string { return []string{"run", "-c", c} }},
	{name: "haproxy", program: "haproxy", debian: "haproxy", config: "haproxy.cfg", plain: true, version: []string{"-v"},
		args: func(c string) []string { return []string{"-db", "-f", c} }},
	{name: "nginx", program: "nginx", debian: "nginx libnginx-mod-stream", config: "nginx.conf", plain: true, version: []string{"-v"},
		needs: "/usr/lib/nginx/modules/ngx_stream_module.so",
		args:  func(c string) []string { return []string{"-c", c} }},
	{name: "stunnel", program: "stunnel", debian: "stunnel4", config: "stunnel.conf", version: []string{"-version"},
		args: func(c string) []string { return []string{c} }},
}

// findPeers looks for all programs, and names the packages of those that are missing.
func findPeers(bin string) (peers []*peer, err error) {
	var missing []string
	for _, p := range allPeers {
		if p.debian == "" {
			p.path = filepath.Join(bin, p.program)
			if _, err := os.Stat(p.path); err != nil {
				return nil, fmt.Errorf("%s is not there: make build", p.path)
			}
		} else if p.path, err = lookPath(p.program); err != nil || !exists(p.needs) {
			missing = append(missing, p.debian)
		}
		peers = append(peers, &p)
	}
	if missing != nil {
		list := strings.Join(missing, " ")
		return nil, fmt.Errorf("peers are not installed: %s; run make setup, or apt-get install %s", list, list)
	}
	return peers, nil
}

// lookPath also looks where Debian keeps daemons, which is in no user's PATH.
func lookPath(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return exec.LookPath(filepath.Join("/usr/sbin", program))
}

func exists(file string) bool {
	if file == "" {
		return true
	}
	_, err := os.Stat(file)
	return err == nil
}

// versions is what each peer says of itself, in its first line.
func versions(ctx context.Context, peers []*peer) map[string]string {
	said := map[string]string{}
	for _, p := range peers {
		if p.version == nil {
			continue
		}
		out, _ := exec.CommandContext(ctx, p.path, p.version...).CombinedOutput() // without an answer the line is empty
		line, _, _ := strings.Cut(string(out), "\n")
		said[p.name] = strings.TrimSpace(line)
	}
	return said
}
