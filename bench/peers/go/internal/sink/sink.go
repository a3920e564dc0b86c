// Package sink is a receiver that costs as little as can be: it answers every request alike, counts
// them, and notes which came when.
package sink

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// sink is what all connections share.
type sink struct {
	delay  time.Duration
	count  atomic.Int64
	log    *journal // nil without -record and -targets
	answer atomic.Pointer[[]byte]
}

// Run receives until the context ends or standard input does. It says ready on standard output when
// it listens; on a line count it prints how many requests came.
func Run(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("sink", flag.ExitOnError)
	listen := flags.String("listen", "", "`address` for plain HTTP; :PORT serves all of 127.0.0.0/8")
	tlsListen := flags.String("tls-listen", "", "`address` for HTTPS")
	certificate := flags.String("tls-cert", "", "PEM `file` of the certificate")
	key := flags.String("tls-key", "", "PEM `file` of its key")
	h2 := flags.Bool("h2", false, "offer HTTP/2 on the TLS address, by net/http's server")
	delay := flags.Duration("delay", 0, "wait so long before answering")
	record := flags.String("record", "", "write pairs of (parameter n, microseconds) to `file`")
	targets := flags.String("targets", "", "write request targets to `file`, one a line")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1) // threads that wake each other up cost more than they win
	}
	s := &sink{delay: *delay}
	if *record != "" || *targets != "" {
		s.log = &journal{keepTargets: *targets != ""}
	}
	s.keepTime(ctx)
	if *listen == "" && *tlsListen == "" {
		return errors.New("-listen or -tls-listen is needed")
	}
	if *listen != "" {
		listener, err := listenOn(*listen)
		if err != nil {
			return err
		}
		go s.serve(listener, nil)
	}
	if *tlsListen != "" {
		pair, err := tls.LoadX509KeyPair(*certificate, *key)
		if err != nil {
			return err
		}
		listener, err := listenOn(*tlsListen)
		if err != nil {
			return err
		}
		config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
		if *h2 {
			go s.serveHTTP2(listener, config)
		} else {
			config.NextProtos = []string{"http/1.1"}
			go s.serve(listener, config)
		}
	}
	fmt.Println("ready")
	select {
	case <-ctx.Done():
	case <-s.obey(os.Stdin):
	}
	return s.log.write(*record, *targets)
}

// obey does what the lines say; the channel is closed when they end.
func (s *sink) obey(lines io.Reader) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		scanner := bufio.NewScanner(lines)
		for scanner.Scan() {
			if scanner.Text() == "count" {
				fmt.Println(s.count.Load())
			}
		}
	}()
	return ended
}

// keepTime makes the answer, and a new one each second, for the date in it.
func (s *sink) keepTime(ctx context.Context) {
	write := func() {
		answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: text/plain\r\n"+
			"Content-Length: 2\r\n\r\nok", time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
		s.answer.Store(&answer)
	}
	write()
	go func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				write()
			}
		}
	}()
}

// came notes a request that has been read.
func (s *sink) came(target []byte) {
	s.count.Add(1)
	if s.log != nil {
		s.log.add(target, time.Now().UnixMicro())
	}
}

// listenOn listens for connections to this machine from itself alone, whatever the address.
func listenOn(address string) (net.Listener, error) {
	network := "tcp"
	if strings.HasPrefix(address, ":") {
		network = "tcp4"
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	return loopback{listener}, nil
}

// loopback takes connections to loopback addresses only.
type loopback struct {
	net.Listener
}

func (l loopback) Accept() (net.Conn, error) {
	for {
		connection, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if at, is := connection.LocalAddr().(*net.TCPAddr); is && at.IP.IsLoopback() {
			return connection, nil
		}
		connection.Close()
	}
}
