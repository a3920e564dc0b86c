package dispatcher

import (
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"
)

// timings are how a request went. The hooks may be called after the request has ended: net/http
// goes on dialling for the next one.
type timings struct {
	start time.Time

	mu                       sync.Mutex
	dnsAt, connectAt, tlsAt  time.Time
	dns, connect, tls, first *int64 // microseconds; nil for what did not happen
	address                  string
	connections              int
	reused, duringTLS        bool
}

// seen is what an attempt tells of them.
type seen struct {
	dns, connect, tls, first *int64
	address                  string
	reused, resent           bool
}

func (t *timings) seen() seen {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reused {
		return seen{first: t.first, address: t.address, reused: true, resent: t.connections > 1}
	}
	return seen{t.dns, t.connect, t.tls, t.first, t.address, false, t.connections > 1}
}

// phase is what the request was at when it ended.
func (t *timings) phase() (connected, duringTLS bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.connections > 0, t.duringTLS
}

func (t *timings) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { t.begin(&t.dnsAt) },
		DNSDone:              func(httptrace.DNSDoneInfo) { t.end(&t.dnsAt, &t.dns) },
		ConnectStart:         func(_, address string) { t.dialled(address) },
		ConnectDone:          func(_, _ string, _ error) { t.end(&t.connectAt, &t.connect) },
		TLSHandshakeStart:    func() { t.begin(&t.tlsAt) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { t.end(&t.tlsAt, &t.tls) },
		GotConn:              t.gotConnection,
		GotFirstResponseByte: func() { t.end(&t.start, &t.first) },
	}
}

func (t *timings) begin(at *time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*at = time.Now()
	t.duringTLS = at == &t.tlsAt
}

func (t *timings) end(from *time.Time, took **int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	microseconds := time.Since(*from).Microseconds()
	*took = &microseconds
}

func (t *timings) dialled(address string) {
	t.begin(&t.connectAt)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.address = address
}

func (t *timings) gotConnection(info httptrace.GotConnInfo) {
	address := info.Conn.RemoteAddr().String()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.connections++
	t.reused = info.Reused
	t.address = address
	t.duringTLS = false
}
