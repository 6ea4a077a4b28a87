package guest

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"minato/testbench/env"
)

// Debian switched n_gsm off in its kernels (6.1.85 and later) but ships its source. The module is built from that, with the kernel's own
// headers, in a directory of ours: nothing is installed.
const (
	nGSM         = "n_gsm"
	nGSMMakefile = "obj-m := n_gsm.o\n"
)

// nGSMSource are the files of the kernel's source that it takes.
var nGSMSource = []string{"drivers/tty/n_gsm.c", "drivers/tty/tty.h"}

// kbuildPackages names what the module is built with, for a kernel's package: its headers, their build programs and what these load, and
// the source. The compiler is the system's.
func (a *apt) kbuildPackages(ctx context.Context, kernel string) ([]string, error) {
	headers := strings.Replace(kernel, "linux-image-", "linux-headers-", 1)
	out, err := a.depends(ctx, "--recurse", headers)
	if err != nil {
		return nil, err
	}
	graph := parseDepends(out)
	names := []string{headers}
	for _, d := range graph[headers] {
		version, isKbuild := strings.CutPrefix(d, "linux-kbuild-")
		if isKbuild {
			names = append(names, d, "linux-source-"+version)
			names = append(names, slices.DeleteFunc(slices.Clone(graph[d]), func(s string) bool { return !strings.HasPrefix(s, "libelf") })...)
		} else if strings.HasPrefix(d, "linux-headers-") {
			names = append(names, d)
		}
	}
	if len(names) < 4 {
		return nil, fmt.Errorf("package %s depends on %q: want common headers and a package linux-kbuild-*", headers, graph[headers])
	}
	return names, nil
}

func isKbuildPackage(name string) bool {
	return strings.HasPrefix(name, "linux-headers-") || strings.HasPrefix(name, "linux-kbuild-") || strings.HasPrefix(name, "linux-source-")
}

// kernelCompiler is in a kernel's file .kernelvariables: the compiler that it was made with.
var kernelCompiler = regexp.MustCompile(`\bgcc-[0-9]+\b`)

// buildNGSM makes the module, and the program that attaches a line to it, in the directory work.
func buildNGSM(ctx context.Context, dpkgDeb, debs, work string, packages []debian) (files []entry, err error) {
	makeProgram, err := env.Tool("make", "make")
	if err != nil {
		return nil, err
	}
	root, source := filepath.Join(work, "root"), filepath.Join(work, nGSM)
	if err := errors.Join(os.MkdirAll(root, 0o755), os.MkdirAll(source, 0o755)); err != nil {
		return nil, err
	}
	headers := ""
	for _, p := range packages {
		file := filepath.Join(debs, p.file)
		switch {
		case strings.HasPrefix(p.name, "linux-source-"):
			if err := unpackSource(ctx, dpkgDeb, file, source); err != nil {
				return nil, fmt.Errorf("unpacking %q: %w", p.file, err)
			}
			continue
		case strings.HasPrefix(p.name, "linux-headers-") && !strings.HasSuffix(p.name, "-common"):
			headers = filepath.Join(root, "usr/src", p.name)
		case !isKbuildPackage(p.name) && !strings.HasPrefix(p.name, "libelf"):
			continue
		}
		if out, err := exec.CommandContext(ctx, dpkgDeb, "-x", file, root).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("unpacking %q: %w: %s", p.file, err, out)
		}
	}
	variables, err := os.ReadFile(filepath.Join(headers, ".kernelvariables"))
	if err != nil {
		return nil, err
	}
	gcc := kernelCompiler.FindString(string(variables))
	if gcc == "" {
		gcc = "gcc"
	}
	if gcc, err = env.Tool(gcc, gcc); err != nil {
		return nil, err
	}
	// The headers' makefile includes the common one by the name that it has when installed.
	makefile, err := os.ReadFile(filepath.Join(headers, "Makefile"))
	if err != nil {
		return nil, err
	}
	makefile = []byte(strings.ReplaceAll(string(makefile), "/usr/src/", root+"/usr/src/"))
	if err := errors.Join(os.WriteFile(filepath.Join(headers, "Makefile"), makefile, 0o644),
		os.WriteFile(filepath.Join(source, "Makefile"), []byte(nGSMMakefile), 0o644)); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, makeProgram, "-C", headers, "M="+source, "modules")
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { // of a make that we may run below
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=")
	})
	cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+filepath.Join(root, "usr/lib/x86_64-linux-gnu")) // libelf, for the build programs
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building kernel module %q: %w: %s", nGSM, err, out)
	}
	module, err := os.ReadFile(filepath.Join(source, nGSM+".ko"))
	if err != nil {
		return nil, err
	}
	attach, err := compile(ctx, gcc, source, "gsmattach")
	return []entry{
		{name: "usr/lib/modules/minato/" + nGSM + ".ko", mode: typeRegular | 0o644, body: module},
		{name: "usr/sbin/gsmattach", mode: typeRegular | 0o755, body: attach},
	}, err
}

// compile makes a program of one of our own files, which needs no library.
func compile(ctx context.Context, gcc, dir, name string) ([]byte, error) {
	source, err := initramfs.ReadFile("initramfs/" + name + ".c")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file+".c", source, 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, gcc, "-Wall", "-Werror", "-Os", "-ffreestanding", "-fno-stack-protector", "-static", "-nostdlib", "-o", file, file+".c")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compiling %q: %w: %s", name+".c", err, out)
	}
	return os.ReadFile(file)
}

// unpackSource gets the module's files out of the tar within the package, and reads no further than it must.
func unpackSource(ctx context.Context, dpkgDeb, deb, into string) error {
	xz, err := env.Tool("xz", "xz-utils")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends both programs, if they still run
	outer := exec.CommandContext(ctx, dpkgDeb, "--fsys-tarfile", deb)
	out, err := outer.StdoutPipe()
	if err != nil {
		return err
	}
	if err := outer.Start(); err != nil {
		return err
	}
	defer outer.Wait()
	defer cancel()
	archive := tar.NewReader(out)
	for {
		h, err := archive.Next()
		if err != nil {
			return fmt.Errorf("looking for the source in the package: %w", err)
		}
		if strings.HasSuffix(h.Name, ".tar.xz") && h.Typeflag == tar.TypeReg {
			break
		}
	}
	inner := exec.CommandContext(ctx, xz, "-dc")
	inner.Stdin = archive
	if out, err = inner.StdoutPipe(); err != nil {
		return err
	}
	if err := inner.Start(); err != nil {
		return err
	}
	defer inner.Wait()
	defer out.Close() // or xz would wait for a reader
	return unpackFiles(tar.NewReader(out), into)
}

func unpackFiles(archive *tar.Reader, into string) error {
	for left := slices.Clone(nGSMSource); len(left) > 0; {
		h, err := archive.Next()
		if err != nil {
			return fmt.Errorf("looking for %q in the source: %w", left, err)
		}
		_, name, _ := strings.Cut(h.Name, "/") // below linux-source-VERSION
		i := slices.Index(left, name)
		if i < 0 {
			continue
		}
		body, err := io.ReadAll(archive)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(into, filepath.Base(name)), body, 0o644); err != nil {
			return err
		}
		left = slices.Delete(left, i, i+1)
	}
	return nil
}
