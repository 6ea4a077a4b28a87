package core

import (
	"golang.org/x/net/dns/dnsmessage"
)

const (
	dnsMinimum = 512   // octets that every resolver takes over UDP (RFC 1035 section 2.3.4)
	dnsEDNS    = 1232  // what we tell those that ask with EDNS: never a fragment
	dnsMaximum = 65535 // over TCP
	dnsTTL     = 0     // seconds: an address may be another device's in the next session
)

// edns is a query's OPT record (RFC 6891).
type edns struct {
	present bool
	size    int
	version byte
}

// answer gives the reply to a query, nil for what is none. What is not of the network's own names is refused (RFC 1035 section 4.1.1,
// RCODE 5), which a resolver takes at once as "ask elsewhere". limit is for a query without EDNS.
func (n *names) answer(query []byte, limit int) []byte {
	var p dnsmessage.Parser
	h, err := p.Start(query)
	if err != nil || h.Response {
		return nil // not even a header, or somebody's answer: replying to it could go on for ever
	}
	reply := dnsmessage.Message{Header: dnsmessage.Header{
		ID: h.ID, Response: true, OpCode: h.OpCode, RecursionDesired: h.RecursionDesired,
	}}
	if h.OpCode != 0 {
		reply.RCode = dnsmessage.RCodeNotImplemented
		return pack(&reply, limit)
	}
	question, opt, err := readQuery(&p)
	if err != nil {
		reply.RCode = dnsmessage.RCodeFormatError
		return pack(&reply, limit)
	}
	reply.Questions = []dnsmessage.Question{question}
	if opt.present {
		const badVersion = 16 // its upper bits go into the OPT record
		var rcode dnsmessage.RCode
		if opt.version > 0 {
			rcode = badVersion
		}
		r := dnsmessage.Resource{Body: &dnsmessage.OPTResource{}}
		if r.Header.SetEDNS0(dnsEDNS, rcode, false) != nil {
			return nil
		}
		reply.Additionals = []dnsmessage.Resource{r}
		limit = max(limit, min(opt.size, dnsEDNS))
		if rcode != 0 {
			return pack(&reply, limit)
		}
	}
	n.fill(&reply, question)
	return pack(&reply, limit)
}

// readQuery takes the one question and nothing that does not belong into a query.
func readQuery(p *dnsmessage.Parser) (dnsmessage.Question, edns, error) {
	var opt edns
	questions, err := p.AllQuestions()
	if err != nil || len(questions) != 1 {
		return dnsmessage.Question{}, opt, errFormat
	}
	if _, err := p.AnswerHeader(); err != dnsmessage.ErrSectionDone {
		return dnsmessage.Question{}, opt, errFormat
	}
	if err := p.SkipAllAnswers(); err != nil {
		return dnsmessage.Question{}, opt, err
	}
	if err := p.SkipAllAuthorities(); err != nil {
		return dnsmessage.Question{}, opt, err
	}
	for {
		h, err := p.AdditionalHeader()
		if err == dnsmessage.ErrSectionDone {
			return questions[0], opt, nil
		}
		if err != nil {
			return dnsmessage.Question{}, opt, err
		}
		if h.Type == dnsmessage.TypeOPT {
			if opt.present || h.Name.String() != "." {
				return dnsmessage.Question{}, opt, errFormat
			}
			opt = edns{present: true, size: int(h.Class), version: byte(h.TTL >> 16)}
		}
		if err := p.SkipAdditional(); err != nil {
			return dnsmessage.Question{}, opt, err
		}
	}
}

// fill puts the code and the records in.
func (n *names) fill(reply *dnsmessage.Message, q dnsmessage.Question) {
	reply.RCode = dnsmessage.RCodeRefused
	if q.Class != dnsmessage.ClassINET {
		return
	}
	addrs, state := n.find(q.Name.String())
	switch state {
	case notOurs:
		return
	case noSuchName:
		reply.RCode = dnsmessage.RCodeNameError
	case foundName:
		reply.RCode = dnsmessage.RCodeSuccess
	}
	reply.Authoritative = true
	if q.Type != dnsmessage.TypeA && q.Type != dnsmessage.TypeALL {
		return
	}
	for _, a := range addrs {
		reply.Answers = append(reply.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: dnsmessage.TypeA, Class: q.Class, TTL: dnsTTL},
			Body:   &dnsmessage.AResource{A: a.As4()},
		})
	}
}

// pack cuts a reply that is too long down to one that says so.
func pack(reply *dnsmessage.Message, limit int) []byte {
	b, err := reply.Pack()
	if err == nil && len(b) > limit {
		reply.Answers, reply.Truncated = nil, true
		b, err = reply.Pack()
	}
	if err != nil || len(b) > limit {
		return nil
	}
	return b
}
