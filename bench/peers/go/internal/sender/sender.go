// Package sender sends webhooks over HTTP/1.1 or HTTP/2 by net/http, and measures what they cost.
package sender

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	deadline  = 15 * time.Second // of a request, its answer's body too
	headLimit = 32 * 1024
)

// plan is what is sent, where to, and how.
type plan struct {
	origins  []string // as https://127.0.0.1:8443
	trusted  *x509.CertPool
	http2    bool
	requests int
	warmUp   int // requests before those that are measured
	inFlight int // in all, not to each origin
}

// Run sends by its flags, the origins after them, and prints the report as a line of JSON.
func Run(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("send", flag.ExitOnError)
	authority := flags.String("ca", "", "PEM `file` of the authority to trust")
	var p plan
	flags.BoolVar(&p.http2, "http2", false, "by HTTP/2; else by HTTP/1.1")
	flags.IntVar(&p.requests, "requests", 10_000, "how many are measured")
	flags.IntVar(&p.warmUp, "warm-up", 1000, "how many go before them")
	flags.IntVar(&p.inFlight, "in-flight", 64, "how many at once, to all origins together")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	p.origins = flags.Args()
	if len(p.origins) == 0 || p.requests < 1 || p.inFlight < 1 {
		return errors.New("usage: peer send [flags] https://HOST:PORT...")
	}
	pem, err := os.ReadFile(*authority)
	if err != nil {
		return err
	}
	p.trusted = x509.NewCertPool()
	if !p.trusted.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", *authority)
	}
	found, err := measure(ctx, p)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

// sender is what all requests share.
type sender struct {
	plan
	transport *http.Transport
	opened    atomic.Int64 // connections
	failed    atomic.Int64 // requests
}

func newSender(p plan) *sender {
	s := &sender{plan: p}
	var dialer net.Dialer
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!p.http2)
	protocols.SetHTTP2(p.http2)
	s.transport = &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			connection, err := dialer.DialContext(ctx, network, address)
			if err == nil {
				s.opened.Add(1)
			}
			return connection, err
		},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: p.trusted},
		TLSHandshakeTimeout:    deadline,
		MaxIdleConnsPerHost:    p.inFlight, // and no limit over all hosts
		DisableCompression:     true,
		MaxResponseHeaderBytes: headLimit,
		Protocols:              protocols,
	}
	return s
}

// connect sends a request to each origin, one after the other: as long as net/http does not know
// that an origin speaks HTTP/2, it opens a connection for each request that is waiting.
func (s *sender) connect(ctx context.Context) error {
	for _, origin := range s.origins {
		if err := s.send(ctx, origin); err != nil {
			return err
		}
	}
	return nil
}

// sendAll sends as many requests as there is room for how long they took, to the origins in turn.
// Those that fail are counted; the first one is told of.
func (s *sender) sendAll(ctx context.Context, took []time.Duration) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range s.inFlight {
		workers.Go(func() {
			for n := int(next.Add(1)) - 1; n < len(took); n = int(next.Add(1)) - 1 {
				start := time.Now()
				err := s.send(ctx, s.origins[n%len(s.origins)])
				took[n] = time.Since(start)
				if err != nil && s.failed.Add(1) == 1 {
					log.Print(err)
				}
			}
		})
	}
	workers.Wait()
}

// send sends one request, and reads the answer to its end.
func (s *sender) send(ctx context.Context, origin string) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	request, err := newRequest(ctx, origin)
	if err != nil {
		return err
	}
	response, err := s.transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", origin, response.Status)
	}
	if (response.ProtoMajor == 2) != s.http2 {
		return fmt.Errorf("%s answered by %s", origin, response.Proto)
	}
	return nil
}
