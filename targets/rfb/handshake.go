package rfb

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"slices"
	"time"
)

var errAuthentication = errors.New("authentication failed: wrong password")

// handshake is sections 7.1 to 7.3.1: version, security, ClientInit, whose shared flag it returns.
func (s *Server) handshake(ctx context.Context, conn net.Conn, r *bufio.Reader) (shared bool, err error) {
	conn.SetDeadline(time.Now().Add(handshakeTimeout))
	v, err := exchangeVersion(conn, r)
	if err != nil {
		return false, err
	}
	security := securityNone
	if s.cfg.Password != "" {
		security = securityVNCAuth
	}
	if err := agreeSecurity(conn, r, v, security); err != nil {
		return false, err
	}
	if err := s.authenticate(ctx, conn, r, v, security); err != nil {
		return false, err
	}
	clientInit, err := r.ReadByte()
	if err != nil {
		return false, fmt.Errorf("reading ClientInit: %w", unexpected(err))
	}
	return clientInit != 0, nil
}

// exchangeVersion: any version but the three published ones is to be taken as 3.3 (section 7.1.1).
func exchangeVersion(conn io.Writer, r io.Reader) (version, error) {
	if _, err := io.WriteString(conn, serverVersion); err != nil {
		return 0, err
	}
	var b [versionSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, fmt.Errorf("reading the protocol version: %w", err)
	}
	return parseVersion(b)
}

func parseVersion(b [versionSize]byte) (version, error) {
	isDigit := func(c byte) bool { return c >= '0' && c <= '9' }
	for i, want := range []byte("RFB ddd.ddd\n") {
		if want == 'd' && !isDigit(b[i]) || want != 'd' && b[i] != want {
			return 0, fmt.Errorf("reading the protocol version: %q is not of the form %q", b[:], "RFB 003.008\n")
		}
	}
	switch string(b[4:11]) {
	case "003.008":
		return version38, nil
	case "003.007":
		return version37, nil
	}
	return version33, nil
}

// agreeSecurity: in 3.3 the server decides; since 3.7 it offers a list, here of one.
func agreeSecurity(conn io.Writer, r *bufio.Reader, v version, security securityType) error {
	if v == version33 {
		_, err := conn.Write(binary.BigEndian.AppendUint32(nil, uint32(security)))
		return err
	}
	if _, err := conn.Write([]byte{1, byte(security)}); err != nil {
		return err
	}
	choice, err := r.ReadByte()
	if err != nil {
		return fmt.Errorf("reading the security type: %w", unexpected(err))
	}
	if securityType(choice) != security {
		reason := fmt.Sprintf("security type %d was not offered", choice)
		writeSecurityFailure(conn, v, reason)
		return errors.New(reason)
	}
	return nil
}

// authenticate ends with the SecurityResult, which before 3.8 is left out when there was nothing to authenticate.
func (s *Server) authenticate(ctx context.Context, conn io.Writer, r io.Reader, v version, security securityType) error {
	if security == securityNone {
		if v < version38 {
			return nil
		}
		return writeSecurityOK(conn)
	}
	var challenge, response [vncAuthChallengeSize]byte
	rand.Read(challenge[:])
	if _, err := conn.Write(challenge[:]); err != nil {
		return err
	}
	if _, err := io.ReadFull(r, response[:]); err != nil {
		return fmt.Errorf("reading the answer to the challenge: %w", err)
	}
	if !vncResponseRight(s.cfg.Password, challenge, response) {
		s.holdBack(ctx)
		writeSecurityFailure(conn, v, errAuthentication.Error())
		return errAuthentication
	}
	return writeSecurityOK(conn)
}

// holdBack makes guessing slow; the connection limit bounds how much of it runs at once.
func (s *Server) holdBack(ctx context.Context) {
	t := time.NewTimer(s.authDelay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func writeSecurityOK(conn io.Writer) error {
	_, err := conn.Write(binary.BigEndian.AppendUint32(nil, securityResultOK))
	return err
}

// writeSecurityFailure: only 3.8 carries a reason (section 7.1.3). The connection ends in any case, so its error is not news.
func writeSecurityFailure(conn io.Writer, v version, reason string) {
	b := binary.BigEndian.AppendUint32(nil, securityResultFailed)
	if v >= version38 {
		b = binary.BigEndian.AppendUint32(b, uint32(len(reason)))
		b = append(b, reason...)
	}
	conn.Write(b)
}

// initialise ends the handshake with ServerInit (section 7.3.2) for a screen of size.
func (s *Server) initialise(conn net.Conn, size image.Rectangle) error {
	if _, err := conn.Write(s.serverInit(size)); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}

func (s *Server) serverInit(size image.Rectangle) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(size.Dx()))
	b = binary.BigEndian.AppendUint16(b, uint16(size.Dy()))
	b = nativeFormat.append(b)
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.cfg.Name)))
	return slices.Concat(b, []byte(s.cfg.Name))
}
