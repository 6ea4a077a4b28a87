package agent

import "time"

// timing is how long things may take. Tests shorten it.
type timing struct {
	deadlines map[State]time.Duration // of a state; registration and the dial may take a modem minutes after it was switched on

	probe  time.Duration // one try to speak to the modem: the first command after its start may be lost
	poll   time.Duration // between questions to a modem that announces its news as well
	denied time.Duration // how long a denial may last: a modem goes on searching, and may find another network

	watch    time.Duration // between looks at registration and context while the link is up
	minWatch time.Duration // the same, however much news the modem has
	answer   time.Duration // of the modem to such a look
	regLoss  time.Duration // how long the registration may be lost: in the field it often comes back, and the context with it
	radio    time.Duration // between looks at the signal

	service time.Duration // how long a service that failed rests
	hangUp  time.Duration // taking the modem back from a call: two escapes with their guard times
}

func defaultTiming() timing {
	return timing{
		deadlines: map[State]time.Duration{
			StatePort:       10 * time.Second,
			StateIdentify:   45 * time.Second, // it may boot, be in a call, or run at another speed
			StateSIM:        30 * time.Second,
			StateRegistered: 180 * time.Second,
			StateContext:    150 * time.Second,
			StateDial:       180 * time.Second,
			StatePPP:        40 * time.Second,
			StateIP:         5 * time.Second,
			StateServices:   10 * time.Second,
		},
		probe: 3 * time.Second, poll: time.Second, denied: 10 * time.Second,
		watch: 5 * time.Second, minWatch: 500 * time.Millisecond, answer: 5 * time.Second, regLoss: 7 * time.Second, radio: 30 * time.Second,
		service: time.Second, hangUp: 12 * time.Second,
	}
}
