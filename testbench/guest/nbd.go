package guest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The NBD protocol's numbers, as far as qemu needs them (NetworkBlockDevice/nbd, doc/proto.md). All are big-endian.
const (
	nbdMagic       = 0x4e42444d41474943 // "NBDMAGIC"
	nbdOptionMagic = 0x49484156454f5054 // "IHAVEOPT"
	nbdReplyMagic  = 0x0003e889045565a9

	nbdFixedNewstyle, nbdNoZeroes = 1 << 0, 1 << 1

	nbdOptAbort, nbdOptInfo, nbdOptGo     = 2, 6, 7
	nbdRepAck, nbdRepInfo, nbdRepErrUnsup = 1, 3, 1<<31 | 1
	nbdInfoExport                         = 0

	nbdHasFlags, nbdSendFlush, nbdSendFUA = 1 << 0, 1 << 2, 1 << 3

	nbdRequestMagic, nbdSimpleReplyMagic       = 0x25609513, 0x67446698
	nbdRead, nbdWrite, nbdDisconnect, nbdFlush = 0, 1, 2, 3
	nbdCommandFUA                              = 1 << 0
	nbdEIO, nbdEINVAL                          = 5, 22

	nbdMaxOption  = 64 << 10
	nbdMaxRequest = 32 << 20 // which the protocol says that every server must take
)

// serveNBD serves one client until it goes. Requests are done one after the other, so that a flush covers all that was answered before.
func serveNBD(conn io.ReadWriter, d *Disk) error {
	s := &nbdServer{disk: d, r: bufio.NewReader(conn), w: bufio.NewWriter(conn)}
	if err := s.negotiate(); err != nil {
		return fmt.Errorf("negotiating: %w", err)
	}
	for {
		if err := s.request(); err != nil {
			return err
		}
	}
}

type nbdServer struct {
	disk *Disk
	r    *bufio.Reader
	w    *bufio.Writer
}

// send writes fields and flushes them.
func (s *nbdServer) send(fields ...any) error {
	for _, f := range fields {
		if err := binary.Write(s.w, binary.BigEndian, f); err != nil {
			return err
		}
	}
	return s.w.Flush()
}

func (s *nbdServer) receive(fields any) error { return binary.Read(s.r, binary.BigEndian, fields) }

// negotiate offers the disk, whatever the export's name.
func (s *nbdServer) negotiate() error {
	if err := s.send(uint64(nbdMagic), uint64(nbdOptionMagic), uint16(nbdFixedNewstyle|nbdNoZeroes)); err != nil {
		return err
	}
	var flags uint32
	if err := s.receive(&flags); err != nil {
		return err
	}
	for {
		var option struct {
			Magic          uint64
			Option, Length uint32
		}
		if err := s.receive(&option); err != nil {
			return err
		}
		if option.Magic != nbdOptionMagic || option.Length > nbdMaxOption {
			return fmt.Errorf("option %d of %d octets with magic %#x", option.Option, option.Length, option.Magic)
		}
		if _, err := io.CopyN(io.Discard, s.r, int64(option.Length)); err != nil {
			return err
		}
		reply := func(kind uint32, data ...byte) error {
			return s.send(uint64(nbdReplyMagic), option.Option, kind, uint32(len(data)), data)
		}
		switch option.Option {
		case nbdOptGo, nbdOptInfo:
			info := binary.BigEndian.AppendUint16(nil, nbdInfoExport)
			info = binary.BigEndian.AppendUint64(info, uint64(s.disk.size))
			info = binary.BigEndian.AppendUint16(info, nbdHasFlags|nbdSendFlush|nbdSendFUA)
			if err := errors.Join(reply(nbdRepInfo, info...), reply(nbdRepAck)); err != nil || option.Option == nbdOptGo {
				return err
			}
		case nbdOptAbort:
			return errors.Join(reply(nbdRepAck), io.EOF)
		default:
			if err := reply(nbdRepErrUnsup); err != nil {
				return err
			}
		}
	}
}

// request does one command and answers it.
func (s *nbdServer) request() error {
	var q struct {
		Magic       uint32
		Flags, Type uint16
		Cookie      uint64
		Offset      uint64
		Length      uint32
	}
	if err := s.receive(&q); err != nil {
		return err
	}
	if q.Magic != nbdRequestMagic || q.Type == nbdWrite && q.Length > nbdMaxRequest {
		return fmt.Errorf("request %d of %d octets with magic %#x", q.Type, q.Length, q.Magic)
	}
	answer := func(code uint32, data []byte) error {
		return s.send(uint32(nbdSimpleReplyMagic), code, q.Cookie, data)
	}
	var data []byte
	if q.Type == nbdWrite {
		data = make([]byte, q.Length)
		if _, err := io.ReadFull(s.r, data); err != nil {
			return err
		}
	}
	size := uint64(s.disk.size)
	inside := q.Length <= nbdMaxRequest && q.Offset <= size && uint64(q.Length) <= size-q.Offset && (q.Offset|uint64(q.Length))%sector == 0
	switch {
	case q.Type == nbdDisconnect:
		return io.EOF
	case q.Type == nbdFlush:
		if err := s.disk.flush(); err != nil {
			return answer(nbdEIO, nil)
		}
		return answer(0, nil)
	case q.Type == nbdRead && inside:
		data = make([]byte, q.Length)
		if err := s.disk.readAt(data, int64(q.Offset)); err != nil {
			return answer(nbdEIO, nil)
		}
		return answer(0, data)
	case q.Type == nbdWrite && inside:
		if err := s.disk.writeAt(data, int64(q.Offset), q.Flags&nbdCommandFUA != 0); err != nil {
			return answer(nbdEIO, nil)
		}
		return answer(0, nil)
	}
	return answer(nbdEINVAL, nil)
}
