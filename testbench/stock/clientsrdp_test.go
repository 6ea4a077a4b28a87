package stock

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"image"
	"image/color"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"minato/targets/rfb"
)

// rdpHost is xrdp on the device's host. What it shows is a VNC server's screen, which is one of its own kinds of session and needs no
// root: it logs nobody in.
type rdpHost struct {
	addr    string
	picture *image.RGBA
}

func startRDPHost(t *testing.T) *rdpHost {
	t.Helper()
	program := tool(t, "xrdp", "xrdp")
	dir := shortDir(t)
	h := &rdpHost{addr: freePort(t)}
	screen := rfb.NewFramebuffer(640, 480)
	screen.Draw(func(img *image.RGBA, changes rfb.Changes) {
		for y := range 480 {
			for x := range 640 {
				img.SetRGBA(x, y, color.RGBA{uint8(x / 20 * 8), uint8(y / 20 * 10), uint8(x/40*y/40) | 1, 255})
			}
		}
		changes.Area(img.Rect)
	})
	h.picture = screen.Snapshot()
	const password = "sesame"
	server, err := rfb.NewServer(rfb.Config{Name: "session", Framebuffer: screen, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, l) }() // waited for at the test's end
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	conf := fmt.Sprintf(`[Globals]
ini_version=1
fork=false
port=tcp://%s
security_layer=tls
certificate=%s
key_file=%s
ssl_protocols=TLSv1.2, TLSv1.3
autorun=session
allow_channels=true
max_bpp=24
[Logging]
LogFile=%s
LogLevel=INFO
EnableConsole=true
ConsoleLevel=INFO
EnableSyslog=false
[Channels]
[session]
name=session
lib=libvnc.so
username=na
password=%s
ip=127.0.0.1
port=%d
`, h.addr, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "xrdp.log"), password, l.Addr().(*net.TCPAddr).Port)
	writeCertificate(t, dir)
	ini := filepath.Join(dir, "xrdp.ini")
	if err := os.WriteFile(ini, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, exec.Command(program, "--nodaemon", "--config", ini))
	awaitPort(t, within(t), h.addr)
	return h
}

// writeCertificate makes cert.pem and key.pem.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "device"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// testFreeRDP: RDP upgrades to TLS itself, so its mapping has the option OFF.
func testFreeRDP(t *testing.T, s *system) {
	d := startDisplay(t, 800, 600)
	size := s.rdp.picture.Rect.Size()
	start(t, d.on(s.command(t, "xfreerdp", "freerdp2-x11", "/v:"+s.off[portRDP].Endpoint, "/u:field", "/p:none", "/cert:ignore", "/sec:tls",
		fmt.Sprintf("/size:%dx%d", size.X, size.Y), "/bpp:24", "/t:remote session")))
	w := d.window(t, s.ctx, "remote session", size)
	await(t, s.ctx, "FreeRDP to show the session", func() (bool, error) {
		shot := d.screenshot(t).SubImage(w.area).(*image.RGBA)
		if shot.Rect.Size() != size {
			return false, fmt.Errorf("the window has %v", shot.Rect)
		}
		if _, different := differing(s.rdp.picture, shot, all); different > 0 {
			return false, fmt.Errorf("%d of %d pixels differ", different, size.X*size.Y)
		}
		return true, nil
	})
}
