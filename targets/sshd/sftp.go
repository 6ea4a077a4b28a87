package sshd

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/gliderlabs/ssh"
	"github.com/pkg/sftp"
)

// sftp serves the drawer to a session that asked for the subsystem (draft-ietf-secsh-filexfer-02, as OpenSSH's scp and sftp speak).
func (c *connection) sftp(s ssh.Session) {
	if !c.begin() {
		return
	}
	defer c.open.Done()
	h := sftpHandlers{c.server.files}
	server := sftp.NewRequestServer(unclosed{s}, sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h})
	status := statusOK
	if err := server.Serve(); err != nil && !errors.Is(err, io.EOF) {
		c.log.Info("SFTP ended", "err", err)
		status = statusFailed
	}
	s.Exit(status)
}

// unclosed keeps the library from closing the channel, on which the exit status is still to come: scp fails without one.
type unclosed struct{ io.ReadWriter }

func (unclosed) Close() error { return nil }

// sftpHandlers is the drawer in the library's words.
type sftpHandlers struct{ files *drawer }

func (h sftpHandlers) Fileread(r *sftp.Request) (io.ReaderAt, error) { return h.files.open(r.Filepath) }

func (h sftpHandlers) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	w, err := h.files.create(r.Filepath)
	return w, protocolError(err)
}

func (h sftpHandlers) Filecmd(r *sftp.Request) error {
	switch r.Method {
	case "Setstat": // times and modes, which scp -p sets, are not kept
		_, err := h.files.stat(r.Filepath)
		return err
	case "Remove":
		return protocolError(h.files.remove(r.Filepath))
	case "Rename":
		return protocolError(h.files.rename(r.Filepath, r.Target))
	}
	return sftp.ErrSSHFxOpUnsupported
}

func (h sftpHandlers) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	stat, err := h.files.stat(r.Filepath)
	switch {
	case err != nil:
		return nil, err
	case r.Method == "Stat":
		return listing{stat}, nil
	case r.Method == "List" && stat.IsDir():
		return listing(h.files.list()), nil
	case r.Method == "List":
		return nil, fs.ErrInvalid
	}
	return nil, sftp.ErrSSHFxOpUnsupported
}

// protocolError: the library itself knows only fs.ErrNotExist.
func protocolError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return sftp.ErrSSHFxPermissionDenied
	}
	return err
}

type listing []os.FileInfo

func (l listing) ListAt(out []os.FileInfo, at int64) (int, error) {
	if at >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(out, l[at:])
	if n < len(out) {
		return n, io.EOF
	}
	return n, nil
}
