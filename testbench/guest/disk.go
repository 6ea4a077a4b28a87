package guest

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// Disk is a block device with a volatile write cache, as real ones have: what the guest writes is kept in the cache, and is lost with the power
// until the guest has it flushed. qemu reads and writes it by the NBD protocol.
//
//	guest -> virtio-blk -> qemu -> NBD -> cache -> flush -> the image's file
type Disk struct {
	dir      string
	listener net.Listener
	serving  sync.WaitGroup

	mu    sync.Mutex
	image *os.File // guarded by mu, as all below
	size  int64
	cache map[int64][]byte // sectors that were written since the last flush, by their number
	conn  net.Conn         // qemu's; nil: none
}

// sector is what a disk writes whole, or not at all.
const sector = 512

// OpenDisk serves an image, whose size must be whole sectors, until Close.
func OpenDisk(image string) (_ *Disk, err error) {
	d := &Disk{cache: make(map[int64][]byte)}
	if d.image, err = os.OpenFile(image, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	info, err := d.image.Stat()
	if err == nil && (info.Size() == 0 || info.Size()%sector != 0) {
		err = errors.New("the image's size is not a number of sectors")
	}
	if err == nil {
		d.size = info.Size()
		d.dir, err = os.MkdirTemp("", "minato-disk-")
	}
	if err == nil {
		d.listener, err = net.Listen("unix", d.socket())
	}
	if err != nil {
		return nil, errors.Join(err, d.image.Close(), os.RemoveAll(d.dir))
	}
	d.serving.Go(d.accept) // ends with the listener, in Close
	return d, nil
}

func (d *Disk) socket() string { return filepath.Join(d.dir, "nbd") }

// Drive is the disk for Config.Drive.
func (d *Disk) Drive() string { return "nbd:unix:" + d.socket() }

// accept serves one guest after the other.
func (d *Disk) accept() {
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return
		}
		d.mu.Lock()
		d.conn = conn
		d.mu.Unlock()
		serveNBD(conn, d) // ends when qemu does, or in Close
		conn.Close()
	}
}

// CutPower loses what was not flushed, but for those sectors of which survives says that they were written in time. Call it when
// the guest has ended. It gives the numbers of sectors lost and kept.
func (d *Disk) CutPower(survives func() bool) (lost, kept int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for number, data := range d.cache {
		if !survives() {
			lost++
			continue
		}
		kept++
		if _, err := d.image.WriteAt(data, number*sector); err != nil {
			return lost, kept, err
		}
	}
	clear(d.cache)
	return lost, kept, nil
}

// Close ends the disk, without a flush.
func (d *Disk) Close() error {
	err := d.listener.Close()
	d.mu.Lock()
	if d.conn != nil {
		d.conn.Close()
	}
	d.mu.Unlock()
	d.serving.Wait()
	return errors.Join(err, d.image.Close(), os.RemoveAll(d.dir))
}

func (d *Disk) readAt(b []byte, offset int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.image.ReadAt(b, offset); err != nil {
		return err
	}
	for i := 0; i < len(b); i += sector {
		copy(b[i:], d.cache[(offset+int64(i))/sector])
	}
	return nil
}

// writeAt writes into the cache, or through it (forced unit access).
func (d *Disk) writeAt(b []byte, offset int64, through bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := 0; i < len(b); i += sector {
		number := (offset + int64(i)) / sector
		if through {
			delete(d.cache, number)
		} else {
			d.cache[number] = b[i : i+sector : i+sector]
		}
	}
	if !through {
		return nil
	}
	_, err := d.image.WriteAt(b, offset)
	return err
}

func (d *Disk) flush() error {
	_, _, err := d.CutPower(func() bool { return true })
	return err
}
