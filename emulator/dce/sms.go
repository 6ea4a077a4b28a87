package dce

import (
	"time"

	"minato/emulator/sms"
)

// Storages of TS 27.005 section 3.1. MT is another name of ME on the modems that we know.
const (
	storageSM = "SM"
	storageME = "ME"
	storageMT = "MT"
	storageSR = "SR"
)

// messaging is the modem's part of the short message service. Modem.mu guards all of it.
type messaging struct {
	stores map[string]*sms.Store // by name; the SIM's and the modem's outlive a reset
	centre sms.Address           // +CSCA: on the SIM

	text      bool      // +CMGF
	service   int       // +CSMS
	memories  [3]string // +CPMS: to read and delete, to write and send, to receive
	details   bool      // +CSDH
	defaults  submitDefaults
	routing   [5]int   // +CNMI: <mode>, <mt>, <bm>, <ds>, <bfr>
	held      []string // results that +CNMI <mode> 0 keeps back
	reference byte     // of the last message that was sent

	sending  map[*port]struct{} // ports with a message on its way, whose result must come before what it brings about
	full     bool               // the centre was told that there is no room
	room     bool               // it is to be told that there is
	unacked  *sms.Delivery      // routed to the TE, which owes +CNMA
	deadline time.Time          // for that
}

// submitDefaults are +CSMP: what a message has beside its text in text mode.
type submitDefaults struct {
	firstOctet byte
	relative   byte
	absolute   time.Time
	pid, dcs   byte
}

// newMessaging is what a modem has from the factory, with a SIM of the centre's network.
func newMessaging(f *SMSFacts, centre *sms.Centre) messaging {
	g := messaging{stores: map[string]*sms.Store{}}
	for _, s := range f.Storages {
		g.stores[s.Name] = sms.NewStore(s.Size)
	}
	if centre != nil {
		g.centre = centre.Number()
	}
	return g
}

// reset is what power-on sets (the defaults of TS 27.005).
func (g *messaging) reset(f *SMSFacts) {
	*g = messaging{
		stores: g.stores, centre: g.centre, sending: map[*port]struct{}{}, reference: g.reference, full: g.full, room: g.room,
		memories: [3]string{f.Default.Value, f.Default.Value, f.Default.Value},
		defaults: submitDefaults{firstOctet: 17, relative: 167},
		routing:  [5]int{2, 1, 0, 0, 0},
	}
}

// store gives the storage of a name; nil when there is none.
func (g *messaging) store(name string) *sms.Store {
	if name == storageMT {
		name = storageME
	}
	return g.stores[name]
}

// isFull tells that the storage for what is received has no free place.
func (g *messaging) isFull() bool {
	s := g.store(g.memories[2])
	return s.Used() == s.Size()
}

// smsCommands are those of TS 27.005.
func smsCommands() []command {
	return []command{
		{name: "+CMGF", read: readFormat, test: says("+CMGF: (0,1)"), set: setFormat},
		{name: "+CSMS", read: readService, test: says("+CSMS: (0,1)"), set: setService},
		{name: "+CPMS", read: cardRead(readMemories), test: testMemories, set: cardSet(setMemories)},
		{name: "+CSCA", read: cardRead(readCentre), test: says(), set: cardSet(setCentre)},
		{name: "+CSMP", read: readParameters, test: says(), set: setParameters},
		{name: "+CSDH", read: readDetails, test: says("+CSDH: (0,1)"), set: setDetails},
		{name: "+CNMI", read: readRouting, test: testRouting, set: setRouting},
		{name: "+CNMA", exec: acknowledge, test: testAcknowledge, set: acknowledgePDU},
		{name: "+CMGL", exec: cardRead(listUnread), test: testList, set: cardSet(listMessages)},
		{name: "+CMGR", test: says(), set: cardSet(readMessage)},
		{name: "+CMGD", test: testDelete, set: cardSet(deleteMessage)},
		{name: "+CMGS", test: says(), set: cardSet(sendMessage)},
		{name: "+CMGW", exec: cardRead(writeEmpty), test: says(), set: cardSet(writeMessage)},
		{name: "+CMSS", test: says(), set: sendStored},
		{name: "+CMGC", exec: refuse(cmsNotSupported), read: refuse(cmsNotSupported), test: refuse(cmsNotSupported), set: func(*exchange, args) result { return cms(cmsNotSupported) }},
	}
}

// refuse answers with an error.
func refuse(n int) handler { return func(*exchange) result { return cms(n) } }

// cardRead and cardSet keep a command from a card that is not there or locked. They hold Modem.mu for it: messages are the card's
// and the modem's, and no command takes long but for the network.
func cardRead(h func(x *exchange, g *messaging) result) handler {
	return func(x *exchange) result {
		x.m.mu.Lock()
		defer x.m.mu.Unlock()
		if r, ok := x.m.sim.check(); !ok {
			return cms(cmsOfCard(r.cause.number))
		}
		return h(x, &x.m.messages)
	}
}

func cardSet(h func(x *exchange, g *messaging, a args) result) func(*exchange, args) result {
	return func(x *exchange, a args) result {
		return cardRead(func(x *exchange, g *messaging) result { return h(x, g, a) })(x)
	}
}
