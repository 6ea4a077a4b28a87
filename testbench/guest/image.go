package guest

import (
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"minato/testbench/env"
)

// modules are loaded at the start, with those that they depend on: for pppd, and for Config.Drive and Config.Forward. The kernel has no program
// here to load ext4's checksum by itself.
var modules = []string{"ppp_async", "virtio_pci", "virtio_blk", "virtio_net", "crc32c_generic", "ext4"}

//go:embed initramfs
var initramfs embed.FS

// Image is a guest ready to boot.
type Image struct {
	Arch     string            // amd64 or arm64
	Kernel   string            // path
	Initrd   string            // path
	Packages map[string]string // what it was made of: version by name
	Modules  []string          // loaded at the start, in this order
}

// Builder makes images. The zero value is ready to use.
type Builder struct {
	CacheDir string       // "": minato/guest in the user's cache directory
	Arch     string       // of the guest, as Debian calls it: amd64 or arm64; "": amd64
	NGSM     bool         // with the kernel's multiplexer, n_gsm; Debian's kernel lacks it, so that it is built, with make and gcc
	Logger   *slog.Logger // nil: silent
}

// Build makes an image with a zero Builder and this cache directory.
func Build(ctx context.Context, cacheDir string) (*Image, error) {
	return Builder{CacheDir: cacheDir}.Build(ctx)
}

// Build fetches Debian's packages and makes an image of them, or finds the one that was made of the same versions before. The error is
// an *env.MissingError where something must be installed first.
func (b Builder) Build(ctx context.Context) (*Image, error) {
	image, err := b.build(ctx)
	var missing *env.MissingError
	if err != nil && !errors.As(err, &missing) {
		err = fmt.Errorf("building the guest: %w", err)
	}
	return image, err
}

func (b Builder) build(ctx context.Context) (*Image, error) {
	if b.Logger == nil {
		b.Logger = slog.New(slog.DiscardHandler)
	}
	if b.CacheDir == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		b.CacheDir = filepath.Join(dir, "minato", "guest")
	}
	dir, err := filepath.Abs(b.CacheDir) // apt-get works in a directory of its own
	if err != nil {
		return nil, err
	}
	b.CacheDir = dir
	var tools [3]string
	for i, t := range [...]struct{ program, pkg string }{{"apt-get", "apt"}, {"apt-cache", "apt"}, {"dpkg-deb", "dpkg"}} {
		if tools[i], err = env.Tool(t.program, t.pkg); err != nil {
			return nil, err
		}
	}
	m, err := machineOf(cmp.Or(b.Arch, machines[0].arch))
	if err != nil {
		return nil, err
	}
	a := newAPT(tools[0], tools[1], m)
	image, err := b.from(ctx, a, tools[2])
	if err == nil || ctx.Err() != nil {
		return image, err
	}
	b.Logger.Info("the system's package lists do not do; taking lists of our own", "error", err)
	if a.useOwnLists(filepath.Join(b.CacheDir, "apt-"+m.arch)) {
		if image, ownErr := b.from(ctx, a, tools[2]); ownErr == nil || ctx.Err() != nil {
			return image, ownErr
		}
	}
	b.Logger.Info("fetching them")
	if uerr := a.update(ctx); uerr != nil {
		return nil, errors.Join(err, uerr)
	}
	return b.from(ctx, a, tools[2])
}

// from makes the image of the packages that a's lists name.
func (b Builder) from(ctx context.Context, a *apt, dpkgDeb string) (*Image, error) {
	packages, err := a.resolve(ctx, b.NGSM)
	if err != nil {
		return nil, err
	}
	key, err := b.cacheKey(packages)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.CacheDir, key)
	if image, err := loadImage(dir); err == nil {
		return image, nil
	}
	if err := os.MkdirAll(b.CacheDir, 0o755); err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp(b.CacheDir, "building-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	debs, result := filepath.Join(temp, "debs"), filepath.Join(temp, "image")
	if err := errors.Join(os.Mkdir(debs, 0o755), os.Mkdir(result, 0o755)); err != nil {
		return nil, err
	}
	if err := a.download(ctx, debs, packages, b.Logger); err != nil {
		return nil, err
	}
	var multiplexer []entry
	if b.NGSM {
		b.Logger.Info("building the kernel module", "module", nGSM)
		if multiplexer, err = buildNGSM(ctx, dpkgDeb, debs, temp, packages); err != nil {
			return nil, err
		}
	}
	if err := compose(ctx, dpkgDeb, debs, result, a.machine, packages, multiplexer); err != nil {
		return nil, err
	}
	if err := os.Rename(result, dir); err != nil && !errors.Is(err, fs.ErrExist) { // somebody else was faster with the same image
		return nil, err
	}
	b.Logger.Info("built the guest", "directory", dir)
	return loadImage(dir)
}

