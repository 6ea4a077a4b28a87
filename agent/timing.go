package agent

import "time"

// timing is how long things may take. Tests shorten it.
type timing struct {
	deadlines map[State]time.Duration // of a state; registration and the dial may take a modem minutes after it was switched on

	probe  time.Duration // one try to speak to the modem: the first command after its start may be lost
	poll   time.Duration // between questions to a modem that announces its news as well
	replug time.Duration // how long a port that went away may take to come back, before anything is done about it
	settle time.Duration // how long a port that has appeared may be refused, or without the modem's others
	absent time.Duration // how long a modem must say that it has no SIM: one that has just started says so until it has looked
	denied time.Duration // how long a denial may last: a modem goes on searching, and may find another network

	watch    time.Duration // between looks at registration and context while the link is up
	minWatch time.Duration // the same, however much news the modem has
	answer   time.Duration // of the modem to such a look
	regLoss  time.Duration // how long the registration may be lost: in the field it often comes back, and the context with it
	radio    time.Duration // between looks at the signal

	address   time.Duration // between looks at an interface of the system
	service   time.Duration // how long a service that failed rests
	terminate time.Duration // PPP's good-bye: the modem, which is what it reaches, answers in milliseconds or not at all
	hangUp    time.Duration // taking the modem back from a call: an escape with its guard times, and ATH. A modem that takes longer is begun with anew
}

// hostAddress is how long the system's DHCP client may take, which waits for the carrier first.
const hostAddress = time.Minute

func defaultTiming() timing {
	return timing{
		deadlines: map[State]time.Duration{
			StatePort:       10 * time.Second,
			StateIdentify:   60 * time.Second, // it may boot, be in a call, or run at another speed
			StateSIM:        30 * time.Second,
			StateRegistered: 180 * time.Second,
			StateContext:    150 * time.Second,
			StateDial:       180 * time.Second,
			StatePPP:        40 * time.Second,
			StateIP:         5 * time.Second,
			StateServices:   10 * time.Second,
		},
		probe: 3 * time.Second, poll: time.Second, replug: 30 * time.Second, settle: 10 * time.Second, denied: 10 * time.Second,
		absent: 5 * time.Second, // an EC21 said so for 0.15 s after RDY, and was ready 0.2 s later (SeeedJP/WioLTEforArduino, issue 5)
		watch:  5 * time.Second, minWatch: 500 * time.Millisecond, answer: 5 * time.Second, regLoss: 7 * time.Second, radio: 30 * time.Second,
		address: time.Second,
		service: time.Second, terminate: time.Second, hangUp: 3500 * time.Millisecond,
	}
}

// faster is the timing under Config.Haste.
func (t timing) faster(haste float64) timing {
	for s, d := range t.deadlines {
		t.deadlines[s] = faster(d, haste)
	}
	for _, d := range []*time.Duration{
		&t.probe, &t.poll, &t.replug, &t.settle, &t.absent, &t.denied, &t.watch, &t.minWatch, &t.answer, &t.regLoss, &t.radio, &t.service, &t.terminate,
	} {
		*d = faster(*d, haste)
	}
	if haste > 0 {
		t.hangUp *= 3 // the modem's guard times stay, and whoever is in haste shares the machine with other tests
	}
	return t
}
