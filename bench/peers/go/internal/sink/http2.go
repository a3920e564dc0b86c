package sink

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// serveHTTP2 serves HTTP/2 where a client wants it, by net/http's server.
func (s *sink) serveHTTP2(listener net.Listener, config *tls.Config) {
	server := &http.Server{
		Handler:           http.HandlerFunc(s.answerHTTP),
		TLSConfig:         config,
		ReadHeaderTimeout: time.Minute,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 1000},
	}
	log.Print(server.ServeTLS(listener, "", ""))
}

func (s *sink) answerHTTP(writer http.ResponseWriter, request *http.Request) {
	if _, err := io.Copy(io.Discard, request.Body); err != nil {
		return
	}
	s.came([]byte(request.RequestURI))
	if s.delay > 0 {
		time.Sleep(s.delay)
	}
	writer.Header().Set("Content-Type", "text/plain")
	writer.Write([]byte("ok"))
}