// cacheKey is of everything that an image is made of: the packages' digests and our own files.
func (b Builder) cacheKey(packages []debian) (string, error) {
	h := sha256.New()
	for _, p := range packages {
		fmt.Fprintln(h, p.file, p.digest)
	}
	fmt.Fprintln(h, modules, moduleDirectory, wantedFiles, nGSMMakefile, b.NGSM)
	err := fs.WalkDir(initramfs, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := initramfs.ReadFile(name)
		fmt.Fprintf(h, "%s %d %s", name, len(body), body)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:16], err
}

// What of the programs' packages comes along; libraries are chosen by who needs them.
var wantedFiles = []string{"bin/busybox", "usr/bin/busybox", "usr/sbin/pppd", "usr/sbin/chat", "etc/ppp", "etc/chatscripts"}

// The programs that must find their libraries in the guest.
var dynamicPrograms = []string{"usr/sbin/pppd", "usr/sbin/chat"}

// compose makes kernel, initramfs and description in dir from the packages in debs, and what buildNGSM made, if anything.
func compose(ctx context.Context, dpkgDeb, debs, dir string, m *machine, packages []debian, multiplexer []entry) error {
	root, libraries, kernel := make(tree), make(tree), make(tree)
	image := Image{Arch: m.arch, Packages: make(map[string]string)}
	for _, p := range packages {
		image.Packages[p.name] = p.version
		if isKbuildPackage(p.name) {
			continue
		}
		into, want := libraries, isLibrary
		switch {
		case strings.HasPrefix(p.name, "linux-image-"):
			into, want = kernel, func(name string) bool {
				return strings.HasPrefix(name, "boot/vmlinuz-") || strings.HasSuffix(name, ".ko") && moduleDirectory.MatchString(name)
			}
		case !strings.HasPrefix(p.name, "lib"):
			into, want = root, isWanted
		}
		if err := into.unpack(ctx, dpkgDeb, filepath.Join(debs, p.file), want); err != nil {
			return err
		}
	}
	if err := root.addLibraries(libraries, dynamicPrograms...); err != nil {
		return err
	}
	load := modules
	if len(multiplexer) > 0 {
		load = append(slices.Clone(load), nGSM)
	}
	for _, e := range multiplexer {
		if strings.HasSuffix(e.name, ".ko") {
			kernel.add(e) // loadOrder takes it from there
		} else {
			root.add(e)
		}
	}
	var err error
	if image.Modules, err = root.loadOrder(kernel, load); err != nil {
		return err
	}
	if err := root.furnish(image.Modules); err != nil {
		return err
	}
	vmlinuz := ""
	for name := range kernel {
		if strings.HasPrefix(name, "boot/vmlinuz-") {
			vmlinuz = name
		}
	}
	if vmlinuz == "" {
		return errors.New("the kernel's package has no boot/vmlinuz-*")
	}
	if err := os.WriteFile(filepath.Join(dir, "vmlinuz"), kernel[vmlinuz].body, 0o644); err != nil {
		return err
	}
	if err := root.write(filepath.Join(dir, "initramfs.gz")); err != nil {
		return err
	}
	description, err := json.MarshalIndent(image, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "image.json"), description, 0o644)
}

// moduleDirectory is where the modules above, and what they depend on, are found.
var moduleDirectory = regexp.MustCompile(`/kernel/(drivers|lib|crypto|net/core|fs/ext4|fs/jbd2|fs/mbcache\.ko)`)

func isWanted(name string) bool {
	for _, w := range wantedFiles {
		if name == w || strings.HasPrefix(name, w+"/") {
			return true
		}
	}
	return false
}

func isLibrary(name string) bool {
	base := path.Base(name)
	return strings.Contains(base, ".so.") && strings.HasPrefix(merged(name), "usr/lib")
}

// write makes the compressed archive.
func (t tree) write(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		return err
	}
	entries := make([]entry, 0, len(t))
	for _, e := range t {
		entries = append(entries, e)
	}
	if err := writeCPIO(z, entries); err != nil {
		return err
	}
	return errors.Join(z.Close(), f.Close())
}

// loadImage finds what compose made.
func loadImage(dir string) (*Image, error) {
	description, err := os.ReadFile(filepath.Join(dir, "image.json"))
	if err != nil {
		return nil, err
	}
	image := Image{}
	if err := json.Unmarshal(description, &image); err != nil {
		return nil, fmt.Errorf("reading %q: %w", filepath.Join(dir, "image.json"), err)
	}
	image.Kernel, image.Initrd = filepath.Join(dir, "vmlinuz"), filepath.Join(dir, "initramfs.gz")
	for _, file := range []string{image.Kernel, image.Initrd} {
		if _, err := os.Stat(file); err != nil {
			return nil, err
		}
	}
	return &image, nil
}
