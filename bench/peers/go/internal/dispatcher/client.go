package dispatcher

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"peers/internal/records"
	"peers/internal/stream"
)

const (
	keptBody     = 4096 // bytes of an answer's body that an attempt keeps
	idleTimeout  = 60 * time.Second
	headLimit    = 32 * 1024
	tlsSessions  = 4096
	textLimit    = 16 * 1024
	shownHeaders = 64
	mask         = "***"
)

// clients are the HTTP clients, one for each way to trust a server.
type clients struct {
	settings stream.Settings

	mu    sync.Mutex
	known map[records.TLS]*client
}

func newClients(settings stream.Settings) *clients {
	return &clients{settings: settings, known: map[records.TLS]*client{}}
}

// of returns the client for the tls of an action, which may be nil.
func (c *clients) of(trust *records.TLS) (*client, *unsendable) {
	wanted := records.TLS{Verify: true}
	if trust != nil {
		wanted = *trust
	}
	if wanted.ClientCertificate != "" {
		return nil, unsupported("client certificates")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.known[wanted]; known != nil {
		return known, nil
	}
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(tlsSessions),
		InsecureSkipVerify: !wanted.Verify,
	}
	if wanted.CA != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(wanted.CA)) {
			return nil, &unsendable{"unrenderable", "the action's CA holds no certificate"}
		}
	}
	made := &client{c.settings, newTransport(config, c.settings)}
	c.known[wanted] = made
	return made, nil
}

func newTransport(config *tls.Config, settings stream.Settings) *http.Transport {
	dialer := &net.Dialer{Timeout: settings.Deadline}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    settings.Deadline,
		MaxIdleConnsPerHost:    settings.InFlight, // and no limit over all hosts
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true,
		MaxResponseHeaderBytes: headLimit,
		// HTTP/1.1 only, as what it is compared with.
		ForceAttemptHTTP2: false,
		TLSNextProto:      map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
}

// client sends requests. It follows no redirect, as it does without http.Client.
type client struct {
	settings  stream.Settings
	transport *http.Transport
}

// answer is what a server said, and how the request went.
type answer struct {
	status  int64 // 0 when none came; then err says why
	headers map[string]string
	body    []byte
	err     error
	timings *timings
}

var bodies = sync.Pool{New: func() any { return new([keptBody]byte) }}

// send sends a request begun at start. The deadline covers everything, the body too.
func (c *client) send(ctx context.Context, made *http.Request, start time.Time) answer {
	ctx, cancel := context.WithDeadline(ctx, start.Add(c.settings.Deadline))
	defer cancel()
	timings := &timings{start: start}
	response, err := c.transport.RoundTrip(
		made.WithContext(httptrace.WithClientTrace(ctx, timings.trace())))
	if err != nil {
		return answer{err: err, timings: timings}
	}
	defer response.Body.Close()
	body, err := c.read(response.Body)
	if err != nil {
		return answer{err: err, timings: timings}
	}
	return answer{
		status:  int64(response.StatusCode),
		headers: shown(response.Header),
		body:    body,
		timings: timings,
	}
}

// read reads a body to its end, so that the connection is kept, or to the limit, so that it is
// closed; it returns the start of it.
func (c *client) read(body io.Reader) ([]byte, error) {
	buffer := bodies.Get().(*[keptBody]byte)
	defer bodies.Put(buffer)
	for size := 0; size < keptBody; {
		n, err := body.Read(buffer[size:])
		size += n
		if err == io.EOF {
			return bytes.Clone(buffer[:size]), nil
		}
		if err != nil {
			return nil, err
		}
	}
	_, err := io.CopyN(io.Discard, body, c.settings.MaxResponseBytes-keptBody)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return bytes.Clone(buffer[:]), nil
}

// shown are headers as an attempt keeps them: joined where repeated, secret ones masked.
func shown(headers http.Header) map[string]string {
	shown := make(map[string]string, len(headers))
	for name, values := range headers {
		if len(shown) == shownHeaders {
			break
		}
		text := strings.Join(values, ", ")
		if isSecret(name) {
			text = mask
		}
		if len(text) > textLimit {
			text = text[:textLimit]
		}
		shown[name] = strings.ToValidUTF8(text, "\uFFFD")
	}
	return shown
}

func isSecret(name string) bool {
	lowered := strings.ToLower(name)
	for _, word := range [...]string{"auth", "cookie", "key", "passw", "secret", "token"} {
		if strings.Contains(lowered, word) {
			return true
		}
	}
	return false
}
