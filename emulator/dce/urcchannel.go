package dce

import (
	"cmp"
	"slices"
)

// urcPorts picks the ports that an unsolicited result goes to: of the lines those that are for it, and of the channels of each of
// them that carries a multiplexer those that urcChannels picks.
func (m *Modem) urcPorts(ports []*port, to string, dlci int) []*port {
	var taking []*port
	channels := map[*muxMode][]*port{}
	for _, p := range ports {
		switch {
		case !m.takesURC(p, to):
		case p.parent == nil:
			taking = append(taking, p)
		default:
			channels[p.parent] = append(channels[p.parent], p)
		}
	}
	for _, open := range channels {
		taking = append(taking, urcChannels(open, dlci)...)
	}
	return taking
}

// urcChannels picks from a multiplexer's open channels: the one that is named, with 0 all. TS 27.010 knows no unsolicited results,
// and TS 27.007 enables them for a channel as for any other interface: whatever is named, a channel that is closed or carries data
// does not make the modem dumb while another hears commands; the first of those stands in. Where none does, the results wait.
func urcChannels(open []*port, dlci int) []*port {
	slices.SortFunc(open, func(a, b *port) int { return cmp.Compare(a.dlci, b.dlci) })
	named := slices.IndexFunc(open, func(p *port) bool { return p.dlci == dlci })
	hearing := slices.DeleteFunc(slices.Clone(open), (*port).carriesData)
	switch {
	case named >= 0 && (len(hearing) == 0 || slices.Contains(hearing, open[named])):
		return open[named : named+1]
	case len(hearing) == 0:
		return open[:1]
	case dlci == 0:
		return hearing
	}
	return hearing[:1]
}

// carriesData tells that the port is in online data state.
func (p *port) carriesData() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.call != nil && !p.call.escaped
}
