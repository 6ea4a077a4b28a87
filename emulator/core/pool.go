package core

import (
	"net/netip"
	"time"
)

// pool gives addresses to devices. Core.mu guards it. Addresses are given in turn, so that one that was freed comes back late;
// a device gets its last one again as long as nobody else had it.
type pool struct {
	prefix   netip.Prefix
	rest     time.Duration
	now      func() time.Time
	next     netip.Addr
	excluded map[netip.Addr]bool
	used     map[netip.Addr]string     // by IMSI
	freed    map[netip.Addr]freedLease // the last owner, until another one comes
	last     map[string]netip.Addr     // each IMSI's last address
}

type freedLease struct {
	imsi string
	at   time.Time
}

func newPool(prefix netip.Prefix, rest time.Duration, now func() time.Time) *pool {
	return &pool{
		prefix: prefix, rest: rest, now: now, next: prefix.Addr(),
		excluded: make(map[netip.Addr]bool), used: make(map[netip.Addr]string),
		freed: make(map[netip.Addr]freedLease), last: make(map[string]netip.Addr),
	}
}

func (p *pool) exclude(a netip.Addr) { p.excluded[a] = true }

// take gives an address; false when all are used or resting.
func (p *pool) take(imsi string) (netip.Addr, bool) {
	if a, ok := p.last[imsi]; ok && p.freed[a].imsi == imsi {
		p.grant(a, imsi)
		return a, true
	}
	for range 1 << (32 - p.prefix.Bits()) {
		a := p.next
		if p.next = a.Next(); !p.prefix.Contains(p.next) {
			p.next = p.prefix.Addr()
		}
		if p.free(a) {
			p.grant(a, imsi)
			return a, true
		}
	}
	return netip.Addr{}, false
}

// free tells whether any device may have the address now. Addresses that end in .0 and .255 are left out: they are hosts in
// such a prefix, but there is software that takes them for a network or a broadcast.
func (p *pool) free(a netip.Addr) bool {
	if last := a.As4()[3]; last == 0 || last == 255 || p.excluded[a] {
		return false
	}
	if a == p.prefix.Addr() || !p.prefix.Contains(a.Next()) { // the network's own two, in a prefix longer than /24
		return false
	}
	if _, used := p.used[a]; used {
		return false
	}
	f, resting := p.freed[a]
	return !resting || p.now().Sub(f.at) >= p.rest
}

func (p *pool) grant(a netip.Addr, imsi string) {
	if old, ok := p.freed[a]; ok && old.imsi != imsi {
		delete(p.last, old.imsi)
	}
	delete(p.freed, a)
	p.used[a] = imsi
	p.last[imsi] = a
}

// release frees an address that take gave; any other is left alone.
func (p *pool) release(a netip.Addr) {
	imsi, ok := p.used[a]
	if !ok {
		return
	}
	delete(p.used, a)
	p.freed[a] = freedLease{imsi: imsi, at: p.now()}
}
