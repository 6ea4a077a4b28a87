package relay

import (
	"minato/relay/relayapi"
	"minato/relay/store"
)

// listErrorLogs is Napter's part of SORACOM's error log: the audit entries that have a cause, and the denials that have none, in the form of
// GET /v1/logs. Other services' logs are empty here.
func (r *Relay) listErrorLogs(c *call) (any, error) {
	q, err := r.auditQuery(c)
	if err != nil {
		return nil, err
	}
	list := []relayapi.LogEntry{}
	if s := c.URL.Query().Get("service"); s != "" && s != "Napter" {
		return list, nil
	}
	q.Caused = true
	beforeTime(&q)
	entries, err := r.auditPage(c, q)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		list = append(list, relayapi.LogEntry{
			OperatorID: e.OperatorID, ResourceType: "Subscriber", ResourceID: e.IMSI, Service: "Napter",
			LogLevel: logLevel(e), Time: e.Time.UnixMilli(), Body: auditAnswer(e, c.lang()),
		})
	}
	return list, nil
}

// logLevel is a warning where the client can mend it, and an error where the device or the closed network is at fault.
func logLevel(e store.Entry) string {
	if e.Type == store.Closed {
		return "error"
	}
	return "warning"
}
